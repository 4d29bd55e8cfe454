"""`"strict"`: the schema of which keys the objects under a schema may hold.

Where a schema lists `properties` and says nothing of other keys, the keys
declared are those of its branches (`allOf`, `anyOf`, `oneOf`, `if`, `then`,
`else`, `dependentSchemas`) and `$ref`s counted together; `not` declares
nothing. JSON Schema's own `unevaluatedProperties` would not do: it forgets the
branches that fail. So every place of the arguments gets the set of all schemas
that speak of it, and the result holds nothing but the closed lists of keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urljoin

import re2

Schema = dict[str, Any]

MOST_SHAPES = 5_000

_OTHERS = ("additionalProperties", "unevaluatedProperties")
_LISTS = ("allOf", "anyOf", "oneOf")
_SINGLE = ("if", "then", "else")
_DATA = frozenset({"enum", "const", "default", "examples"})
_BY_KEY = ("dependentSchemas", "dependencies")


class CannotShape(Exception):
    """A reference leads nowhere, or there are too many shapes."""


def shape_of(schema: Schema) -> Schema:
    """Raises CannotShape."""
    return _Shapes(schema).build()


class _Shapes:
    def __init__(self, schema: Schema) -> None:
        self._root = schema
        self._targets = _Targets(schema)
        self._names: dict[frozenset[int], str] = {}
        self._waiting: list[tuple[str, list[Schema]]] = []

    def build(self) -> Schema:
        shapes: dict[str, Schema] = {}
        root = self._reference([self._root])
        while self._waiting:
            name, group = self._waiting.pop()
            shapes[name] = self._shape(group)
        return {**root, "$defs": shapes}

    def _reference(self, schemas: list[Any]) -> Schema:
        """A reference to the shape of all that speaks of one place."""
        group = self._expanded(schemas)
        if not group:
            return {}
        identity = frozenset(map(id, group))
        if identity not in self._names:
            if len(self._names) >= MOST_SHAPES:
                raise CannotShape("too many shapes")
            self._names[identity] = f"s{len(self._names)}"
            self._waiting.append((self._names[identity], group))
        return {"$ref": f"#/$defs/{self._names[identity]}"}

    def _expanded(self, schemas: list[Any]) -> list[Schema]:
        found: dict[int, Schema] = {}
        waiting = list(schemas)
        while waiting:
            schema = waiting.pop()
            if isinstance(schema, dict) and id(schema) not in found:
                found[id(schema)] = schema
                waiting.extend(self._beside(schema))
        return list(found.values())

    def _beside(self, schema: Schema) -> Iterator[Any]:
        """What else speaks of the same place."""
        for keyword in _LISTS:
            yield from _list(schema.get(keyword))
        for keyword in _SINGLE:
            yield schema.get(keyword)
        for keyword in _BY_KEY:
            yield from _dict(schema.get(keyword)).values()
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            if isinstance(schema.get(keyword), str):
                yield self._targets.find(schema, schema[keyword])

    def _shape(self, group: list[Schema]) -> Schema:
        declared = _keys(group, "properties")
        patterns = _keys(group, "patternProperties")
        shape: Schema = {}
        if _closed(group):
            allowed = [{"pattern": pattern} for pattern in patterns]
            shape["propertyNames"] = {"anyOf": [{"enum": declared}, *allowed]}
        shape["properties"] = {
            key: self._reference([one for s in group for one in _member(s, key)])
            for key in declared
        }
        shape["patternProperties"] = {
            pattern: self._reference(
                [
                    _dict(schema.get("patternProperties")).get(pattern)
                    for schema in group
                ]
            )
            for pattern in patterns
        }
        others = [schema.get(keyword) for schema in group for keyword in _OTHERS]
        shape["additionalProperties"] = self._reference(others)
        return shape | self._elements(group)

    def _elements(self, group: list[Schema]) -> Schema:
        first: list[list[Any]] = []
        rest: list[Any] = []
        for schema in group:
            items = schema.get("items")
            first.append([*_list(schema.get("prefixItems")), *_list(items)])
            rest += [items] if isinstance(items, dict) else []
            rest += [schema.get("additionalItems"), schema.get("unevaluatedItems")]
            rest.append(schema.get("contains"))
        length = max(map(len, first), default=0)
        prefix = [[one[i] for one in first if i < len(one)] for i in range(length)]
        elements: Schema = {"items": self._reference(rest)}
        if prefix:
            elements["prefixItems"] = [self._reference(one + rest) for one in prefix]
        return elements


def _keys(group: list[Schema], keyword: str) -> list[str]:
    return list({key: None for schema in group for key in _dict(schema.get(keyword))})


def _closed(group: list[Schema]) -> bool:
    lists = any(isinstance(schema.get("properties"), dict) for schema in group)
    says = any(keyword in schema for schema in group for keyword in _OTHERS)
    return lists and not says


def _member(schema: Schema, key: str) -> list[Any]:
    """What a schema says of one declared key."""
    properties = _dict(schema.get("properties"))
    patterns = _dict(schema.get("patternProperties"))
    found = [inner for pattern, inner in patterns.items() if _matches(pattern, key)]
    if key in properties:
        found.append(properties[key])
    return found or [schema.get("additionalProperties")]


def _matches(pattern: str, key: str) -> bool:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options).search(key) is not None
    except re2.error:
        return False


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


class _Targets:
    """Where references lead: base URIs, anchors and pointers of one document."""

    def __init__(self, root: Schema) -> None:
        self._bases: dict[int, str] = {}
        self._resources: dict[str, Any] = {"": root}
        self._index(root)

    def find(self, schema: Schema, reference: str) -> Any:
        """Raises CannotShape."""
        base = self._bases.get(id(schema), "")
        local = reference.startswith("#")
        target = base + reference if local else urljoin(base, reference)
        target = target.removesuffix("#")
        if target in self._resources:
            return self._resources[target]
        base, _, fragment = target.partition("#")
        if base in self._resources and fragment.startswith("/"):
            return _pointed(self._resources[base], unquote(fragment))
        raise CannotShape(reference)

    def _index(self, root: Any) -> None:
        waiting = [(root, "")]
        while waiting:
            value, base = waiting.pop()
            if isinstance(value, dict):
                base = self._name(value, base)
                inner = [v for k, v in value.items() if k not in _DATA]
                waiting.extend((one, base) for one in inner)
            elif isinstance(value, list):
                waiting.extend((one, base) for one in value)

    def _name(self, schema: Schema, base: str) -> str:
        identity = schema.get("$id", schema.get("id"))
        if isinstance(identity, str):
            base = urljoin(base, identity).removesuffix("#")
            self._resources.setdefault(base, schema)
        self._bases[id(schema)] = base
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(schema.get(keyword), str):
                self._resources.setdefault(f"{base}#{schema[keyword]}", schema)
        return base


def _pointed(value: Any, fragment: str) -> Any:
    for step in fragment.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise CannotShape(fragment) from None
    return value
