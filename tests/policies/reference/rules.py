"""Which conditions, rules, limits and tests are refused."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import re2

from tests.policies.reference.conditions import scalar
from tests.policies.reference.exact import Number
from tests.policies.reference.paths import BadPath, parse_path
from tests.policies.reference.shapes import (
    Places,
    a_boolean,
    a_list,
    a_mode,
    a_name,
    a_string,
    an_object,
    anything,
    one_of,
    that,
    whole,
)

QUIET = re2.Options()
QUIET.log_errors = False
COMPARING = ("eq", "neq", "in", "not_in", "lt", "lte", "gt", "gte")
OPERATORS = (
    *COMPARING, "regex", "contains", "exists", "starts_with", "ends_with",
    "len_lt", "len_gt",
)  # fmt: skip
WINDOWS = ("minute", "hour", "day", "month")
ROLES = ("owner", "admin", "policy_manager", "approver", "viewer")
# Silent on the page for `max`: amounts stay below 9*10^15 millionths.
LARGEST_MAX = 9 * 10**9
DECISIONS = ("allow", "deny", "hide", "limit", "require_approval")


def check_require(rule: Any, place: str) -> Places:
    extra = {"on_deny": a_string, "mode": a_mode}
    yield from check_condition(rule, place, extra, match_refused=True)
    if count_conditions(rule) > 20:
        yield place


def check_rule(told: str):
    def checked(rule: Any, place: str) -> Places:
        keys = {
            "name": a_string,
            "conditions": a_list(check_plain_condition),
            told: a_string,
            "mode": a_mode,
        }
        yield from an_object(rule, place, keys, ("conditions",))
        conditions = rule.get("conditions") if isinstance(rule, dict) else None
        if isinstance(conditions, list) and count_all(conditions) > 20:
            yield place

    return checked


def check_plain_condition(condition: Any, place: str) -> Places:
    yield from check_condition(condition, place, {}, match_refused=False)


def count_all(conditions: list[Any]) -> int:
    return sum(count_conditions(condition) for condition in conditions)


def count_conditions(condition: Any) -> int:
    if not isinstance(condition, dict):
        return 1
    for word in ("any", "all"):
        if isinstance(condition.get(word), list):
            return count_all(condition[word])
    return count_conditions(condition["not"]) if "not" in condition else 1


def check_condition(
    condition: Any,
    place: str,
    extra: dict[str, Any],
    match_refused: bool,
    depth: int = 0,
) -> Places:
    if not isinstance(condition, dict):
        yield place
        return
    word = next((word for word in ("any", "all", "not") if word in condition), None)
    if word is None:
        yield from check_leaf(condition, place, extra, match_refused)
        return
    if depth == 4 or condition[word] == []:
        yield place
        return

    def inner(value: Any, where: str) -> Places:
        refused = match_refused or word == "not"
        yield from check_condition(value, where, {}, refused, depth + 1)

    check = inner if word == "not" else a_list(inner)
    yield from an_object(condition, place, {word: check, **extra})


def check_leaf(
    condition: dict[str, Any], place: str, extra: dict[str, Any], match_refused: bool
) -> Places:
    op = condition.get("op")
    keys = {
        "path": check_path,
        "op": one_of(*OPERATORS),
        "value": check_value(op, "as" in condition),
        "if_absent": one_of("match"),
        "as": one_of("decimal"),
        **extra,
    }
    required = ("path", "op") if op == "exists" else ("path", "op", "value")
    yield from an_object(condition, place, keys, required)
    if "if_absent" in condition and match_refused:
        yield place
    if "as" in condition and op not in COMPARING:
        yield place


def check_path(value: Any, place: str) -> Places:
    try:
        if not isinstance(value, str):
            raise BadPath
        parse_path(value)
    except BadPath:
        yield place


def check_value(op: Any, decimal: bool):
    comparable = that(lambda v: isinstance(v, str | bool | Number))
    if decimal and op in COMPARING:
        comparable = that(reads_as_number)
    if op in ("in", "not_in"):
        return a_list(comparable, filled=True)
    if op in ("eq", "neq", "contains") or (decimal and op in COMPARING):
        return comparable
    if op in ("lt", "lte", "gt", "gte") and not decimal:
        return that(lambda v: isinstance(v, str | Number))
    if op in ("len_lt", "len_gt"):
        return that(lambda v: whole(v, 0))
    if op == "exists":
        return a_boolean
    if op == "regex":
        return that(good_regex)
    return a_string if op in OPERATORS else anything


def reads_as_number(value: Any) -> bool:
    """Silent on the page: under `as` the rule's own strings are read alike, and
    what could be equal to no number is refused."""
    got = scalar(value, decimal=True)
    return isinstance(value, Number) or (got is not None and got[0] == "number")


def good_regex(value: Any) -> bool:
    try:
        if not isinstance(value, str) or len(value.encode()) > 1024:
            return False
        re2.compile(value, QUIET)
    except (re2.error, UnicodeEncodeError):
        return False
    return True


def check_approval(approval: Any, place: str) -> Places:
    keys = {
        # Silent on the page: a list of nobody could never approve.
        "approvers": a_list(that(good_approver), filled=True),
        "quorum": that(lambda value: whole(value, 1)),
        "expires_in": that(good_duration),
        "use_within": that(good_duration),
        "self_approval": a_boolean,
        "escalate_to": a_list(that(good_approver)),
    }
    yield from an_object(approval, place, keys)


def good_approver(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if value.startswith("role:"):
        return value.removeprefix("role:") in ROLES
    return re.fullmatch(r"[^@\s]+@[^@\s]+", value) is not None


def good_duration(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", value)
    if not found:
        return False
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return 0 < hours * 3600 + minutes * 60 + seconds <= 24 * 3600


def check_limit(limit: Any, place: str) -> Places:
    keys = {
        "counter": a_name,
        "window": that(lambda v: whole(v, 1, 2_592_000) or one_of_windows(v)),
        "max": that(an_amount),
        "scope": one_of("grant", "session", "server", "organization"),
        "sum": check_argument(each=True),
        "as": one_of("decimal"),
        "by": check_argument(each=False),
        "over": one_of("deny", "require_approval"),
        "on_deny": a_string,
        "mode": a_mode,
    }
    yield from an_object(limit, place, keys, ("counter", "window", "max"))
    if isinstance(limit, dict) and "sum" not in limit:
        if "as" in limit:
            yield place
        if an_amount(limit.get("max")) and not whole(limit["max"], 0):
            yield f"{place}/max"


def an_amount(value: Any) -> bool:
    exact = value.value if isinstance(value, Number) else None
    if exact is None or not 0 <= exact <= LARGEST_MAX:
        return False
    return exact * 10**6 == int(exact * 10**6)


def one_of_windows(value: Any) -> bool:
    return isinstance(value, str) and value in WINDOWS


def check_argument(each: bool):
    """The path of an argument, with or without `[*]`."""

    def checked(value: Any, place: str) -> Places:
        broken = list(check_path(value, place))
        if broken or not value.startswith("args") or ("[*]" in value and not each):
            yield place

    return checked


def check_rate_limit(limit: Any, place: str) -> Places:
    if isinstance(limit, str):
        found = re.fullmatch(r"([0-9]+)/(minute|hour|day|month)", limit)
        if not found or int(found[1]) > LARGEST_MAX:
            yield place
        return
    keys = {
        "max": that(lambda value: whole(value, 0, LARGEST_MAX)),
        "window": that(lambda value: whole(value, 1, 2_592_000)),
    }
    yield from an_object(limit, place, keys, ("max", "window"))


def check_test(test: Any, place: str) -> Places:
    amounts = that(lambda v: an_amount(v) and v.value < LARGEST_MAX)
    keys = {
        "name": a_name,
        "tool": a_string,
        "resource": a_string,
        "prompt": a_string,
        "args": that(lambda value: isinstance(value, dict)),
        "at": that(good_instant),
        "grant": lambda value, where: an_object(
            value, where, {"label": a_string, "tags": a_list(a_string)}
        ),
        "user": lambda value, where: an_object(
            value, where, {"email": a_string, "role": a_string}
        ),
        "client": a_string,
        "definition": that(lambda value: isinstance(value, dict)),
        "used": lambda value, where: an_object(
            value,
            where,
            dict.fromkeys(value if isinstance(value, dict) else (), amounts),
        ),
        "expect": one_of(*DECISIONS),
        "rule": a_string,
    }
    yield from an_object(test, place, keys, ("name", "expect"))
    kinds = ("tool", "resource", "prompt")
    if isinstance(test, dict) and sum(kind in test for kind in kinds) != 1:
        yield place


def good_instant(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo is not None
    except (AttributeError, ValueError):
        return False
