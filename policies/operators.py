"""What an operator says of a value that is there: true, false, or unsure (None).

A value whose JSON type is none of the rule's is unsure, as is a number that a
double would change.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

import re2

from policies.numbers import DECIMAL_STRING, DIGIT_SHARE, SAFE, exact, is_number
from policies.reading import Reading

Truth = bool | None
Test = Callable[[object, Reading], Truth]

# RE2 costs up to a step for each instruction and byte where it cannot keep its
# states; programs up to this size may use the whole bound of text.
PROGRAM = 32
# Strings and numbers shorter than this are read as decimals for free.
SHORT = 64


def equal(value: object) -> Test:
    if type(value) is str or type(value) is bool:
        kind = type(value)
        return lambda v, r: v == value if type(v) is kind else None

    def test(v: object, r: Reading) -> Truth:
        number = _number(v, r)
        return None if number is None else number == value

    return test


def one_of(values: list[Any]) -> Test:
    """`values` may mix types: a value of none of them is unsure."""
    strings = frozenset(v for v in values if type(v) is str)
    booleans = frozenset(v for v in values if type(v) is bool)
    numbers = frozenset(v for v in values if is_number(v))

    def test(v: object, r: Reading) -> Truth:
        kind = type(v)
        if kind is str:
            return v in strings if strings else None
        if kind is bool:
            return v in booleans if booleans else None
        number = _number(v, r) if numbers else None
        return None if number is None else number in numbers

    return test


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lt,
    "lte": le,
    "gt": gt,
    "gte": ge,
}


def ordered(op: str, value: Any) -> Test:
    compare = _ORDER[op]
    if type(value) is str:
        return lambda v, r: compare(v, value) if type(v) is str else None

    def test(v: object, r: Reading) -> Truth:
        number = _number(v, r)
        return None if number is None else compare(number, value)

    return test


def _number(v: object, r: Reading) -> int | float | None:
    kind = type(v)
    if kind is int and -SAFE <= v <= SAFE:  # type: ignore[operator]
        return v  # type: ignore[return-value]
    if kind is not int and kind is not float and is_number(v):
        r.scan(len(bytes(v)) * DIGIT_SHARE)  # type: ignore[call-overload]
    return exact(v)


def negated(test: Test) -> Test:
    def opposite(v: object, r: Reading) -> Truth:
        truth = test(v, r)
        return None if truth is None else not truth

    return opposite


def decimal_equal(value: object) -> Test:
    wanted = to_decimal(value)

    def test(v: object, r: Reading) -> Truth:
        number = _decimal(v, r)
        return None if number is None else number == wanted

    return test


def decimal_one_of(values: list[object]) -> Test:
    wanted = sorted(to_decimal(value) for value in values)

    def test(v: object, r: Reading) -> Truth:
        number = _decimal(v, r)
        if number is None:
            return None
        # Not a set: hashing a decimal of a million digits takes seconds.
        at = bisect_left(wanted, number)
        return at < len(wanted) and wanted[at] == number

    return test


def decimal_ordered(op: str, value: object) -> Test:
    compare, wanted = _ORDER[op], to_decimal(value)

    def test(v: object, r: Reading) -> Truth:
        number = _decimal(v, r)
        return None if number is None else compare(number, wanted)

    return test


def to_decimal(value: object) -> Decimal:
    return Decimal(value if isinstance(value, str) else repr(value))


def _decimal(v: object, r: Reading) -> Decimal | None:
    if type(v) is str:
        if len(v) > SHORT:
            r.scan(len(v) * DIGIT_SHARE)
        return Decimal(v) if DECIMAL_STRING.fullmatch(v) else None
    number = _number(v, r)
    return None if number is None else Decimal(repr(number))


def contains(value: Any) -> Test:
    same = equal(value)

    def test(v: object, r: Reading) -> Truth:
        if type(v) is str and type(value) is str:
            r.scan(len(v))
            return value in v
        return _has_element(v, same, r) if type(v) is list else None

    return test


def _has_element(elements: list[object], same: Test, r: Reading) -> Truth:
    r.count(max(0, len(elements) - 1))
    found: Truth = False
    for element in elements:
        truth = same(element, r)
        if truth:
            return True
        if truth is None:
            found = None
    return found


def starts_with(value: str) -> Test:
    return lambda v, r: v.startswith(value) if type(v) is str else None


def ends_with(value: str) -> Test:
    return lambda v, r: v.endswith(value) if type(v) is str else None


def shorter_than(value: int | float) -> Test:
    return lambda v, r: len(v) < value if type(v) in (str, list, dict) else None  # type: ignore[arg-type]


def longer_than(value: int | float) -> Test:
    return lambda v, r: len(v) > value if type(v) in (str, list, dict) else None  # type: ignore[arg-type]


def compile_regex(pattern: str) -> Any:
    """Raises re2.error."""
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    return re2.compile(pattern, options)


def regex(pattern: str) -> Test:
    compiled = compile_regex(pattern)
    search, share = compiled.search, max(1, compiled.programsize // PROGRAM)

    def test(v: object, r: Reading) -> Truth:
        if type(v) is not str:
            return None
        text = v.encode("utf-8", "surrogatepass")
        r.scan(len(text) * share)
        return search(text) is not None

    return test
