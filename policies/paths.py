"""Paths of conditions and limits.

    path  = "args" step* | "tool.category" | "tool.severity"
          | "tool.annotations" step* | "grant.label" | "grant.tags" element?
          | "user.email" | "user.role" | "client.name"
          | "time.hour" | "time.weekday"
    step  = "." key | "[" JSON string "]" | element
    element = "[" index "]" | "[*]"

A `.key` holds no `. [ ] "` or space; any other key is quoted as a JSON string.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache

ROOTS = {
    "args": (),
    "tool": ("category", "severity", "annotations"),
    "grant": ("label", "tags"),
    "user": ("email", "role"),
    "client": ("name",),
    "time": ("hour", "weekday"),
}

# Each is read when its document is checked and when it is compiled, and most stand
# in it more than once.
MOST_REMEMBERED = 1024
LONGEST_REMEMBERED = 128

_ROOT = re.compile(r'[^.\[\]" ]+')
_STEP = re.compile(
    r'\.(?P<key>[^.\[\]" ]+)'
    r"|\[(?P<index>0|[1-9][0-9]{0,8})\]"
    r"|\[(?P<star>\*)\]"
    r'|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]',
    re.DOTALL,
)


class BadPath(ValueError):
    """What is wrong, as a sentence."""


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    folded: str


@dataclass(frozen=True, slots=True)
class Index:
    at: int


@dataclass(frozen=True, slots=True)
class Star:
    pass


Step = Key | Index | Star


@dataclass(frozen=True, slots=True)
class ArgumentPath:
    """`root` is `args` or two words such as `grant.tags`."""

    text: str
    root: str
    steps: tuple[Step, ...]

    @property
    def starred(self) -> bool:
        return any(isinstance(step, Star) for step in self.steps)


def parse_path(text: str) -> ArgumentPath:
    """Raises BadPath."""
    return _remembered(text) if len(text) <= LONGEST_REMEMBERED else _parsed(text)


def _parsed(text: str) -> ArgumentPath:
    match = _ROOT.match(text)
    if match is None or match.group() not in ROOTS:
        known = ", ".join(ROOTS)
        raise BadPath(f"path {text!r} must start with one of {known}")
    steps = _steps(text, match.end())
    root = match.group()
    if not ROOTS[root]:
        return ArgumentPath(text, root, tuple(steps))
    member = steps[0].name if steps and isinstance(steps[0], Key) else None
    if member not in ROOTS[root]:
        known = " and ".join(f"{root}.{name}" for name in ROOTS[root])
        raise BadPath(f"path {text!r} is unknown: there is {known}")
    rest = tuple(steps[1:])
    if not _may_follow(f"{root}.{member}", rest):
        raise BadPath(f"path {text!r} goes on where {root}.{member} has nothing below")
    return ArgumentPath(text, f"{root}.{member}", rest)


_remembered = lru_cache(MOST_REMEMBERED)(_parsed)


def _may_follow(root: str, rest: tuple[Step, ...]) -> bool:
    if root == "tool.annotations":
        return True
    if root == "grant.tags":
        return not rest or (len(rest) == 1 and not isinstance(rest[0], Key))
    return not rest


def _steps(text: str, at: int) -> list[Step]:
    steps: list[Step] = []
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise BadPath(f"path {text!r} is broken at {text[at : at + 20]!r}")
        steps.append(_step(match, text))
        at = match.end()
    return steps


def _step(match: re.Match[str], text: str) -> Step:
    if match["star"]:
        return Star()
    if match["index"]:
        return Index(int(match["index"]))
    name = match["key"]
    if name is None:
        try:
            name = json.loads(match["quoted"])
        except ValueError:
            raise BadPath(
                f"path {text!r} quotes a key that is no JSON string"
            ) from None
    return Key(name, name.casefold())
