"""Which protocol a request speaks. Pure.

One URL serves the stateless revision and the handshake revisions. A request is of the
stateless one if its headers or its `_meta` say so; then both must say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from gateway.errors import HeaderMismatch, InvalidParams, Unsupported

Era = Literal["modern", "legacy"]
MODERN = "2026-07-28"
MODERN_BYTES = MODERN.encode()
LEGACY = ("2025-11-25", "2025-06-18", "2025-03-26")
NEWEST_LEGACY, UNSAID_LEGACY = LEGACY[0], LEGACY[-1]
PREFIX = "io.modelcontextprotocol/"
META_VERSION = PREFIX + "protocolVersion"
META_CAPABILITIES = PREFIX + "clientCapabilities"
META_CLIENT = PREFIX + "clientInfo"
META_SERVER = PREFIX + "serverInfo"
META_LOG_LEVEL = PREFIX + "logLevel"


def classify(sent: bytes | None, method: str, meta: Mapping[str, Any]) -> Era:
    """`sent` is the header `Mcp-Protocol-Version`, `meta` the params' `_meta`."""
    said, capable = meta.get(META_VERSION), meta.get(META_CAPABILITIES)
    if sent == MODERN_BYTES and said == MODERN and isinstance(capable, dict):
        return "modern"
    version = None if sent is None else sent.decode("latin-1")
    if said is None and (version is None or version in LEGACY):
        return "legacy"
    if method == "initialize" and said is None:
        return "legacy"
    if said is None and version is not None and version != MODERN:
        raise _unsupported(version)
    _check_modern(version, said, meta)
    return "modern"


def classify_notification(sent: bytes | None) -> Era:
    """A notification need not carry `_meta`: its header alone tells."""
    version = UNSAID_LEGACY if sent is None else sent.decode("latin-1")
    if version in LEGACY:
        return "legacy"
    if version != MODERN:
        raise _unsupported(version)
    return "modern"


def _check_modern(version: str | None, said: object, meta: Mapping[str, Any]) -> None:
    if META_CAPABILITIES not in meta or said is None:
        raise InvalidParams(
            f"params._meta must hold {META_VERSION!r} and {META_CAPABILITIES!r}"
        )
    if version is None or version != said:
        raise HeaderMismatch(
            "The header Mcp-Protocol-Version differs from the version in params._meta"
        )
    if version != MODERN:
        raise _unsupported(version)
    if not isinstance(meta[META_CAPABILITIES], dict):
        raise InvalidParams(f"{META_CAPABILITIES!r} must be an object")


def _unsupported(version: str) -> Unsupported:
    return Unsupported(
        "Unsupported protocol version",
        data={"supported": [MODERN], "requested": version[:100]},
    )


def negotiated(requested: object) -> str:
    """The revision to answer `initialize` with."""
    return next((one for one in LEGACY if one == requested), NEWEST_LEGACY)
