"""Reading what a path names, within the bounds of one call.

Deciding a call reads at most 10,000 values and looks through at most 4 MiB of
text; past that `TooLarge` is raised and the call is denied. A list under `[*]`
counts before it is walked, so the bound holds whatever is in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

from policies.facts import Facts
from policies.paths import ArgumentPath, Index, Key, Star, Step

MOST_VALUES = 10_000
MOST_TEXT = 4 * 1024 * 1024
# A step below a `[*]` takes as long as looking through this much text.
STEP_SHARE = 128
# Objects with more keys are indexed, so that many rules may read one.
FEW_KEYS = 8
# Past this many, a key takes as long to index as looking through so much text.
MANY_KEYS = 1000
KEY_SHARE = 64


class Missing(Enum):
    ABSENT = "absent"
    WRONG = "wrong type"


ABSENT: Final = Missing.ABSENT
WRONG: Final = Missing.WRONG


class TooLarge(Exception):
    """Deciding this call would read more than the bounds allow."""


class Bounds:
    """What is left for one call."""

    __slots__ = ("text", "values")

    def __init__(self) -> None:
        self.values = MOST_VALUES
        self.text = MOST_TEXT

    def count(self, values: int) -> None:
        self.values -= values
        if self.values < 0:
            raise TooLarge

    def scan(self, length: int) -> None:
        self.text -= length
        if self.text < 0:
            raise TooLarge


NONE: dict[str, object] = {}


class Reading(Bounds):
    """One call's arguments and facts, within its bounds."""

    __slots__ = ("args", "clear", "facts", "folds")

    def __init__(self, args: object, facts: Facts) -> None:
        self.args = args
        # The arguments, once it is known that no two of their names fold to one.
        self.clear: dict[str, object] = NONE
        self.facts = facts
        self.values = MOST_VALUES
        self.text = MOST_TEXT
        self.folds: dict[int, Counter[str] | set[str]] = {}

    def has_twin(self, members: dict[str, object], key: Key) -> bool:
        """Another key equal but for case stands in the object."""
        folds = self.folds_of(members)
        if key.folded not in folds:
            return False
        if key.name not in members:
            return True
        return isinstance(folds, Counter) and folds[key.folded] > 1

    def folds_of(self, members: dict[str, object]) -> Counter[str] | set[str]:
        folds = self.folds.get(id(members))
        if folds is None:
            folds = self.folds[id(members)] = self._folded(members)
        return folds

    def _folded(self, members: dict[str, object]) -> Counter[str] | set[str]:
        """Counted only where two keys fold to one, which is rare."""
        if len(members) > MANY_KEYS:
            self.scan(KEY_SHARE * len(members))
        folds = set(map(str.casefold, members))
        if len(folds) == len(members):
            return folds
        return Counter(map(str.casefold, members))


Reader = Callable[[Reading], object]
Roots = dict[str, Callable[[Reading], object]]


def _annotations(r: Reading) -> object:
    return None if r.facts.tool is None else r.facts.tool.annotations


def _category(r: Reading) -> object:
    return None if r.facts.tool is None else r.facts.tool.category


def _severity(r: Reading) -> object:
    return None if r.facts.tool is None else r.facts.tool.severity


def _tags(r: Reading) -> object:
    tags = r.facts.grant_tags
    return None if tags is None else list(tags)


_ROOTS: Roots = {
    "args": lambda r: r.args,
    "tool.annotations": _annotations,
    "tool.category": _category,
    "tool.severity": _severity,
    "grant.label": lambda r: r.facts.grant_label,
    "grant.tags": _tags,
    "user.email": lambda r: r.facts.user_email,
    "user.role": lambda r: r.facts.user_role,
    "client.name": lambda r: r.facts.client_name,
    "time.hour": lambda r: r.facts.at.astimezone(r.facts.zone).hour,
    "time.weekday": lambda r: r.facts.at.astimezone(r.facts.zone).isoweekday(),
}


def one_reader(path: ArgumentPath) -> Reader:
    """Reads the one value of a path without `[*]`: the value, ABSENT or WRONG."""
    root, steps = _ROOTS[path.root], path.steps
    if (key := argument(path)) is not None:
        return _argument_reader(key)

    def read(r: Reading) -> object:
        value, folds = root(r), r.folds
        for step in steps:
            if value is None or value is ABSENT:
                return ABSENT
            if type(value) is dict and type(folds.get(id(value))) is set:
                # As `_take` does: no two keys of a set fold to one, so that a name
                # that is there has no twin.
                inner = value.get(step.name) if type(step) is Key else None
                if inner is not None:
                    value = inner
                    continue
            value = _take(r, value, step)
            if value is WRONG:
                return WRONG
        return ABSENT if value is None else value

    return read


def argument(path: ArgumentPath) -> Key | None:
    """The key of a path that is just the name of an argument, as most are."""
    step = path.steps[0] if len(path.steps) == 1 else None
    return step if path.root == "args" and isinstance(step, Key) else None


def look(r: Reading, key: Key) -> object:
    """An argument that `r.clear` does not hold."""
    args = r.args
    if type(args) is not dict:
        return ABSENT if args is None else WRONG
    value = args.get(key.name)
    folds = r.folds_of(args)
    if type(folds) is set:
        # No two keys fold to one, so a name that is there has no twin.
        r.clear = args
        twin = value is None and key.name not in args and key.folded in folds
    else:
        twin = r.has_twin(args, key)
    if twin:
        return WRONG
    return ABSENT if value is None else value


def _argument_reader(key: Key) -> Reader:
    name = key.name

    def read(r: Reading) -> object:
        value = r.clear.get(name)
        return look(r, key) if value is None else value

    return read


def _take(r: Reading, value: object, step: Step) -> object:
    if type(step) is Key:
        if type(value) is not dict or r.has_twin(value, step):
            return WRONG
        return value.get(step.name, ABSENT)
    if type(value) is not list or type(step) is not Index:
        return WRONG
    return value[step.at] if step.at < len(value) else ABSENT


def _take_once(r: Reading, value: object, step: Step) -> object:
    """`_take` for one of many elements: a small object's keys are not indexed."""
    if type(step) is not Key or type(value) is not dict or len(value) > FEW_KEYS:
        return _take(r, value, step)
    for name in value:
        if name != step.name and name.casefold() == step.folded:
            return WRONG
    return value.get(step.name, ABSENT)


def all_reader(path: ArgumentPath) -> Callable[[Reading], list[object]]:
    """Reads every value under the `[*]`s; an empty list gives one ABSENT."""
    root, steps = _ROOTS[path.root], path.steps

    def read(r: Reading) -> list[object]:
        found: list[object] = []
        _gather(r, root(r), steps, found)
        r.count(len(found))
        return found

    return read


def _gather(
    r: Reading, value: object, steps: Sequence[Step], found: list[object]
) -> None:
    for position, step in enumerate(steps):
        if value is None or value is ABSENT:
            found.append(ABSENT)
            return
        if type(step) is Star:
            _gather_elements(r, value, steps[position + 1 :], found)
            return
        value = _take_once(r, value, step)
        if value is WRONG:
            break
    found.append(ABSENT if value is None else value)


def _gather_elements(
    r: Reading, value: object, steps: Sequence[Step], found: list[object]
) -> None:
    if type(value) is not list:
        found.append(WRONG)
    elif not value:
        found.append(ABSENT)
    elif len(value) + len(found) > r.values:
        raise TooLarge
    elif not steps:
        found.extend(ABSENT if element is None else element for element in value)
    else:
        r.scan(STEP_SHARE * len(value) * len(steps))
        for element in value:
            _gather(r, element, steps, found)
