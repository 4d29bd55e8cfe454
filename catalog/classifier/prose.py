"""A description as the classifier reads it: its opening, first sentence and stems."""

from __future__ import annotations

import re
from functools import cached_property

from catalog.classifier.words import listed, of_text, stem

LONGEST_LEAD = 400
MOST_STEMS = 1_500
_MARKUP = re.compile(r"[#*`>|\[\]]+")
_END = re.compile(r"[.!?;:]\s|\n\s*\n|\n\s*-|\n\s*[A-Z#*]")
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
    "not never without cannot no nor neither except instead rather "
    "unlike before after once until unless avoid prevent prevents "
    "avoids"
)
NEGATED = 2


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
        end = _END.search(start, 12)
        lead = start[: end.start()] if end else start
        return _NOT.sub(" not", lead[:LONGEST_LEAD].lower())


def _tells(word: str) -> bool:
    return word not in PREAMBLE and not word.isdigit()


def _told(text: str, most: int) -> list[str]:
    found: dict[str, None] = {}
    denied = 0
    for word in of_text(text):
        if word in NEGATIONS:
            denied = NEGATED
        elif word in STOP or word.isdigit():
            continue
        elif denied:
            denied -= 1
        else:
            found[stem(word)] = None
        if len(found) >= most:
            break
    return list(found)
