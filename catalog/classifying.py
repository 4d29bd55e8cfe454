"""The classifier as those need it who keep rows: two functions and a version."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from catalog.classifier.facts import BadDefinition, Facts, read
from catalog.classifier.judging import judge
from catalog.classifier.verdicts import Verdict
from catalog.classifier.version import VERSION


class Classifier(NamedTuple):
    """Given by tests where two versions must differ."""

    version: str
    read: Callable[[Mapping[str, Any]], Facts]
    judge: Callable[[Mapping[str, Any]], Verdict]

    def read_text(self, definition: str) -> Facts:
        """Of RFC 8785 text. Raises `BadDefinition`."""
        facts: Facts = storable(self.read(json.loads(definition)))
        return facts


CURRENT = Classifier(VERSION, read, judge)


def storable(value: Any) -> Any:
    """Postgres' JSON takes no NUL, which names of parameters may hold."""
    if isinstance(value, dict):
        return {storable(key): storable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [storable(each) for each in value]
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if _bad(value) else value


def _bad(value: Any) -> bool:
    return isinstance(value, str) and "\0" in value


__all__ = ["CURRENT", "BadDefinition", "Classifier", "Facts", "storable"]
