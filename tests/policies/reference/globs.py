"""Globs: `*` any run of characters, `?` one, a backslash escapes."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any


@cache
def parts(glob: str) -> tuple[tuple[str, str], ...]:
    found, i = [], 0
    while i < len(glob):
        if glob[i] == "\\":
            i += 1
            found.append(("character", glob[i]))
        elif glob[i] in "*?":
            found.append(("any run" if glob[i] == "*" else "any one", ""))
        else:
            found.append(("character", glob[i]))
        i += 1
    return tuple(found)


@cache
def is_glob(glob: str) -> bool:
    return any(kind != "character" for kind, _ in parts(glob))


@cache
def unescaped(glob: str) -> str:
    return "".join(character for _, character in parts(glob))


@cache
def literal_characters(glob: str) -> int:
    return sum(kind == "character" for kind, _ in parts(glob))


@lru_cache(100_000)
def matches(glob: str, name: str) -> bool:
    """Walks the glob with the set of places in the name that it may have reached."""
    places = {0}
    for kind, character in parts(glob):
        if kind == "any run":
            places = {p for start in places for p in range(start, len(name) + 1)}
        elif kind == "any one":
            places = {p + 1 for p in places if p < len(name)}
        else:
            places = {p + 1 for p in places if name[p : p + 1] == character}
    return len(name) in places


def which_entry(tools: dict[str, Any], name: str, watched) -> str | None:
    """The key of the one entry that applies. `watched(entry)` says whose action
    counts as allow."""
    for key in tools:
        if not is_glob(key) and unescaped(key) == name:
            return key
    found = [key for key in tools if is_glob(key) and matches(key, name)]

    def rank(key: str) -> tuple[int, int, str]:
        action = tools[key].get("action", "allow")
        if watched(tools[key]):
            action = "allow"
        first = {"deny": 0, "require_approval": 1, "allow": 2}[action]
        return first, -literal_characters(key), key

    return min(found, key=rank, default=None)
