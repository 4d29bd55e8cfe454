"""Definitions made to hurt are judged as soon as any other."""

from __future__ import annotations

import time
from typing import Any

import pytest

from catalog.classifier.judging import classify

MIB = 1024 * 1024


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"properties": {"a": schema}}
    return schema


def notes(count: int, text: str) -> dict[str, Any]:
    return {"properties": {f"p{n}": {"description": text} for n in range(count)}}


HOSTILE: dict[str, dict[str, Any]] = {
    "words": {"description": "word " * (MIB // 5)},
    "new words": {"description": " ".join(f"w{n}ing" for n in range(100_000))},
    "one word": {"description": "a" * MIB},
    "blanks": {"description": " " * MIB + "x"},
    "lines": {"description": "\n" * MIB + "x"},
    "colons": {"description": "a: " * (MIB // 3)},
    "brackets": {"description": "\n  a (" * (MIB // 6)},
    "quotes": {"description": "'a" * (MIB // 2)},
    "hyphens": {"description": "a-" * (MIB // 2)},
    "saves": {"description": "save it to the " * (MIB // 15)},
    "deep": {"inputSchema": deep(100_000)},
    "wide": {"inputSchema": {"properties": {f"p{n}": {} for n in range(10_000)}}},
    "notes": {"inputSchema": notes(500, "'a-b' save to file " * 100)},
    "long key": {"inputSchema": {"properties": {"k" * MIB: {}}}},
    "values": {"inputSchema": {"properties": {"operation": {"enum": ["x" * MIB]}}}},
    "half a letter": {"description": "delete \ud800", "inputSchema": {"\ud800": 1}},
    "no types": {"description": 5, "inputSchema": [1], "annotations": "no"},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_bounded(name):
    began = time.process_time()
    verdict = classify({"name": "x", **HOSTILE[name]})
    assert time.process_time() - began < 0.5
    assert len(str(verdict.as_json())) < 20_000


def test_thousands_a_second():
    definition = {
        "name": "update_table_rows",
        "description": "Updates rows of a table.\n\nArgs:\n    where: which\n" * 5,
        "inputSchema": notes(8, "What it is set to, or null."),
    }
    classify(definition)
    began = time.process_time()
    for _ in range(1_000):
        classify(definition)
    assert time.process_time() - began < 1
