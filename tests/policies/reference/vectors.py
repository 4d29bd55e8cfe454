"""Reads cases as `policy-vectors.json` has them, for the reference."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.reference.decide import Case
from tests.policies.reference.exact import load_arguments, number
from tests.policies.reference.once import Once
from tests.policies.reference.texts import Raw


def reference_case(written: dict[str, Any], document: Any, seen=None) -> Case:
    """`document` is loaded exactly; `written` is the case as plain JSON."""
    call = written["call"]
    kind = kind_of(call)
    return Case(
        document=document,
        kind=kind,
        name=call[kind],
        args=load_arguments(call.get("call_json") or json.dumps(call.get("args", {}))),
        context=reference_context(written.get("context", {})),
        seen=seen,
    )


def kind_of(call: dict[str, Any]) -> str:
    for kind in ("tool", "resource", "prompt"):
        if kind in call:
            return kind
    raise KeyError(f"a call of nothing: {call}")


def reference_context(written: dict[str, Any]) -> dict[str, Any]:
    if "definition" not in written:
        return written
    return written | {"definition": definition(written["definition"])}


def numbered(tree: Any) -> Any:
    """Its numbers as the reference reads them."""
    if isinstance(tree, Raw):
        return number(tree)
    if isinstance(tree, dict):
        return {key: numbered(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [numbered(item) for item in tree]
    counts = isinstance(tree, int | float) and not isinstance(tree, bool)
    return number(json.dumps(tree)) if counts else tree


definition = Once(numbered)
