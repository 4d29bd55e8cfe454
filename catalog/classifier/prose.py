"""A description as the classifier reads it: its opening, first sentence and stems."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from catalog.classifier.words import listed, of_name, of_text, stem

LONGEST_LEAD = 400
MOST_STEMS = 1_500
_MARKUP = re.compile(r"[#*`>\[\]]+")
_END = re.compile(r"[.!?;]\s|\n\s*\n|\n\s*-|\n\s*[A-Z#*]")
# What a description is headed with: "Notion | ", "Amazon SNS: ".
_HEADING = re.compile(
    r"\W{0,9}(?:(?:[\w-]{1,30} ){0,3}[\w-]{1,30}(?: ?[|\u2013\u2014]| -)"
    r"|(?:[A-Z][\w-]{0,29} ){0,3}[A-Z][\w-]{0,29} ?:)\s"
)
_NOT = re.compile(r"n['\u2019]t\b")

# Words that carry no meaning here. Those of `PREAMBLE` also come before what a tool
# does: "This tool allows you to ...".
STOP = listed(
    "a an the of in on at by for from with and or as is are be been "
    "was were it its this that these those to into via per than then "
    "so such any all each both either other another more most one "
    "two same own your you we our their them they he she his her i "
    "me my us has have had do does did can could may might must "
    "shall should will would if when while where which who what how "
    "there here also only just very too e g etc s t re ve ll d m"
)
PREAMBLE = STOP | listed(
    "tool tools use used using useful useable useables function "
    "method command endpoint operation action api mcp allow allows "
    "allowing let lets enable enables enabling help helps ability "
    "able capability utility interface wrapper purpose please simply "
    "quickly easily efficiently safely directly automatically "
    "optionally securely aws amazon google azure important note "
    "deprecated experimental beta preview new"
)
# The words after these say what does not happen, or what happens elsewhere.
NEGATIONS = listed(
    "non not never without cannot no nor neither except instead rather "
    "unlike before after once until unless avoid prevent prevents "
    "avoids"
)
NEGATED = 2
_NO_ADVERBS = listed("apply reply supply multiply comply fly rely assembly only")

# Names of things among the words: in quotes, or put together of several words.
_NAMED = re.compile(
    r"['\"`\u2018\u201c]([A-Za-z][\w.-]{1,39})['\"`\u2019\u201d]"
    r"|(?<![\w-])([A-Za-z]\w{0,19}(?:[-_]\w{1,20}){1,5})(?![\w-])"
)
MOST_NAMED = 60
# A line of a docstring that speaks of one argument: "name (str): what it is".
_NOTE = re.compile(
    r"^[ \t]{0,24}[-*]?[ \t]?[`*]{0,3}(\w{1,60})[`*]{0,3}[ \t]?"
    r"(?:\([^()\n]{0,80}\))?[ \t]?:[ \t]?(\S.{0,400})$",
    re.M,
)


def named(text: str) -> set[str]:
    """Identifiers that a text names, as words: `start-query` is "start query"."""
    found = set()
    for match in _NAMED.finditer(text):
        found.add(" ".join(of_name(match[1] or match[2])))
        if len(found) >= MOST_NAMED:
            break
    return found - {""}


def notes(text: str) -> dict[str, str]:
    """What a description says of single arguments, by their names."""
    found: dict[str, str] = {}
    for match in _NOTE.finditer(text):
        found.setdefault(match[1], match[2])
    return found


class Prose:
    """`text` is read in lower case; words of a denial are no stems."""

    def __init__(self, text: str) -> None:
        self.text = _NOT.sub(" not", text.lower()) if text else ""
        self._written = text

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(_told(self.text, MOST_STEMS))

    @cached_property
    def lead(self) -> frozenset[str]:
        return frozenset(_told(self._first, MOST_STEMS))

    @cached_property
    def opening(self) -> str:
        words = of_text(self._first)
        return next((stem(word) for word in words if _tells(word)), "")

    @cached_property
    def _first(self) -> str:
        """The first sentence in lower case, without marks."""
        start = _MARKUP.sub(" ", self._written[: LONGEST_LEAD * 2]).strip()
        heading = _HEADING.match(start)
        start = start[heading.end() :].strip() if heading else start
        end = _END.search(start, 12)
        lead = start[: end.start()] if end else start
        return _NOT.sub(" not", lead[:LONGEST_LEAD].lower())


def _tells(word: str) -> bool:
    """Adverbs do not: "Permanently deletes ..."."""
    if word in PREAMBLE or word.isdigit():
        return False
    return not word.endswith("ly") or word in _NO_ADVERBS


def _told(text: str, most: int) -> set[str]:
    found: set[str] = set()
    denied = 0
    for word in of_text(text):
        told = _meaning(word)
        if told is None:
            denied = NEGATED
        elif not told:
            continue
        elif denied:
            denied -= 1
        else:
            found.add(told)
            if len(found) >= most:
                break
    return found


@lru_cache(maxsize=20_000)
def _meaning(word: str) -> str | None:
    """Its stem; None for a word that denies, "" for one that says nothing."""
    if word in NEGATIONS:
        return None
    return "" if word in STOP or word.isdigit() else stem(word)
