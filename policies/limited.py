"""Limits made ready: a call's use of one is a lookup where nothing is summed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from policies.amounts import by_reader, sum_reader
from policies.decision import Use, make
from policies.numbers import MILLION
from policies.reading import Reading

WINDOWS = {"minute": 60, "hour": 3600, "day": 86_400, "month": 2_592_000}
LONGEST_WINDOW = WINDOWS["month"]
LARGEST_MAX = 9 * 10**9

RATE_TEXT = re.compile(rf"([0-9]{{1,10}})/({'|'.join(WINDOWS)})")

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Limit:
    """`still` is the use of a call where neither `total` nor `split` is set."""

    still: Use
    total: Callable[[Reading], int] | None = None
    split: Callable[[Reading], bytes] | None = None

    @cached_property
    def fixed(self) -> Use | None:
        """Every call's use, where there is just one."""
        return self.still if self.total is None and self.split is None else None

    @cached_property
    def _before(self) -> tuple[object, ...]:
        return self.still[:5]

    @cached_property
    def _after(self) -> tuple[object, ...]:
        return self.still[7:]

    def use(self, r: Reading) -> Use:
        """Raises BadAmount."""
        if self.fixed is not None:
            return self.fixed
        amount = MILLION if self.total is None else self.total(r)
        by = None if self.split is None else self.split(r)
        return make(Use, (*self._before, amount, by, *self._after))

    def watch(self) -> Limit:
        return replace(self, still=self.still._replace(watched=True))


def compile_limit(data: Data, pointer: str) -> Limit:
    window, summed = data["window"], data.get("sum")
    still = Use(
        rule=pointer,
        counter=data["counter"],
        window=WINDOWS[window] if isinstance(window, str) else int(window),
        scope=data.get("scope", "grant"),
        max=int(Decimal(repr(data["max"])) * MILLION),
        amount=MILLION,
        by=None,
        over=data.get("over", "deny"),
        on_deny=data.get("on_deny"),
        watched=False,
    )
    decimal = data.get("as") == "decimal"
    return Limit(
        still,
        None if summed is None else sum_reader(summed, decimal),
        by_reader(data["by"]) if "by" in data else None,
    )


def rate_limit(data: str | Data) -> Data:
    """Both forms of `rate_limit` as a limit that still lacks its counter."""
    if not isinstance(data, str):
        return data
    match = RATE_TEXT.fullmatch(data)
    if match is None:
        raise ValueError(data)
    return {"max": int(match[1]), "window": match[2]}


def compile_rate(data: str | Data, pointer: str, name: str) -> Limit:
    """`name` is the called tool, or `*` in `all_tools`."""
    return compile_limit({**rate_limit(data), "counter": f"rate:{name}"}, pointer)
