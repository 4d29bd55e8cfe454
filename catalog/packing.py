"""Facts of one server's tools in a third of the room, and back, exactly. Pure.

words        every stem once, the most frequent first; lists of stems are numbers
parameters   every parameter once, however many tools have it
empty        what is left out of tools and of parameters, as it often is: no words,
             not required, no hint
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from catalog.classifier.facts import Facts

STEMS = ("lead", "stems")
EMPTY: dict[type, Any] = {list: [], dict: {}, bool: False, int: 0, str: ""}


def pack(tools: list[Facts]) -> dict[str, Any]:
    parameters = [each for facts in tools for each in facts["parameters"]]
    table = _frequent([*tools, *parameters])
    place = {word: number for number, word in enumerate(table)}
    empty = {"tool": _empty(tools), "parameter": _empty(parameters)}
    unique: dict[bytes, int] = {}
    packed = []
    for facts in tools:
        numbers = [
            unique.setdefault(_line(each, place, empty["parameter"]), len(unique))
            for each in facts["parameters"]
        ]
        slim = _slim(facts | {"parameters": numbers}, place, empty["tool"])
        packed.append(slim)
    listed = [orjson.loads(line) for line in unique]
    return {"words": table, "empty": empty, "parameters": listed, "tools": packed}


def unpack(packed: Mapping[str, Any]) -> list[Facts]:
    table, empty = packed["words"], packed["empty"]
    parameters = [
        _full(each, table, empty["parameter"]) for each in packed["parameters"]
    ]
    tools = [_full(each, table, empty["tool"]) for each in packed["tools"]]
    return [
        facts | {"parameters": [parameters[number] for number in facts["parameters"]]}
        for facts in tools
    ]


def _frequent(items: Iterable[Facts]) -> list[str]:
    counted = Counter(
        word for item in items for key in STEMS for word in item.get(key, ())
    )
    return sorted(counted, key=lambda word: (-counted[word], word))


def _empty(items: list[Facts]) -> Facts:
    """By key, for those that all items have."""
    if not items:
        return {}
    keys = set(items[0]).intersection(*items)
    return {
        key: EMPTY[type(items[0][key])]
        for key in sorted(keys)
        if type(items[0][key]) in EMPTY
    }


def _slim(item: Facts, place: Mapping[str, int], empty: Facts) -> Facts:
    kept = {k: v for k, v in item.items() if not (k in empty and _same(v, empty[k]))}
    for key in STEMS:
        if key in kept:
            kept[key] = sorted(place[word] for word in kept[key])
    return kept


def _same(value: Any, other: Any) -> bool:
    """Of one type too: False is not 0."""
    return type(value) is type(other) and value == other


def _line(item: Facts, place: Mapping[str, int], empty: Facts) -> bytes:
    return orjson.dumps(_slim(item, place, empty), option=orjson.OPT_SORT_KEYS)


def _full(item: Facts, table: list[str], empty: Facts) -> Facts:
    full = empty | item
    for key in STEMS:
        if key in item:
            full[key] = sorted(table[number] for number in item[key])
    return full
