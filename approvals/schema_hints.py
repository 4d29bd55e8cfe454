"""What a tool's input schema says of one argument: is its value a secret? Pure.

A place in the arguments has a set of schemas, as `allOf`, `anyOf` and `$ref` say more
than one thing of it. One of them is enough: the schema comes from a server, and what it
marks is never shown by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

SEVERAL = ("allOf", "anyOf", "oneOf")
BRANCHES = ("then", "else", "if")
# Bounds a schema that multiplies; what is marked beyond is hidden as a whole.
MOST = 64


class Schemas(NamedTuple):
    root: Any
    here: tuple[dict[str, Any], ...]
    full: bool = False


def of_root(schema: Any) -> Schemas:
    return _expanded(schema, [schema])


def of_property(schemas: Schemas, name: str) -> Schemas:
    below = [part for schema in schemas.here for part in _under(schema, name)]
    return _expanded(schemas.root, below, schemas.full)


def of_item(schemas: Schemas, place: int) -> Schemas:
    below: list[Any] = []
    for schema in schemas.here:
        first = schema.get("prefixItems") or schema.get("items")
        if isinstance(first, list):
            below += first[place : place + 1]
            below += [schema.get("items"), schema.get("additionalItems")]
        else:
            below.append(schema.get("items"))
        below += [schema.get("contains"), schema.get("unevaluatedItems")]
    return _expanded(schemas.root, below, schemas.full)


def is_secret(schemas: Schemas) -> bool:
    return schemas.full or any(
        schema.get("format") == "password"
        or schema.get("writeOnly") is True
        or "contentEncoding" in schema
        for schema in schemas.here
    )


def _under(schema: dict[str, Any], name: str) -> Iterator[Any]:
    named = schema.get("properties")
    if isinstance(named, dict) and name in named:
        yield named[name]
    patterns = schema.get("patternProperties")
    # Not matched: a pattern of a server's could take for ever. Each may be meant.
    yield from patterns.values() if isinstance(patterns, dict) else ()
    yield schema.get("additionalProperties")
    yield schema.get("unevaluatedProperties")


def _expanded(root: Any, found: list[Any], full: bool = False) -> Schemas:
    """With all that they refer to or are put together from, each once."""
    here: list[dict[str, Any]] = []
    waiting = [schema for schema in found if isinstance(schema, dict)]
    while waiting and len(here) < MOST:
        schema = waiting.pop()
        if any(schema is known for known in here):
            continue
        here.append(schema)
        waiting += [part for part in _parts(root, schema) if isinstance(part, dict)]
    return Schemas(root, tuple(here), full or bool(waiting))


def _parts(root: Any, schema: dict[str, Any]) -> Iterator[Any]:
    for word in SEVERAL:
        several = schema.get(word)
        yield from several if isinstance(several, list) else ()
    for word in BRANCHES:
        yield schema.get(word)
    depending = schema.get("dependentSchemas")
    yield from depending.values() if isinstance(depending, dict) else ()
    for word in ("$ref", "$dynamicRef"):
        if isinstance(reference := schema.get(word), str):
            yield _referred(root, reference)


def _referred(root: Any, reference: str) -> Any:
    """What a reference inside the schema points to; None for any other."""
    if not reference.startswith("#"):
        return None
    found = root
    for step in unquote(reference[1:]).split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and re.fullmatch(r"\d{1,6}", key):
            found = found[int(key)] if int(key) < len(found) else None
        else:
            found = found.get(key) if isinstance(found, dict) else None
    return found
