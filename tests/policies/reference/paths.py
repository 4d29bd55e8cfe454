"""Paths: `args.a.b`, `args.list[0]`, `args.list[*].price`, `args["a.b"]`."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from tests.policies.reference.texts import Name

EACH = "[*]"


class BadPath(Exception):
    pass


class Key(Name):
    """A step to a member of an object."""


@cache
def parse_path(text: str) -> list[Any]:
    """The root as a Key, then Keys, whole numbers and EACH."""
    root = re.match(r"[a-z]+", text)
    if not root:
        raise BadPath(text)
    steps: list[Any] = [Key(root.group())]
    rest = text[root.end() :]
    while rest:
        step, rest = next_step(rest)
        steps.append(step)
    check_root(steps)
    return steps


def next_step(rest: str) -> tuple[object, str]:
    if rest.startswith(EACH):
        return EACH, rest[len(EACH) :]
    index = re.match(r"\[(0|[1-9][0-9]*)\]", rest)
    if index:
        return int(index.group(1)), rest[index.end() :]
    quoted = re.match(r'\[("(?:[^"\\]|\\.)*")\]', rest)
    if quoted:
        return Key(json.loads(quoted.group(1))), rest[quoted.end() :]
    key = re.match(r'\.([^.\[\]" ]+)', rest)
    if key:
        return Key(key.group(1)), rest[key.end() :]
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
    if not isinstance(steps[1], Key) or steps[1] not in LEAVES[root]:
        raise BadPath(str(steps[1]))
