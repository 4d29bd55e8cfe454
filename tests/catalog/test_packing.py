"""Facts fold and unfold without a loss."""

from __future__ import annotations

from typing import Any

from catalog.classifying import CURRENT
from catalog.packing import pack, unpack
from tests.cases import cases
from tests.catalog.offered import definition

DEFINITIONS: list[dict[str, Any]] = [
    definition("list_invoices", "month", "account"),
    definition("delete_invoice", "id", "account", description=""),
    definition("bare", annotations={"readOnlyHint": False}, title="A title"),
    {"name": "no_schema"},
    definition("values") | {"inputSchema": {"type": "object", "required": ["kind"],
        "properties": {"kind": {"type": ["string", "null"], "enum": ["a b", "c"],
                                "description": "Which account to list. Deletes."}}}},
]  # fmt: skip
FACTS = [CURRENT.read(each) for each in DEFINITIONS]


@cases("facts", [[], FACTS[:1], FACTS, [*FACTS, *FACTS]])
def test_there_and_back(facts: list[dict[str, Any]]) -> None:
    assert unpack(pack(facts)) == facts


def test_a_parameter_that_many_tools_have_is_kept_once() -> None:
    packed = pack([CURRENT.read(definition(f"t{n}", "region")) for n in range(9)])
    assert len(packed["parameters"]) == 1
    assert [each["parameters"] for each in packed["tools"]] == [[0]] * 9


def test_false_and_zero_and_nothing_stay_apart() -> None:
    odd: list[dict[str, Any]] = [
        {"name": "a", "stems": [], "x": False, "parameters": []},
        {"name": "b", "stems": ["b"], "x": 0, "parameters": []},
        {"name": "c", "stems": [], "x": "", "y": None, "parameters": []},
    ]
    back = unpack(pack(odd))
    assert back == odd
    assert [type(each["x"]) for each in back] == [bool, int, str]
