"""`validate_arguments`, and what `"strict"` closes."""

from __future__ import annotations

from typing import Any

import pytest
from jiter import from_json

from policies.facts import Tool
from tests.cases import cases

NODE = {"properties": {"v": {}, "next": {"$ref": "#/$defs/node"}}}
KINDS = {
    "oneOf": [
        {"properties": {"kind": {"const": "a"}, "x": {}}, "required": ["kind"]},
        {"properties": {"kind": {"const": "b"}, "y": {}}, "required": ["kind"]},
    ]
}

THEN = {
    "properties": {"a": {}},
    "if": {"required": ["a"]},
    "then": {"properties": {"b": {}}},
}
ITEMS: dict[str, Any] = {"properties": {"l": {"items": {"properties": {"a": {}}}}}}
NAMED = {"$id": "urn:x:y", "$ref": "#/$defs/q", "$defs": {"q": {"properties": {}}}}
ANCHORED = {
    "$ref": "#here",
    "$defs": {"q": {"$anchor": "here", "properties": {"a": {}}}},
}

STRICT = [
    ({"properties": {"a": {}}}, {"a": 1}, True),
    ({"properties": {"a": {}}}, {"b": 1}, False),
    ({"properties": {}}, {"b": 1}, False),
    ({"type": "object"}, {"b": 1}, True),
    ({"required": ["b"]}, {"b": 1}, True),
    ({"properties": {"a": {}}, "additionalProperties": True}, {"b": 1}, True),
    ({"properties": {"a": {}}, "unevaluatedProperties": {}}, {"b": 1}, True),
    ({"properties": {"a": {}}, "patternProperties": {"^x": {}}}, {"x1": 1}, True),
    ({"properties": {"a": {}}, "patternProperties": {"^x": {}}}, {"y": 1}, False),
    ({"properties": {"a": NODE}, "$defs": {"node": NODE}}, {"a": {"v": 1}}, True),
    (
        {"properties": {"a": NODE}, "$defs": {"node": NODE}},
        {"a": {"next": {"next": {"w": 1}}}},
        False,
    ),
    (KINDS, {"kind": "a", "x": 1}, True),
    (KINDS, {"kind": "a", "y": 1}, True),
    (KINDS, {"kind": "a", "z": 1}, False),
    (THEN, {"b": 1}, True),
    ({"properties": {"a": {}}, "not": {"properties": {"b": False}}}, {"b": 1}, False),
    (ITEMS, {"l": [{"a": 1}]}, True),
    (ITEMS, {"l": [{"b": 1}]}, False),
    (NAMED, {"a": 1}, False),
    (ANCHORED, {"a": 1}, True),
    ({"additionalProperties": {"properties": {"a": {}}}}, {"k": {"b": 1}}, False),
    ({"const": {"properties": {"a": 1}}}, {"properties": {"a": 1}}, True),
]


@cases(("schema", "args", "wanted"), STRICT)
def test_strict(schema, args, wanted):
    assert Tool("t", schema).accepts(args, strict=True) == wanted


REFUSED = [
    {"$ref": "https://example.com/s.json"},
    {"properties": {"a": {"$ref": "file:///etc/passwd"}}},
    {"properties": {"a": {"pattern": "(?=a)"}}},
    {"properties": {"a": {"pattern": r"(a)\1"}}},
    {"patternProperties": {"(?<!a)b": {}}},
    {"properties": {"a": {"pattern": "("}}},
    {"type": 5},
    {"$ref": "#/nowhere"},
    {"$schema": "https://example.com/own"},
]


@cases("schema", REFUSED)
@cases("strict", [False, True])
def test_a_schema_that_cannot_be_compiled_accepts_nothing(schema, strict):
    assert not Tool("t", schema).accepts({}, strict)


@pytest.mark.parametrize("strict", [False, True])
def test_no_schema_accepts_nothing(strict):
    assert not Tool("t").accepts({}, strict)


def test_a_schema_too_deep_to_compile_accepts_nothing():
    schema: dict[str, object] = {}
    for _ in range(2000):
        schema = {"properties": {"a": schema}}
    assert not Tool("t", schema).accepts({"b": 1}, strict=True)


@cases(
    ("number", "fits"),
    [
        ("5", True),
        ("5.0", True),
        ("5e0", True),
        ("5.00000000000000000001", False),
        ("5.5", False),
        ("1e400", False),
        ("1e999999999999999999999", False),
        ("1." + "0" * 5000 + "1", False),
        ("6", False),
    ],
)
def test_numbers_with_their_own_digits(number, fits):
    tool = Tool("t", {"properties": {"n": {"type": "integer", "maximum": 5}}})
    args = from_json(f'{{"n":{number}}}'.encode(), float_mode="lossless-float")
    assert tool.accepts(args, strict=False) == fits


def test_a_quadratic_regex_takes_linear_time():
    tool = Tool("t", {"properties": {"s": {"pattern": "^(a+)+$"}}})
    assert not tool.accepts({"s": "a" * 100_000 + "b"}, strict=False)
