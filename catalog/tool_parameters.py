"""A tool's parameters as its page shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST = 80
MOST_VALUES, LONGEST_VALUE = 6, 40


@dataclass(frozen=True, slots=True)
class Row:
    path: str
    types: str
    required: bool
    notes: str


def rows(facts: Mapping[str, Any], verdict: Mapping[str, Any]) -> list[Row]:
    """All of them, in the order of the definition."""
    signals: dict[str, list[str]] = {}
    for each in verdict.get("signals", []):
        signals.setdefault(each.get("field", ""), []).append(each.get("why", ""))
    listed = [each for each in facts.get("parameters", []) if isinstance(each, Mapping)]
    return [
        Row(
            str(each.get("path", "")),
            types(each.get("types", [])),
            bool(each.get("required")),
            "; ".join(notes(each, signals.get(f"parameters.{each.get('path')}", []))),
        )
        for each in listed
    ]


def types(given: Sequence[Any]) -> str:
    """`null` says no more than that it may be left out."""
    kept = [str(each) for each in given if each != "null"]
    return " or ".join(kept) or "any"


def notes(parameter: Mapping[str, Any], signals: Sequence[str]) -> Iterator[str]:
    yield from signals
    values = [str(each)[:LONGEST_VALUE] for each in parameter.get("values", [])]
    if values:
        more = len(values) - MOST_VALUES
        said = ", ".join(values[:MOST_VALUES])
        yield f"one of {said} and {more} more" if more > 0 else f"one of {said}"
