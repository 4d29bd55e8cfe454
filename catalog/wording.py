"""What a tool does, in our words: from its name and its parameters' names. Pure.

    CancelAHORunBatch      Cancels an AHO run batch
    list_tags_for_resource Lists tags for resource
    cron_delete            Deletes a cron
    slack_get_users        Reads users (slack)
    sequentialthinking     Goes by the name “sequentialthinking”

A name is somebody else's: what is said of it is letters and digits of a bounded length.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.verbs import PLAINEST, VERBS

LONGEST = 120
MOST_WORDS = 12
MOST_NAMED = 4
# Services stand before the verb: `aws_s3_delete_bucket`, `API-post-page`.
FURTHEST_VERB = 3
# A head noun ends before these.
LINKS = {
    *("about", "across", "after", "and", "as", "at", "before", "between", "by", "for"),
    *("from", "in", "into", "of", "on", "or", "over", "per", "through", "to", "under"),
    *("using", "via", "with", "within", "without"),
}
# Without an article, as plurals are.
UNCOUNTED = {
    *(
        "access",
        "activity",
        "advice",
        "all",
        "analytics",
        "billing",
        "children",
        "code",
        "content",
    ),
    *("data", "documentation", "everything", "feedback", "guidance", "health", "help"),
    *("history", "info", "information", "infrastructure", "input", "insight", "json"),
    *("knowledge", "latest", "me", "memory", "metadata", "money", "multiple", "my"),
    *("output", "pricing", "python", "sql", "statistics", "storage", "support", "text"),
    *("traffic", "usage", "weather", "work"),
}
DETERMINED = {
    *("a", "all", "an", "any", "each", "every", "many", "multiple", "my", "the", "your")
}
BULK = {"batch", "bulk", "mass"}
WITHOUT_ARTICLE = {"has", "is", "list", "ls", "search"}


@dataclass(frozen=True, slots=True)
class Wording:
    """`sentence` without a full stop. `needs` are required parameters, `more` counts
    those beyond them; `takes` counts what the caller may leave out."""

    sentence: str
    needs: tuple[str, ...]
    more: int
    takes: int


def worded(
    name: str, facts: Mapping[str, Any], context: Collection[str] = ()
) -> Wording:
    parameters = top_level(facts)
    required = [path for path, needed in parameters.items() if needed]
    return Wording(
        sentence(name, context),
        tuple(required[:MOST_NAMED]),
        max(0, len(required) - MOST_NAMED),
        len(parameters) - len(required),
    )


def top_level(facts: Mapping[str, Any]) -> dict[str, bool]:
    """Whether it is required, of each parameter that is none of another's fields."""
    listed = [each for each in facts.get("parameters", []) if isinstance(each, Mapping)]
    paths = {str(each.get("path", "")): bool(each.get("required")) for each in listed}
    return {
        path: required
        for path, required in paths.items()
        if not any(path.startswith((f"{one}.", f"{one}[")) for one in paths)
    }


def sentence(name: str, context: Collection[str] = ()) -> str:
    """`context`: words of the server's name, which need not be said again."""
    words = tokens(name)
    if not words:
        return "Has a name without a word in it"
    place = verb_in(words)
    if place is None:
        return f"Goes by the name “{' '.join(words)}”"
    low = words[place].lower()
    before = [word for word in words[:place] if word.lower() not in context]
    bulk = [word for word in before if word in BULK]
    before = [word for word in before if word not in BULK and word != "do"]
    after = words[place + 1 :]
    if not after:
        # `cron_delete` has its object before it, `browser_file_upload` a service too.
        services = 0 if low in PLAINEST else 1
        before, after = before[:services], before[services:]
    object_ = " ".join(after) if low in WITHOUT_ARTICLE else with_article(after)
    said = " ".join(filter(None, [VERBS[low], object_, "in bulk" if bulk else ""]))
    return f"{said} ({' '.join(before)})" if before else said


def verb_in(words: Sequence[str]) -> int | None:
    """Its place: among the first words, or at the end, where the plain verbs stand."""
    low = [word.lower() for word in words]
    first = next(
        (n for n, word in enumerate(low[:FURTHEST_VERB]) if word in VERBS), None
    )
    if low[-1] in VERBS and (first is None or low[-1] in PLAINEST - {low[first]}):
        plain = first is not None and low[first] in PLAINEST
        return first if plain else len(low) - 1
    return first


def tokens(name: str) -> list[str]:
    """`CancelAHORunBatch` -> cancel, AHO, run, batch: abbreviations stay."""
    apart = re.sub(
        r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3 \2\4", name[:LONGEST]
    )
    found = re.findall(r"[^\W_]+", apart)[:MOST_WORDS]
    shouted = all(word.isupper() or word.isdigit() for word in found)
    return [word if word.isupper() and not shouted else word.lower() for word in found]


def with_article(words: Sequence[str]) -> str:
    """`bucket policy` -> a bucket policy; plurals and what is not counted, as is."""
    if not words:
        return ""
    links = [n for n, word in enumerate(words) if word in LINKS]
    head = words[: links[0]] if links else words
    said = " ".join(words)
    if not head or head[0] in DETERMINED or not counted(head[-1]):
        return said
    return f"{'an' if vowel(head[0]) else 'a'} {said}"


def counted(word: str) -> bool:
    low = word.lower()
    plural = low.endswith("s") and not low.endswith(("ss", "us", "is"))
    return not plural and low not in UNCOUNTED and not low.isdigit()


def vowel(word: str) -> bool:
    """Whether `an` stands before it; abbreviations are spelled out."""
    if word.isupper() and len(word) > 1:
        return word[0] in "AEFHILMNORSX"
    return word[0].lower() in "aeio" or (
        word[0].lower() == "u" and not word.lower().startswith(("uni", "use", "us"))
    )
