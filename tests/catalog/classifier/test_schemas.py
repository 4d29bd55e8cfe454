"""Parameters are found wherever a schema may hold them, and never without bound."""

from __future__ import annotations

from typing import Any

from catalog.classifier.schemas import (
    MOST_LEVELS,
    MOST_NODES,
    MOST_PARAMETERS,
    MOST_VALUES,
    flatten,
)


def paths(schema) -> list[str]:
    return [parameter.path for parameter in flatten(schema).parameters]


def test_nested_arrays_maps_and_references():
    schema = {
        "properties": {
            "filter": {
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
            },
            "tags": {"items": {"properties": {"key": {}}}},
            "labels": {"additionalProperties": {"type": "string"}},
            "page": {"$ref": "#/$defs/Page"},
        },
        "required": ["page"],
        "$defs": {"Page": {"type": "object", "properties": {"size": {}}}},
    }
    flat = flatten(schema)
    found = {parameter.path: parameter for parameter in flat.parameters}
    assert set(found) == {
        *("filter", "tags", "labels", "page"),
        *("filter.name", "tags[].key", "labels.*", "page.size"),
    }
    assert found["page"].required
    assert found["page"].types == {"object"}
    assert found["filter.name"].required
    assert not found["filter"].required
    assert not flat.cut


def test_branches_are_one_parameter():
    schema = {
        "anyOf": [
            {"properties": {"to": {"type": "string", "enum": ["a", "b"]}}},
            {"properties": {"to": {"type": ["array", "null"], "description": "Who."}}},
        ]
    }
    (to,) = flatten(schema).parameters
    assert to.types == {"string", "array", "null"}
    assert to.values == ["a", "b"]
    assert to.description == "Who."


def test_values_of_a_list_belong_to_the_list():
    schema = {"properties": {"ops": {"type": "array", "items": {"enum": ["read", 1]}}}}
    (ops,) = flatten(schema).parameters
    assert ops.values == ["read"]


def test_a_circle_is_walked_once():
    node = {"properties": {"child": {"$ref": "#/$defs/Node"}, "name": {}}}
    schema = {"properties": {"root": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}}
    assert paths(schema) == ["root", "root.child", "root.name"]
    assert not flatten(schema).cut


def test_what_refers_outside_or_nowhere_is_nothing():
    for name in ("http://x/y", "#/$defs/No", "#", "", 7, "#/" + "a/" * 100_000):
        assert paths({"properties": {"a": {"$ref": name}}}) == ["a"]


def test_wide_schemas_are_cut():
    flat = flatten({"properties": {f"p{n}": {} for n in range(10_000)}})
    assert len(flat.parameters) == MOST_PARAMETERS
    assert flat.cut


def test_deep_schemas_are_cut_and_need_no_stack():
    schema: dict[str, Any] = {}
    for _ in range(100_000):
        schema = {"properties": {"a": schema}}
    flat = flatten(schema)
    assert len(flat.parameters) == MOST_LEVELS
    assert flat.cut


def test_references_that_multiply_are_cut():
    many = [{"$ref": f"#/$defs/{n}"} for n in range(40)]
    schema: dict[str, Any] = {
        "anyOf": many,
        "$defs": {str(n): {"anyOf": many} for n in range(40)},
    }
    assert flatten(schema).cut
    assert MOST_NODES < 10_000


def test_long_enumerations_are_cut_short():
    values = [f"v{n}" for n in range(10_000)]
    schema: dict[str, Any] = {"properties": {"op": {"enum": values}}}
    (op,) = flatten(schema).parameters
    assert len(op.values) == MOST_VALUES


def test_what_is_no_schema_has_no_parameters():
    none: list[Any] = [None, [], "x", {"properties": []}, {"anyOf": {}}, {"items": 5}]
    assert [paths(schema) for schema in none] == [[]] * len(none)
    odd: dict[str, Any] = {
        "properties": {"a": 1, "b": {"type": [{}], "enum": 7, "required": 5}}
    }
    assert paths(odd) == ["a", "b"]
