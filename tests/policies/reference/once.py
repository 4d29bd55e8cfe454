"""What is asked again and again of one and the same object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Once:
    """A function of one object, which nobody changes, asked once for each.

    The object is kept along: an id is another's as soon as its object is gone.
    """

    def __init__(self, ask: Callable[[Any], Any]) -> None:
        self.ask = ask
        self.kept: dict[int, tuple[Any, Any]] = {}

    def __call__(self, thing: Any) -> Any:
        kept = self.kept.get(id(thing))
        if kept is None:
            kept = self.kept[id(thing)] = thing, self.ask(thing)
        return kept[1]
