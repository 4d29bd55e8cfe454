"""What is unusual about a call, beside earlier calls of the same grant and tool.

Compared are the newest calls of thirty days that were allowed and whose arguments are
kept whole. Elements of a list are one argument together. Numbers are exact decimals.

    much      ten times the usual amount: the median of the earlier ones
    new       a value that no earlier call had
    added     an argument that no earlier call had
    left out  an argument that every earlier call had
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Context, Decimal
from statistics import median_low
from typing import Literal, NamedTuple
from uuid import UUID

from django.db import connection

from policies.positions import pointer_of

SINCE = timedelta(days=30)
# Calls of the grant that are looked through, and those of the tool that are compared.
MOST_LOOKED_THROUGH, MOST_COMPARED = 20_000, 200
# Values of one call; a call has at most 1 MiB of arguments.
MOST_VALUES = 2_000
TIMES = 10
# Fewer are no habit.
FEWEST = 3
MOST_USUAL = 3

Kind = Literal["much", "new", "added", "left out"]
Scalar = tuple[str, object]
# Amounts of any size are compared; none raises.
EXACT = Context(prec=40, traps=[])

# Raw, as the ORM cannot filter what is left after a LIMIT; the organization is its
# first condition. Argument texts of other tools are never read from their own pages.
EARLIER = """
SELECT arguments FROM (
    SELECT method, name, decision, arguments FROM audit_record
    WHERE organization_id = %s AND grant_id = %s AND time >= %s AND time < %s
    ORDER BY time DESC LIMIT %s
) AS latest
WHERE method = %s AND name = %s AND decision = 'allow' AND arguments IS NOT NULL
LIMIT %s
"""


class Subject(NamedTuple):
    """The call that is looked at: whose it is, and when it was made."""

    organization_id: UUID
    grant_id: UUID
    method: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """`pointer` (RFC 6901) is where in the arguments; `value` JSON text of what is
    there; `usual` that of what earlier calls had, with how often. `varies`: the
    argument differs in most calls, so that a new value says little."""

    kind: Kind
    pointer: str
    value: str = ""
    times: str = ""
    usual: Sequence[tuple[str, int]] = ()
    varies: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """`calls` is how many earlier ones there were; `partly`: not all values of a call
    were looked at, as it had too many."""

    calls: int
    findings: Sequence[Finding] = ()
    partly: bool = False

    @property
    def striking(self) -> list[Finding]:
        return [each for each in self.findings if not each.varies]

    @property
    def varying(self) -> list[Finding]:
        return [each for each in self.findings if each.varies]


def earlier(subject: Subject) -> list[str]:
    """Arguments of earlier calls, newest first: JSON texts."""
    with connection.cursor() as cursor:
        cursor.execute(
            EARLIER,
            [
                *(subject.organization_id, subject.grant_id),
                *(subject.at - SINCE, subject.at, MOST_LOOKED_THROUGH),
                *(subject.method, subject.name, MOST_COMPARED),
            ],
        )
        return [text for (text,) in cursor.fetchall()]


def compare(arguments: str, before: Iterable[str]) -> Compared:
    """Pure. All are JSON texts of objects."""
    history = _History()
    for text in before:
        history.add(text)
    found = _read(arguments)
    if history.calls < FEWEST:
        return Compared(history.calls)
    findings = [*_of_values(found, history), *_left_out(found, history)]
    order: list[Kind] = ["much", "added", "new", "left out"]
    findings.sort(key=lambda each: (each.varies, order.index(each.kind)))
    return Compared(history.calls, findings, found.cut or history.cut)


# Reading


class _Value(NamedTuple):
    """`argument` is the pointer with `*` for every index: where values are alike."""

    argument: str
    pointer: str
    scalar: Scalar


@dataclass(slots=True)
class _Values:
    values: list[_Value]
    cut: bool


@dataclass(slots=True)
class _History:
    calls: int = 0
    cut: bool = False
    # How often each value stood in each argument, and in how many calls it was given.
    values: dict[str, Counter[Scalar]] = field(default_factory=dict)
    given: Counter[str] = field(default_factory=Counter)

    def add(self, text: str) -> None:
        read = _read(text)
        self.calls += 1
        self.cut |= read.cut
        for value in read.values:
            self.values.setdefault(value.argument, Counter())[value.scalar] += 1
        self.given.update({value.argument for value in read.values})

    def varies(self, argument: str) -> bool:
        counted = self.values[argument]
        return len(counted) * 2 > counted.total()


def _read(text: str) -> _Values:
    # Decimals throughout: no digit is lost, and no literal is too long.
    data = json.loads(text, parse_int=Decimal, parse_float=Decimal)
    values: list[_Value] = []
    for value in _values(data, (), ()):
        if len(values) == MOST_VALUES:
            return _Values(values, cut=True)
        values.append(value)
    return _Values(values, cut=False)


Steps = tuple[str | int, ...]


def _values(data: object, path: Steps, argument: Steps) -> Iterator[_Value]:
    if isinstance(data, dict) and data:
        for key, inner in data.items():
            yield from _values(inner, (*path, key), (*argument, key))
    elif isinstance(data, list) and data:
        for index, inner in enumerate(data):
            yield from _values(inner, (*path, index), (*argument, "*"))
    elif path:
        yield _Value(pointer_of(argument), pointer_of(path), _scalar(data))


def _scalar(data: object) -> Scalar:
    """With its type: `true` is not 1, and an empty list no empty object."""
    if isinstance(data, dict | list):
        return type(data).__name__, None
    return type(data).__name__, data


# Comparing


def _of_values(found: _Values, history: _History) -> Iterator[Finding]:
    told: set[tuple[str, Scalar]] = set()
    for value in found.values:
        same = (value.argument, value.scalar)
        if same not in told and (finding := _of_value(value, history)):
            told.add(same)
            yield finding


def _of_value(value: _Value, history: _History) -> Finding | None:
    argument, written = value.argument, _written(value.scalar)
    known = history.values.get(argument)
    if known is None:
        return Finding("added", value.pointer, written)
    if much := _much(value.scalar, known):
        times, usual = much
        return Finding("much", value.pointer, written, times, [(usual, 0)])
    if value.scalar in known:
        return None
    usual_values = [(_written(each), n) for each, n in known.most_common(MOST_USUAL)]
    varies = history.varies(argument)
    return Finding("new", value.pointer, written, "", usual_values, varies)


def _much(scalar: Scalar, known: Counter[Scalar]) -> tuple[str, str] | None:
    """How many times the usual amount this is, and that amount; None below TIMES."""
    amount = scalar[1]
    amounts = [each for _, each in known.elements() if isinstance(each, Decimal)]
    if not isinstance(amount, Decimal) or len(amounts) < FEWEST:
        return None
    usual = median_low(amounts)
    size, usual_size = amount.copy_abs(), usual.copy_abs()
    if not usual or size < EXACT.multiply(usual_size, Decimal(TIMES)):
        return None
    times = EXACT.divide_int(size, usual_size)
    told = f"{times:f}" if times.is_finite() and times < 10**15 else "very many"
    return told, _written(("Decimal", usual))


def _left_out(found: _Values, history: _History) -> Iterator[Finding]:
    if found.cut:
        return
    here = {value.argument for value in found.values}
    for argument, calls in history.given.items():
        if calls == history.calls and argument not in here:
            common = history.values[argument].most_common(MOST_USUAL)
            usual = [(_written(each), n) for each, n in common]
            yield Finding("left out", argument, usual=usual)


def _written(scalar: Scalar) -> str:
    kind, value = scalar
    if isinstance(value, Decimal):
        return str(value)
    if value is None:
        return {"dict": "{}", "list": "[]"}.get(kind, "null")
    return json.dumps(value, ensure_ascii=False)
