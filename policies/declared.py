"""What a tool's schema says of an argument: declared, and whether required."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from policies.paths import Key, Step

Declared = Literal["required", "optional", "missing"]

# References may lead in circles.
MOST_PARTS = 200


def declared(schema: Mapping[str, Any], steps: Sequence[Step]) -> Declared:
    """`missing` where an object's keys are listed and this one is not among them."""
    places, answer = [dict(schema)], "required"
    for step in steps:
        parts = _together(places, schema)
        if not isinstance(step, Key):
            places = [p["items"] for p in parts if isinstance(p.get("items"), dict)]
            continue
        lists = [p for p in parts if isinstance(p.get("properties"), dict)]
        places = [
            p["properties"][step.name] for p in lists if step.name in p["properties"]
        ]
        if lists and not places:
            return "missing"
        if not any(step.name in p.get("required", ()) for p in parts):
            answer = "optional"
    return "optional" if answer == "optional" else "required"


def _together(places: list[Any], root: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The schemas of one place, with what `allOf` and local `$ref`s add. Branches
    that may not hold (`anyOf`, `oneOf`) count for what is declared."""
    found: list[dict[str, Any]] = []
    waiting = list(places)
    while waiting and len(found) < MOST_PARTS:
        schema = waiting.pop()
        if not isinstance(schema, dict):
            continue
        found.append(schema)
        waiting.extend(_parts(schema, "allOf"))
        waiting.extend(_declaring(schema))
        waiting.append(_target(schema.get("$ref"), root))
    return found


def _parts(schema: dict[str, Any], keyword: str) -> list[Any]:
    parts = schema.get(keyword)
    return parts if isinstance(parts, list) else []


def _declaring(schema: dict[str, Any]) -> list[Any]:
    branches = [*_parts(schema, "anyOf"), *_parts(schema, "oneOf")]
    branches = [branch for branch in branches if isinstance(branch, dict)]
    return [{k: v for k, v in b.items() if k != "required"} for b in branches]


def _target(reference: object, root: Mapping[str, Any]) -> object:
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    value: Any = root
    for step in reference[2:].split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        value = value.get(key) if isinstance(value, dict) else None
    return value
