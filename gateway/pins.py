"""Pinned tool definitions, made ready once and shared by all snapshots."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from gateway import headers
from policies.facts import Tool
from servers import definitions

_SORTED = orjson.OPT_SORT_KEYS
MAX_KNOWN = 20_000
_fingerprints: dict[bytes, str] = {}


@dataclass(slots=True, frozen=True, eq=False)
class Pin:
    """`text` is the definition as pinned (RFC 8785); `sorted` lets most comparisons
    do without that form, which is slow to make."""

    tool: Tool
    text: str
    sorted: bytes
    fingerprint: str
    mirrored: dict[headers.Path, tuple[str, str]]

    def is_said_by(self, definition: Any) -> bool:
        """Whether this is still what the server says of the tool."""
        try:
            said = orjson.dumps(definition, default=float, option=_SORTED)
        except TypeError:  # a whole number past 64 bits, which no pin holds
            return False
        return said == self.sorted or _fingerprint(said) == self.fingerprint


@lru_cache(maxsize=MAX_KNOWN)
def pin(text: str, fingerprint: str, category: str, severity: str, held: bool) -> Pin:
    definition = orjson.loads(text)
    schema = definition.get("inputSchema")
    annotations = definition.get("annotations")
    tool = Tool(
        definition["name"],
        schema if isinstance(schema, dict) else None,
        annotations if isinstance(annotations, dict) else {},
        category,
        severity,
        held,
    )
    return Pin(
        tool,
        text,
        orjson.dumps(definition, option=_SORTED),
        fingerprint,
        headers.declared(schema),
    )


def _fingerprint(said: bytes) -> str:
    """Each definition that a server says is brought into RFC 8785 form once. Known by
    its hash: a server could fill the memory with what it says."""
    digest = hashlib.sha256(said).digest()
    found = _fingerprints.get(digest)
    if found is None:
        if len(_fingerprints) > MAX_KNOWN:
            _fingerprints.clear()
        found = _fingerprints[digest] = _canonical_fingerprint(said)
    return found


def _canonical_fingerprint(said: bytes) -> str:
    try:
        return definitions.fingerprint(definitions.canonical(orjson.loads(said)))
    except definitions.BadJson:
        return ""
