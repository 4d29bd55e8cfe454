"""Where a JSON Pointer is in a text: lines for people, pointers for machines. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from policies.jsontext import scan
from policies.positions import Path


@dataclass(frozen=True, slots=True)
class Spot:
    """Lines and column count from 1; `last_line` is where the value ends."""

    line: int
    column: int
    last_line: int


class Spots:
    """Finds pointers in one text; where it is no JSON, those before the error."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        scanned = scan(text)
        self._data, self._places = scanned.data, scanned.places
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def find(self, pointer: str) -> Spot | None:
        """None where the text has no such place (any more)."""
        place = self._places.get(self._walk(pointer)[0])
        if place is None or not pointer.startswith("/"):
            return None
        line = bisect_right(self._starts, place.key)
        last = bisect_right(self._starts, place.end - 1)
        return Spot(line, place.key - self._starts[line - 1] + 1, last)

    def value(self, pointer: str) -> object:
        """What stands there, None where nothing does."""
        return self._walk(pointer)[1]

    def line(self, number: int) -> str:
        return self.lines[number - 1].strip() if number <= len(self.lines) else ""

    def _walk(self, pointer: str) -> tuple[Path, object]:
        value, path = self._data, list[str | int]()
        for written in pointer.split("/")[1:]:
            step: str | int = written.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and written.isdecimal():
                step = int(written)
            try:
                value = value[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                value = None
            path.append(step)
        return tuple(path), value
