"""Like calls: which of them a time-limited approval covers, and making one.

`Waiver.arguments` is `{pointer: {"is": value}}`, or `{"in": [values]}`,
`{"max": number}`, `{"any": true}`: an RFC 6901 pointer for every leaf of the call that
was approved (a scalar, or an empty list or object), or for a list or object that is
`any` as a whole. A call is like it if it has the same leaves, none more and none less,
and each is as its pointer says; what is below an `any` may be anything, or nothing
below. Values are equal by JSON type and exact number: `1` and `1.0` are, `1` and `"1"`
are not, and a number that a double would change equals nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jiter

from accounts.models import User
from approvals.models import Approval, Waiver
from approvals.refusing import Refused
from policies.numbers import exact, is_number
from policies.positions import pointer_of

MINUTES = (15, 60)
TOOL = "tools/call"
MOST_VALUES = 100
ALONE = "It needs more than one person, so it is approved call by call."

Predicate = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Wish:
    """`arguments` is what the person made of `equality` of the call."""

    minutes: int
    arguments: Predicate


def equality(arguments: Any) -> dict[str, dict[str, Any]]:
    """What a waiver begins with: every argument as it was."""
    return {pointer: {"is": value} for pointer, value in _leaves(arguments, "")}


def alike(predicate: Predicate, arguments: Any) -> bool:
    """`arguments` as decoded for judging."""
    open_below = [p for p, rule in predicate.items() if "any" in rule]
    left = {pointer for pointer in predicate if pointer not in open_below}
    found = set()
    for pointer, value in _leaves(arguments, ""):
        if any(_below(pointer, above) for above in open_below):
            found |= {above for above in open_below if _below(pointer, above)}
        elif pointer not in left or not _fits(predicate[pointer], value):
            return False
        else:
            found.add(pointer)
    return found == set(predicate)


def check(row: Approval, wish: Wish) -> None:
    """Raises Refused."""
    if row.critical or row.method != TOOL:
        raise Refused("critical", "Critical calls are approved one by one.")
    if any(terms["quorum"] > 1 for terms in row.terms):
        raise Refused("quorum", ALONE)
    if wish.minutes not in MINUTES or not _is_predicate(wish.arguments):
        raise Refused("arguments", "Choose 15 minutes or an hour, and what may differ.")
    if not alike(wish.arguments, decoded(row.arguments)):
        raise Refused("arguments", "It would not cover the call that is shown.")


def make(row: Approval, wish: Wish, by: User, now: datetime) -> Waiver:
    return Waiver.objects.create(
        organization=row.organization,
        approval=row,
        grant_id=row.grant_id,
        tool=row.name,
        fingerprint=row.fingerprint,
        entry_digest=row.entry_digest,
        rules=[each["rule"] for each in row.rules],
        arguments=dict(wish.arguments),
        by=by,
        created_at=now,
        expires_at=now + timedelta(minutes=wish.minutes),
    )


def decoded(arguments: str) -> Any:
    return jiter.from_json(arguments.encode(), float_mode="lossless-float")


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, pointer + pointer_of((key,)))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{pointer}/{index}")
    else:
        yield pointer, value


def _below(pointer: str, above: str) -> bool:
    return pointer == above or pointer.startswith(f"{above}/")


def _fits(rule: Mapping[str, Any], value: Any) -> bool:
    if "is" in rule:
        return _same(rule["is"], value)
    if "in" in rule:
        return any(_same(each, value) for each in rule["in"])
    most, number = exact(rule["max"]), exact(value)
    return most is not None and number is not None and number <= most


def _same(a: Any, b: Any) -> bool:
    if is_number(a) and is_number(b):
        one = exact(a)
        return one is not None and one == exact(b)
    return type(a) is type(b) and a == b


def _is_predicate(predicate: Predicate) -> bool:
    return all(map(_is_rule, predicate.values()))


def _is_rule(rule: Mapping[str, Any]) -> bool:
    if len(rule) != 1:
        return False
    ((word, value),) = rule.items()
    if word == "in":
        return isinstance(value, list) and 0 < len(value) <= MOST_VALUES
    if word == "max":
        return is_number(value) and exact(value) is not None
    return word == "is" or (word == "any" and value is True)
