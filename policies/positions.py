"""Where in a text a problem stands, and the list of problems found."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

Path = tuple[str | int, ...]
# A named tuple's constructor is a Python function; a text has thousands of places.
make = tuple.__new__

MOST_PROBLEMS = 100

_LINE_END = re.compile("\n")


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` and `column` count from 1, columns in code points."""

    pointer: str
    line: int
    column: int
    message: str


class Place(NamedTuple):
    """Offsets of a value and, where it is a member, of its key."""

    key: int
    start: int
    end: int


def pointer_of(path: Path) -> str:
    """RFC 6901."""
    return "".join(
        "/" + str(step).replace("~", "~0").replace("/", "~1") for step in path
    )


class Report:
    """Collects problems with offsets; `problems` orders them by position."""

    def __init__(self, text: str, places: Mapping[Path, Place]) -> None:
        self._text = text
        self._places = places
        self._found: list[tuple[int, str, str]] = []

    def at(self, path: Path, message: str) -> None:
        """A problem of the value there."""
        self._found.append((self._place(path).start, pointer_of(path), message))

    def at_key(self, path: Path, message: str) -> None:
        """A problem of the key there."""
        self._found.append((self._place(path).key, pointer_of(path), message))

    def at_offset(self, offset: int, path: Path, message: str) -> None:
        self._found.append((offset, pointer_of(path), message))

    def _place(self, path: Path) -> Place:
        while path not in self._places and path:
            path = path[:-1]
        return self._places.get(path, Place(0, 0, 0))

    def problems(self) -> tuple[Problem, ...]:
        if not self._found:
            return ()
        starts = [0]
        starts.extend(match.end() for match in _LINE_END.finditer(self._text))
        found = []
        for offset, pointer, message in sorted(self._found)[:MOST_PROBLEMS]:
            line = bisect_right(starts, offset)
            column = offset - starts[line - 1] + 1
            found.append(Problem(pointer, line, column, message))
        return tuple(found)
