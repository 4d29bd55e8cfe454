"""Words of names and of sentences, and their stems. Pure, linear, no dictionary.

A stem stands for all inflections of a word (`delete`, `deletes`, `deleted`, `deleting`
are `delet`); it is for comparing, not for showing. Only endings of inflection are taken
off: `deletion` is its own word, which the lexicon lists where it matters.
"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_WORD = 40
_RUN = re.compile(r"[^\W_]+")
# An acronym with a plural s, an acronym before a word, a word, an acronym, a number.
_HUMP = re.compile(
    r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^\WA-Z\d_]+|[A-Z]+|\d+"
)
_VOWEL = re.compile(r"[aeiouy]")
_DOUBLED = re.compile(r"([bdglmnprtz])\1$")
_PLURAL_ES = ("ches", "shes", "sses", "xes", "zzes")
_NO_PLURAL = ("ss", "us", "is", "as")
_NO_PAST = ("eed",)

# Words whose inflection is no ending, and words that only look inflected.
IRREGULAR = {
    "bought": "buy",
    "built": "build",
    "chosen": "choose",
    "done": "do",
    "found": "find",
    "given": "give",
    "gave": "give",
    "got": "get",
    "held": "hold",
    "kept": "keep",
    "made": "make",
    "overwritten": "overwrite",
    "paid": "pay",
    "ran": "run",
    "rebuilt": "rebuild",
    "sent": "send",
    "shown": "show",
    "sold": "sell",
    "spent": "spend",
    "taken": "take",
    "took": "take",
    "undone": "undo",
    "withdrawn": "withdraw",
    "written": "write",
    "wrote": "write",
    "indices": "index",
    "dependencies": "dependency",
    "data": "data",
    "settings": "setting",
    "setting": "setting",
    "string": "string",
    "strings": "string",
    "existing": "existing",
    "following": "following",
    "using": "use",
    "embed": "embed",
    "bed": "bed",
    "red": "red",
    "need": "need",
    "during": "during",
    "news": "news",
    "kubernetes": "kubernetes",
    "aws": "aws",
    "dns": "dns",
    "sms": "sms",
    "always": "always",
    "species": "species",
    "series": "series",
}


def listed(line: str) -> frozenset[str]:
    """The words of a table's line."""
    return frozenset(line.split())


def stemmed(line: str) -> frozenset[str]:
    """Their stems; `credit_note` is the stems of two words in a row."""
    return frozenset(spelled(line))


def spelled(line: str) -> dict[str, str]:
    """The same stems with the words that they came from."""
    words = [word.split("_") for word in reversed(line.split())]
    return {" ".join(stem(part) for part in word): " ".join(word) for word in words}


_WHOLE = frozenset(IRREGULAR.values())
# Words that end in a doubled letter by themselves.
_DOUBLE = frozenset(
    (
        *("add", "bill", "call", "enroll", "fill", "install", "kill", "poll", "pull"),
        *("reinstall", "roll", "scroll", "sell", "spell", "tell", "uninstall"),
    )
)


def of_name(name: str) -> list[str]:
    """`CancelAHORunBatch` and `cancel_aho-run.batch` are cancel, aho, run, batch."""
    return [hump.lower() for run in _RUN.findall(name) for hump in _HUMP.findall(run)]


def of_text(text: str) -> list[str]:
    """Lower-case words; those beyond `LONGEST_WORD` letters are no words."""
    return [word for word in _RUN.findall(text.lower()) if len(word) <= LONGEST_WORD]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Of one lower-case word."""
    word = IRREGULAR.get(word, word)
    if len(word) > 3 and word not in _WHOLE:
        word = _without_ending(word)
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def stems(words: list[str]) -> list[str]:
    return [stem(word) for word in words]


def _without_ending(word: str) -> str:
    if word.endswith(("ies", "ied")):
        return word[:-3] + "y" if len(word) > 4 else word[:-1]
    if word.endswith(_PLURAL_ES):
        return word[:-2]
    if word.endswith("s") and not word.endswith(_NO_PLURAL):
        return word[:-1]
    if word.endswith("ing") and _VOWEL.search(word, 0, len(word) - 3):
        return _single(word[:-3])
    if word.endswith("ed") and not word.endswith(_NO_PAST):
        long_enough = _VOWEL.search(word, 0, len(word) - 2)
        return _single(word[:-2]) if long_enough else word
    return word


def _single(word: str) -> str:
    """`stopp` is stop, `fill` and `add` are themselves."""
    return word if word in _DOUBLE else _DOUBLED.sub(r"\1", word)
