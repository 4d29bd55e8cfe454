"""A strict reader of JSON text that keeps the place of every value.

The fast parsers give no positions, and a document is read when it is saved, not
on a call. Refused at their place, and reading goes on: duplicate keys (also
when written with different escapes; the first one counts), numbers that a
double would change, lone surrogates, more than 64 levels. Anything that is no
JSON ends the reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]

from policies.numbers import SAFE, SURE_LENGTH, exact_literal
from policies.positions import Path, Place, Problem, Report, make

MOST_LEVELS = 64

_SPACE = re.compile(r"[ \t\n\r]*")
# What stands behind a member or an element: more of them, or the end.
_MORE_MEMBERS = re.compile(r"[ \t\n\r]*(?:(,)[ \t\n\r]*|})")
_MORE_ELEMENTS = re.compile(r"[ \t\n\r]*(?:(,)[ \t\n\r]*|])")
_COLON = re.compile(r"[ \t\n\r]*:[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotJson(Exception):
    def __init__(self, offset: int, path: Path, message: str) -> None:
        self.offset, self.path, self.message = offset, path, message
        super().__init__(message)


@dataclass
class Scan:
    """`data` is None where `broken`: the text is no JSON."""

    data: object
    places: dict[Path, Place]
    report: Report
    broken: bool = False

    def problems(self) -> tuple[Problem, ...]:
        return self.report.problems()


def scan(text: str, most_levels: int = MOST_LEVELS) -> Scan:
    reader = _Reader(text, most_levels)
    scanned = Scan(None, reader.places, reader.report)
    try:
        scanned.data, end = reader.value(reader.skip(0), (), -1)
        if reader.skip(end) != len(text):
            raise NotJson(reader.skip(end), (), "more text after the document")
    except NotJson as error:
        scanned.report.at_offset(error.offset, error.path, error.message)
        scanned.broken = True
    return scanned


@dataclass
class _Reader:
    text: str
    most_levels: int
    places: dict[Path, Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.report = Report(self.text, self.places)

    def skip(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def value(self, at: int, path: Path, key_at: int) -> tuple[object, int]:
        """The value that starts at `at`, and the offset behind it."""
        if len(path) > self.most_levels:
            raise NotJson(at, path, f"more than {self.most_levels} levels")
        value: object
        start = self.text[at : at + 1]
        if start == '"':
            value, end = self.string(at, path)
        elif start == "{":
            value, end = self.members(at, path)
        elif start == "[":
            value, end = self.elements(at, path)
        else:
            value, end = self.scalar(at, path)
        self.places[path] = make(Place, (at if key_at < 0 else key_at, at, end))
        return value, end

    def members(self, at: int, path: Path) -> tuple[object, int]:
        members: dict[str, object] = {}
        at = self.skip(at + 1)
        if self.text.startswith("}", at):
            return members, at + 1
        while True:
            end = self.member(at, path, members)
            more = _MORE_MEMBERS.match(self.text, end)
            if more is None:
                raise NotJson(self.skip(end), path, "expected a comma or a }")
            at = more.end()
            if more[1] is None:
                return members, at

    def member(self, at: int, path: Path, members: dict[str, object]) -> int:
        if not self.text.startswith('"', at):
            raise NotJson(at, path, "expected a key in double quotes")
        key, end = self.string(at, path)
        inner = (*path, key)
        colon = _COLON.match(self.text, end)
        if colon is None:
            raise NotJson(self.skip(end), inner, "expected a colon")
        if key not in members:
            members[key], end = self.value(colon.end(), inner, at)
            return end
        self.report.at_offset(at, inner, f"duplicate key {key!r}")
        kept, self.places = self.places, {}
        _, end = self.value(colon.end(), inner, at)
        self.places = kept
        return end

    def elements(self, at: int, path: Path) -> tuple[object, int]:
        elements: list[object] = []
        at = self.skip(at + 1)
        if self.text.startswith("]", at):
            return elements, at + 1
        while True:
            value, end = self.value(at, (*path, len(elements)), -1)
            elements.append(value)
            more = _MORE_ELEMENTS.match(self.text, end)
            if more is None:
                raise NotJson(self.skip(end), path, "expected a comma or a ]")
            at = more.end()
            if more[1] is None:
                return elements, at

    def string(self, at: int, path: Path) -> tuple[str, int]:
        try:
            value, end = scanstring(self.text, at + 1)
        except JSONDecodeError as error:
            raise NotJson(error.pos, path, f"bad string: {error.msg}") from None
        if not value.isascii() and _SURROGATE.search(value):
            self.report.at_offset(at, path, "a string holds half a surrogate pair")
            value = _SURROGATE.sub("\ufffd", value)
        return value, end

    def scalar(self, at: int, path: Path) -> tuple[object, int]:
        match = _NUMBER.match(self.text, at)
        if match is not None:
            return self.number(match.group(), at, path), match.end()
        for word, value in _WORDS.items():
            if self.text.startswith(word, at):
                return value, at + len(word)
        shown = self.text[at : at + 10]
        message = f"expected a value, not {shown!r}" if shown else "the text ends"
        raise NotJson(at, path, message)

    def number(self, literal: str, at: int, path: Path) -> object:
        if len(literal) < SURE_LENGTH and literal.isdigit():
            return int(literal)
        double = exact_literal(literal)
        if double is None:
            message = f"{literal[:60]} is not exact: a double would change it"
            self.report.at_offset(at, path, message)
            return 0
        # Integers past 2^53 have no RFC 8785 form of their own but the double's.
        if literal.lstrip("-").isdigit() and abs(double) < SAFE:
            return int(double)
        return double
