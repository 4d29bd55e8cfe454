"""The rows by which a person says which calls are like the one that is shown.

It begins as equality on every argument. A row may let its argument be one of a list of
values, at most a number, or anything; a list or object may be anything as a whole. What
is posted never says which rows there are: the call does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from approvals.waiving import MOST_VALUES
from policies.numbers import exact, exact_literal, is_number
from policies.positions import Path, pointer_of

# Beyond them the form only offers equality: nobody reads so many rows.
MOST_ROWS = 60
SHOWN_VALUE = 80
# Longer texts are no choice of a list.
LONGEST_VALUE = 500
KINDS = {"is": "exactly this", "in": "one of", "max": "at most", "any": "anything"}
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
ONLY_WHOLE = ("is", "any")

Posted = Mapping[str, str]
Predicate = dict[str, dict[str, Any]]


@dataclass(slots=True)
class Row:
    """`value` is JSON text for people, cut where `cut`; `text` what stands in the field
    beside the choice."""

    index: int
    path: Path
    data: Any
    choices: tuple[str, ...]
    kind: str = "is"
    text: str = ""
    error: str = ""

    @property
    def pointer(self) -> str:
        return pointer_of(self.path)

    @property
    def label(self) -> str:
        """As people write it: `lines[0].price`."""
        steps = (f"[{s}]" if isinstance(s, int) else f".{s}" for s in self.path)
        return "".join(steps).removeprefix(".")

    @property
    def whole(self) -> bool:
        """A list or object with rows of its own below."""
        return isinstance(self.data, dict | list) and bool(self.data)

    @property
    def value(self) -> str:
        if self.whole:
            word = "values" if isinstance(self.data, list) else "members"
            return f"{len(self.data)} {word}, each as below"
        if is_number(self.data):
            return str(self.data)
        return _cut(json.dumps(self.data, ensure_ascii=False))

    @property
    def options(self) -> list[tuple[str, str]]:
        words = KINDS | ({"is": "as below"} if self.whole else {})
        return [(kind, words[kind]) for kind in self.choices]

    @property
    def takes_text(self) -> bool:
        return len(self.choices) > len(ONLY_WHOLE)


class Likeness:
    """The rows of one call's arguments, as waiving.decoded; with what was posted."""

    def __init__(self, arguments: Any, posted: Posted | None = None) -> None:
        rows = list(_rows(arguments, ()))
        self.too_many = len(rows) > MOST_ROWS
        self.rows = [] if self.too_many else rows
        self._every = rows
        for index, row in enumerate(self.rows):
            row.index = index
            if posted is not None:
                _fill(row, posted)

    def predicate(self) -> Predicate | None:
        """In the shape of Waiver.arguments; None where a row has an error."""
        found: Predicate = {}
        anything: list[str] = []
        for row in self._every:
            if any(row.pointer.startswith(f"{above}/") for above in anything):
                continue
            if row.kind == "any":
                anything.append(row.pointer)
            test = _test(row)
            row.error = row.error or _unsayable(row)
            if test is not None:
                found[row.pointer] = test
        return None if any(row.error for row in self._every) else found


def _rows(value: Any, path: Path) -> Iterator[Row]:
    if isinstance(value, dict | list) and value:
        if path:
            yield Row(0, path, value, ONLY_WHOLE)
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for step, each in inner:
            yield from _rows(each, (*path, step))
    else:
        if is_number(value) and (number := exact(value)) is not None:
            value = number
        yield Row(0, path, value, _choices(value), text=_written(value))


def _choices(value: Any) -> tuple[str, ...]:
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return ONLY_WHOLE
    if isinstance(value, str):
        # Values stand one a line, so one that has lines cannot be among them.
        listable = len(value) <= LONGEST_VALUE and len(value.splitlines()) < 2
        return ("is", "in", "any") if listable else ONLY_WHOLE
    return ("is", "in", "max", "any") if exact(value) is not None else ONLY_WHOLE


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value) if is_number(value) else ""


def _fill(row: Row, posted: Posted) -> None:
    kind = posted.get(f"kind-{row.index}", "is")
    row.kind = kind if kind in row.choices else "is"
    row.text = posted.get(f"value-{row.index}", row.text)


def _test(row: Row) -> dict[str, Any] | None:
    """None for a list or object whose own rows say it, and where the text is wrong."""
    if row.kind == "any":
        return {"any": True}
    if row.kind == "is":
        return None if row.whole else {"is": row.data}
    values = [line.strip() for line in row.text.splitlines() if line.strip()]
    numeric = not isinstance(row.data, str)
    if row.kind == "max":
        return _most(row, values)
    read = [_number(text) for text in values] if numeric else values
    if not values or None in read:
        row.error = "Write numbers, one a line." if numeric else "Write a value a line."
    elif len(values) > MOST_VALUES:
        row.error = f"At most {MOST_VALUES} values."
    elif row.data not in read:
        row.error = "The value of this call must be among them."
    return None if row.error else {"in": read}


def _unsayable(row: Row) -> str:
    """What nothing could ever be compared with, or the database would not keep."""
    if row.kind == "is" and is_number(row.data) and exact(row.data) is None:
        return "This number has too many digits to compare: let it be anything."
    if "\0" in row.pointer or (row.kind == "is" and "\0" in str(row.data)):
        return "This holds a NUL character: let it, or what it is in, be anything."
    return ""


def _most(row: Row, values: list[str]) -> dict[str, Any] | None:
    most = _number(values[0]) if len(values) == 1 else None
    if most is None:
        row.error = "Write one number."
    elif row.data > most:
        row.error = "This call has more than that."
    return None if row.error else {"max": most}


def _number(text: str) -> int | float | None:
    """None for what is no number of JSON, or one that a double would change."""
    if not NUMBER.fullmatch(text) or len(text) > 40 or exact_literal(text) is None:
        return None
    return int(text) if text.lstrip("-").isdecimal() else float(text)


def _cut(text: str) -> str:
    if len(text) <= SHOWN_VALUE:
        return text
    return f"{text[:SHOWN_VALUE]}… ({len(text):,} characters)"
