"""Paths: `args.a.b`, `args.list[0]`, `args.list[*].price`, `args["a.b"]`."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

STAR = "[*]"
# The step to every element of a list.
EACH = object()


class BadPath(Exception):
    pass


@cache
def parse_path(text: str) -> list[Any]:
    """The root, then names of members, whole numbers and EACH."""
    root = re.match(r"[a-z]+", text)
    if not root:
        raise BadPath(text)
    steps: list[Any] = [root.group()]
    rest = text[root.end() :]
    while rest:
        step, rest = next_step(rest)
        steps.append(step)
    check_root(steps)
    return steps


def next_step(rest: str) -> tuple[object, str]:
    if rest.startswith(STAR):
        return EACH, rest[len(STAR) :]
    index = re.match(r"\[(0|[1-9][0-9]*)\]", rest)
    if index:
        return int(index.group(1)), rest[index.end() :]
    quoted = re.match(r'\[("(?:[^"\\]|\\.)*")\]', rest)
    if quoted:
        return json.loads(quoted.group(1)), rest[quoted.end() :]
    key = re.match(r'\.([^.\[\]" ]+)', rest)
    if key:
        return key.group(1), rest[key.end() :]
    raise BadPath(rest)


LEAVES = {
    "tool": {"category", "severity", "annotations"},
    "grant": {"label", "tags"},
    "user": {"email", "role"},
    "client": {"name"},
    "time": {"hour", "weekday"},
}


def check_root(steps: list[Any]) -> None:
    root = steps[0]
    if root == "args":
        return
    if root not in LEAVES or len(steps) < 2:
        raise BadPath(str(root))
    if not isinstance(steps[1], str) or steps[1] not in LEAVES[root]:
        raise BadPath(str(steps[1]))
