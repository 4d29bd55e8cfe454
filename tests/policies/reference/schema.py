"""As much of JSON Schema as the cases use, and the strict reading of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import re2

from tests.policies.reference.conditions import regex
from tests.policies.reference.exact import Number
from tests.policies.reference.once import Once

KNOWN = {
    "$defs", "$ref", "additionalProperties", "allOf", "anyOf", "enum", "items",
    "maximum", "minimum", "oneOf", "pattern", "properties", "required", "type",
}  # fmt: skip
SILENT = {"title", "description"}
QUIET = re2.Options()
QUIET.log_errors = False


class CannotCompile(Exception):
    pass


def satisfies(schema: Any, arguments: Any, strict: bool) -> bool:
    """`schema` None is a definition without one."""
    if schema is None or not compiles(schema):
        return False
    return valid(schema, arguments, schema, strict)


@Once
def compiles(schema: Any) -> bool:
    try:
        check_compiles(schema, schema)
    except CannotCompile:
        return False
    return True


def check_compiles(schema: Any, root: dict[str, Any]) -> None:
    if isinstance(schema, bool):
        return
    assert set(schema) <= KNOWN | SILENT, f"beyond the reference: {schema}"
    if "pattern" in schema:
        try:
            re2.compile(schema["pattern"], QUIET)
        except re2.error as error:
            raise CannotCompile from error
    if "$ref" in schema:
        target(schema, root)
    for inner in [
        *schema.get("properties", {}).values(),
        *schema.get("$defs", {}).values(),
        *(schema[key] for key in ("items", "additionalProperties") if key in schema),
        *branches(schema),
    ]:
        check_compiles(inner, root)


def target(schema: dict[str, Any], root: dict[str, Any]) -> Any:
    """No network: a reference leads into the schema itself or nowhere."""
    if not schema["$ref"].startswith("#/$defs/"):
        raise CannotCompile
    return root["$defs"][schema["$ref"].removeprefix("#/$defs/")]


def branches(schema: dict[str, Any]) -> list[Any]:
    return [s for key in ("allOf", "anyOf", "oneOf") for s in schema.get(key, [])]


def valid(schema: Any, value: Any, root: dict[str, Any], strict: bool) -> bool:
    if isinstance(schema, bool):
        return schema
    return (
        valid_alone(schema, value)
        and valid_inside(schema, value, root, strict)
        and valid_branches(schema, value, root, strict)
        and not (strict and has_undeclared(schema, value, root))
    )


def is_whole(number: Number) -> bool:
    exact = Decimal(number.text)
    return exact == exact.to_integral_value()


TYPES = {
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "number": lambda v: isinstance(v, Number),
    "integer": lambda v: isinstance(v, Number) and is_whole(v),
    "null": lambda v: v is None,
}


def valid_alone(schema: dict[str, Any], value: Any) -> bool:
    if "type" in schema and not TYPES[schema["type"]](value):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, Number):
        number = Decimal(value.text)
        if "minimum" in schema and number < Decimal(schema["minimum"].text):
            return False
        if "maximum" in schema and number > Decimal(schema["maximum"].text):
            return False
    if isinstance(value, str) and "pattern" in schema:
        return regex(schema["pattern"]).search(value) is not None
    if isinstance(value, dict):
        return all(key in value for key in schema.get("required", []))
    return True


def valid_inside(
    schema: dict[str, Any], value: Any, root: dict[str, Any], strict: bool
) -> bool:
    if isinstance(value, list) and "items" in schema:
        return all(valid(schema["items"], item, root, strict) for item in value)
    if not isinstance(value, dict):
        return True
    declared = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    return all(
        valid(declared.get(key, others), inner, root, strict)
        for key, inner in value.items()
    )


def valid_branches(
    schema: dict[str, Any], value: Any, root: dict[str, Any], strict: bool
) -> bool:
    """Undeclared keys are looked for once, with all branches together."""

    def branch_valid(branch: Any) -> bool:
        return (
            valid_alone(branch, value)
            and valid_inside(branch, value, root, strict)
            and valid_branches(branch, value, root, strict)
        )

    if "$ref" in schema and not branch_valid(target(schema, root)):
        return False
    if not all(branch_valid(b) for b in schema.get("allOf", [])):
        return False
    if "anyOf" in schema and not any(branch_valid(b) for b in schema["anyOf"]):
        return False
    return "oneOf" not in schema or sum(map(branch_valid, schema["oneOf"])) == 1


def has_undeclared(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    if not isinstance(value, dict):
        return False
    together = list(with_branches(schema, root))
    if not any("properties" in part for part in together):
        return False
    if any("additionalProperties" in part for part in together):
        return False
    declared = {key for part in together for key in part.get("properties", {})}
    return not set(value) <= declared


def with_branches(schema: dict[str, Any], root: dict[str, Any]):
    yield schema
    if "$ref" in schema:
        yield from with_branches(target(schema, root), root)
    for branch in branches(schema):
        yield from with_branches(branch, root)
