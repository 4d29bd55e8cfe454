"""The parameters of a tool, out of its input schema. Pure, and bounded in every way.

Schemas are strangers' JSON: they nest, refer to themselves and grow. They are walked
breadth first with a list of what is still to be seen, never by recursion, so that what
is cut off at a limit is what lies deepest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_PARAMETERS = 400
MOST_NODES = 4_000
MOST_LEVELS = 24
MOST_VALUES = 60
LONGEST_KEY = 200

_BRANCHES = ("allOf", "anyOf", "oneOf")
_TYPES = {"string", "number", "integer", "boolean", "object", "array", "null"}


@dataclass(slots=True)
class Parameter:
    """`path` is `filter.name`, `tags[].key`, or `labels.*` where any key may be.

    `values` are the strings that it may be, as written. Branches of a schema
    (`anyOf`) and several mentions of a path are one parameter. `unread`: its
    description is beyond what is read.
    """

    path: str
    required: bool = False
    types: set[str] = field(default_factory=set)
    description: str = ""
    values: list[str] = field(default_factory=list)
    unread: bool = False


@dataclass(slots=True)
class Flat:
    """`cut`: there was more than the limits let through."""

    parameters: list[Parameter]
    cut: bool


@dataclass(frozen=True, slots=True)
class _Node:
    schema: Mapping[str, Any]
    path: str
    required: bool
    level: int
    followed: frozenset[str]


def flatten(root: object) -> Flat:
    """All parameters by level, then by name."""
    if not isinstance(root, Mapping):
        return Flat([], cut=False)
    found: dict[str, Parameter] = {}
    waiting = deque([_Node(root, "", False, 0, frozenset())])
    seen, cut = 0, False
    while waiting:
        node = waiting.popleft()
        seen += 1
        if seen > MOST_NODES or not _keep(found, node):
            return Flat(list(found.values()), cut=True)
        for below in _below(root, node):
            if below.level > MOST_LEVELS or len(waiting) > MOST_NODES:
                cut = True
                break
            waiting.append(below)
    return Flat(list(found.values()), cut)


def _keep(found: dict[str, Parameter], node: _Node) -> bool:
    """False where there is no room for one more."""
    if not node.path or node.path.endswith("[]"):
        known = found.get(node.path.removesuffix("[]"))
        if known:
            known.values += _values(node.schema, MOST_VALUES - len(known.values))
        return True
    if node.path not in found and len(found) >= MOST_PARAMETERS:
        return False
    known = found.setdefault(node.path, Parameter(node.path, node.required))
    known.types |= _types(node.schema)
    known.values += _values(node.schema, MOST_VALUES - len(known.values))
    description = node.schema.get("description")
    if not known.description and isinstance(description, str):
        known.description = description
    return True


def _below(root: Mapping[str, Any], node: _Node) -> Iterator[_Node]:
    yield from _referred(root, node)
    for branch in _BRANCHES:
        options = node.schema.get(branch)
        for option in options if isinstance(options, list) else ():
            yield from _child(node, option, node.path, node.required)
    yield from _properties(node)
    items = node.schema.get("items")
    for item in items if isinstance(items, list) else [items]:
        yield from _child(node, item, f"{node.path}[]", False)
    if node.path:
        anything = node.schema.get("additionalProperties")
        yield from _child(node, anything, f"{node.path}.*", False)


def _properties(node: _Node) -> Iterator[_Node]:
    properties, required = node.schema.get("properties"), node.schema.get("required")
    if not isinstance(properties, Mapping):
        return
    names = set()
    if isinstance(required, list):
        names = {name for name in required if isinstance(name, str)}
    fitting = [n for n in properties if isinstance(n, str) and len(n) <= LONGEST_KEY]
    # Sorted, so that the order of keys, which means nothing in JSON, is nothing here.
    for name in sorted(fitting):
        schema = properties[name]
        path = f"{node.path}.{name}" if node.path else name
        known = schema if isinstance(schema, Mapping) else {}
        yield from _child(node, known, path, name in names)


def _child(node: _Node, schema: object, path: str, required: bool) -> Iterator[_Node]:
    if isinstance(schema, Mapping):
        yield _Node(schema, path, required, node.level + 1, node.followed)


def _referred(root: Mapping[str, Any], node: _Node) -> Iterator[_Node]:
    """What `$ref` names inside this document; a circle is followed once."""
    name = node.schema.get("$ref")
    if not isinstance(name, str) or name in node.followed:
        return
    target: object = root
    parts = name.removeprefix("#/").split("/") if name.startswith("#/") else []
    for part in parts[:MOST_LEVELS]:
        key = part.replace("~1", "/").replace("~0", "~")
        target = target.get(key) if isinstance(target, Mapping) else None
    if parts and isinstance(target, Mapping):
        followed = node.followed | {name}
        yield _Node(target, node.path, node.required, node.level + 1, followed)


def _types(schema: Mapping[str, Any]) -> set[str]:
    named = schema.get("type")
    listed = named if isinstance(named, list) else [named]
    return {name for name in listed if isinstance(name, str) and name in _TYPES}


def _values(schema: Mapping[str, Any], most: int) -> list[str]:
    listed = schema.get("enum")
    values = list(listed[:MOST_VALUES]) if isinstance(listed, list) else []
    values.append(schema.get("const"))
    return [value for value in values if isinstance(value, str)][: max(most, 0)]
