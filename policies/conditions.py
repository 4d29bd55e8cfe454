"""Conditions and groups as functions of a reading: true, false, or unsure (None).

Absent answers: `exists` says so; in `require` every other operator is unsure; in
`deny_if` and `approve_if` `neq` and `not_in` are true, the others false unless
`"if_absent": "match"` makes them true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from policies import operators
from policies.operators import Test, Truth
from policies.paths import Key, parse_path
from policies.reading import (
    ABSENT,
    WRONG,
    Reading,
    all_reader,
    argument,
    look,
    one_reader,
)

Condition = Callable[[Reading], Truth]
Data = Mapping[str, Any]

TRUE_WHEN_ABSENT = frozenset({"neq", "not_in"})


def _list_of(test: Callable[[list[Any]], Test]) -> Callable[[Any], Test]:
    return lambda value: test(list(value))


_TESTS: dict[str, Callable[[Any], Test]] = {
    "eq": operators.equal,
    "neq": lambda value: operators.negated(operators.equal(value)),
    "in": _list_of(operators.one_of),
    "not_in": lambda value: operators.negated(operators.one_of(list(value))),
    "lt": lambda value: operators.ordered("lt", value),
    "lte": lambda value: operators.ordered("lte", value),
    "gt": lambda value: operators.ordered("gt", value),
    "gte": lambda value: operators.ordered("gte", value),
    "regex": operators.regex,
    "contains": operators.contains,
    "starts_with": operators.starts_with,
    "ends_with": operators.ends_with,
    "len_lt": operators.shorter_than,
    "len_gt": operators.longer_than,
    "exists": lambda value: lambda v, r: bool(value),
}

_DECIMAL_TESTS: dict[str, Callable[[Any], Test]] = {
    "eq": operators.decimal_equal,
    "neq": lambda value: operators.negated(operators.decimal_equal(value)),
    "in": _list_of(operators.decimal_one_of),
    "not_in": lambda value: operators.negated(operators.decimal_one_of(list(value))),
    "lt": lambda value: operators.decimal_ordered("lt", value),
    "lte": lambda value: operators.decimal_ordered("lte", value),
    "gt": lambda value: operators.decimal_ordered("gt", value),
    "gte": lambda value: operators.decimal_ordered("gte", value),
}

OPERATORS = tuple(_TESTS)
DECIMAL_OPERATORS = frozenset(_DECIMAL_TESTS)


def compile_condition(data: Data, required: bool) -> Condition:
    """`required`: it stands in `require`."""
    if "any" in data:
        return _any([compile_condition(inner, required) for inner in data["any"]])
    if "all" in data:
        return all_of([compile_condition(inner, required) for inner in data["all"]])
    if "not" in data:
        return _not(compile_condition(data["not"], required))
    return _leaf(data, required)


def _any(conditions: Sequence[Condition]) -> Condition:
    def answer(r: Reading) -> Truth:
        truth: Truth = False
        for condition in conditions:
            one = condition(r)
            if one:
                return True
            if one is None:
                truth = None
        return truth

    return answer


def all_of(conditions: Sequence[Condition]) -> Condition:
    def answer(r: Reading) -> Truth:
        truth: Truth = True
        for condition in conditions:
            one = condition(r)
            if one is None:
                truth = None
            elif not one:
                return False
        return truth

    return answer


def _not(condition: Condition) -> Condition:
    def answer(r: Reading) -> Truth:
        truth = condition(r)
        return None if truth is None else not truth

    return answer


def _leaf(data: Data, required: bool) -> Condition:
    path = parse_path(data["path"])
    test, absent = _test(data), _when_absent(data, required)
    if path.starred:
        return _starred(all_reader(path), test, absent)
    if (key := argument(path)) is not None:
        return _of_argument(key, test, absent)
    read = one_reader(path)

    def answer(r: Reading) -> Truth:
        r.values -= 1
        if r.values < 0:
            r.count(0)
        value = read(r)
        if value is ABSENT:
            return absent
        return None if value is WRONG else test(value, r)

    return answer


def _of_argument(key: Key, test: Test, absent: Truth) -> Condition:
    """The leaf that most rules are made of: its reader is written into it."""
    name = key.name

    def answer(r: Reading) -> Truth:
        r.values -= 1
        if r.values < 0:
            r.count(0)
        value = r.clear.get(name)
        if value is None:
            value = look(r, key)
            if value is ABSENT:
                return absent
            if value is WRONG:
                return None
        return test(value, r)

    return answer


def _starred(
    read: Callable[[Reading], list[object]], test: Test, absent: Truth
) -> Condition:
    def one(value: object, r: Reading) -> Truth:
        if value is ABSENT:
            return absent
        return None if value is WRONG else test(value, r)

    def answer(r: Reading) -> Truth:
        values = read(r)
        truth = one(values[0], r)
        if truth is None:
            return None
        same = all(one(value, r) is truth for value in values)
        return truth if same else None

    return answer


def _test(data: Data) -> Test:
    tests = _DECIMAL_TESTS if data.get("as") == "decimal" else _TESTS
    return tests[data["op"]](data.get("value", True))


def _when_absent(data: Data, required: bool) -> Truth:
    op = data["op"]
    if op == "exists":
        return not data.get("value", True)
    if required:
        return None
    return op in TRUE_WHEN_ABSENT or data.get("if_absent") == "match"
