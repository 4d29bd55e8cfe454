"""Changes one value in a JSON text and leaves every other character as written.

Pure. The text must be JSON; what is put in is written like its neighbours: on a line
of its own with their indentation, or on the same line.
"""

from __future__ import annotations

import json
import re

from policies.jsontext import scan
from policies.positions import Path, Place

_NEW_LINE = re.compile(r"\r?\n[ \t]*$")
_DEFAULT_INDENT = "  "


class NotEditable(Exception):
    """The text is no JSON, or lacks what should be changed; the reason for people."""


class Spliced:
    """A text that takes changes one after another."""

    def __init__(self, text: str) -> None:
        self._read(text)

    def _read(self, text: str) -> None:
        scanned = scan(text)
        if problems := scanned.problems():
            first = problems[0]
            raise NotEditable(
                f"line {first.line}, column {first.column}: {first.message}"
            )
        self.text, self.data, self._places = text, scanned.data, scanned.places

    def get(self, path: Path) -> object:
        """The value there, None where there is none."""
        value = self.data
        for step in path:
            try:
                value = value[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def has(self, path: Path) -> bool:
        return path in self._places

    def source(self, path: Path) -> str:
        """The value there as it is written."""
        place = self._places[path]
        return self.text[place.start : place.end]

    def put(self, path: Path, value: object) -> None:
        """Replaces the value there, or adds the member at the end of its object."""
        self.put_source(path, json.dumps(value, ensure_ascii=False))

    def put_source(self, path: Path, written: str) -> None:
        """As `put`, with the value as JSON text."""
        if place := self._places.get(path):
            self._replace(place.start, place.end, written)
        else:
            self._add(path[:-1], f"{_quoted(str(path[-1]))}: {written}")

    def append(self, path: Path, value: object) -> None:
        """Adds an element at the end of the list there."""
        self._add(path, json.dumps(value, ensure_ascii=False))

    def remove(self, path: Path) -> None:
        """Takes a member or an element out, with its comma and its line."""
        place, siblings = self._places[path], self._children(path[:-1])
        at = siblings.index(place)
        if at + 1 < len(siblings):
            self._replace(place.key, siblings[at + 1].key, "")
        elif at > 0:
            self._replace(siblings[at - 1].end, place.end, "")
        else:
            outer = self._places[path[:-1]]
            self._replace(outer.start + 1, outer.end - 1, "")

    def _add(self, path: Path, written: str) -> None:
        outer, siblings = self._places[path], self._children(path)
        if siblings:
            last = siblings[-1]
            self._replace(last.end, last.end, f",{self._between(last, outer)}{written}")
            return
        own = self._indent_before(outer.key)
        # A tool's entry stays on its line; what holds the entries does not.
        if own is not None and len(path) < 2:
            end = "\r\n" if "\r\n" in self.text else "\n"
            written = f"{end}{own}{self._step()}{written}{end}{own}"
        self._replace(outer.start + 1, outer.end - 1, written)

    def _between(self, last: Place, outer: Place) -> str:
        """What stands before the last member, so that a new one follows alike."""
        before = self.text[outer.start + 1 : last.key]
        new_line = _NEW_LINE.search(before)
        return new_line.group() if new_line else " "

    def _children(self, path: Path) -> list[Place]:
        depth = len(path) + 1
        return sorted(
            (
                place
                for inner, place in self._places.items()
                if len(inner) == depth and inner[:-1] == path
            ),
            key=lambda place: place.key,
        )

    def _indent_before(self, at: int) -> str | None:
        """The indentation of the line that begins at `at`; None within a line."""
        line = self.text[self.text.rfind("\n", 0, at) + 1 : at]
        if "\n" not in self.text:
            return None
        return line if not line.strip(" \t") else None

    def _step(self) -> str:
        """One level of indentation: that of the outermost members."""
        for place in self._children(()):
            if indent := self._indent_before(place.key):
                return indent
        return _DEFAULT_INDENT

    def _replace(self, start: int, end: int, written: str) -> None:
        self._read(self.text[:start] + written + self.text[end:])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
