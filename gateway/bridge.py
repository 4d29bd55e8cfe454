"""From one era to the other: parameters up, results and errors down. Pure.

What a server would ask of the client (sampling, elicitation, roots, input it lacks) is
not relayed in this release, in any pair of eras: it is declined, and the answer says
so. Hence nothing of the kind is declared upstream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway import eras
from gateway.eras import Era
from gateway.errors import DENIED, INTERNAL_ERROR, INVALID_PARAMS, RESOURCE_NOT_FOUND
from gateway.jsonrpc import Id

# Keys of `_meta` that go up. Others would reach the server unjudged.
TRACE = frozenset({"traceparent", "tracestate", "baggage"})
EXTENSIONS = frozenset({"io.modelcontextprotocol/ui"})
OUR_NAME, OUR_VERSION = "PolicyLayer", "0.1.0"
US = {"name": OUR_NAME, "version": OUR_VERSION}
# Milliseconds for which a client may keep a filtered list.
MAX_TTL = 5_000
CACHED = frozenset(
    {
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "resources/read",
    }
)
URL_ELICITATION = -32042


class Asks(Exception):
    """The server asks something of the client instead of answering."""

    TEXT = (
        "The server asked for {what}, which this gateway does not relay, so the call"
        " did not complete. Do not retry it unchanged; tell the user."
    )

    def __init__(self, what: str) -> None:
        super().__init__(self.TEXT.format(what=what))


def meta_up(
    meta: Mapping[str, Any], upstream: Era, progress: Id | None
) -> dict[str, Any] | None:
    """The `_meta` of the request that is sent. `progress` is the token to send."""
    sent: dict[str, Any] = {}
    if not TRACE.isdisjoint(meta):
        sent = {key: meta[key] for key in TRACE if isinstance(meta.get(key), str)}
    if progress is not None:
        sent["progressToken"] = progress
    if upstream == "legacy":
        return sent or None
    sent[eras.META_VERSION] = eras.MODERN
    sent[eras.META_CLIENT] = meta.get(eras.META_CLIENT) or US
    sent[eras.META_CAPABILITIES] = _capabilities(meta.get(eras.META_CAPABILITIES))
    if eras.META_LOG_LEVEL in meta:
        sent[eras.META_LOG_LEVEL] = meta[eras.META_LOG_LEVEL]
    return sent


def _capabilities(declared: object) -> dict[str, Any]:
    known = declared.get("extensions") if isinstance(declared, dict) else None
    if not isinstance(known, dict):
        return {}
    kept = {name: known[name] for name in known if name in EXTENSIONS}
    return {"extensions": kept} if kept else {}


def result_down(
    method: str, result: dict[str, Any], client: Era, upstream: Era, server: str
) -> dict[str, Any]:
    """The result as the client's era has it. Raises Asks."""
    kind = result.get("resultType", "complete")
    if kind != "complete":
        raise Asks("a task" if kind == "task" else "input from the client")
    if client == "legacy":
        if upstream == "modern":
            for key in ("resultType", "ttlMs", "cacheScope"):
                result.pop(key, None)
        return result
    if upstream == "legacy":
        result["resultType"] = "complete"
        meta = result.get("_meta")
        named = {eras.META_SERVER: {"name": server, "version": OUR_VERSION}}
        result["_meta"] = (meta if isinstance(meta, dict) else {}) | named
    if method in CACHED:
        result["ttlMs"] = _bounded(result.get("ttlMs"))
        result["cacheScope"] = "private"
    return result


def _bounded(ttl: object) -> int:
    return min(ttl, MAX_TTL) if type(ttl) is int and ttl > 0 else 0


def needs_change(method: str, client: Era, upstream: Era) -> bool:
    """Whether a good result differs at all from what the server sent."""
    return client != upstream or (client == "modern" and method in CACHED)


def error_down(error: Any, client: Era, upstream: Era) -> dict[str, Any]:
    """An upstream error as the client may see it. Raises Asks."""
    code = error.get("code") if isinstance(error, dict) else None
    words = error.get("message") if isinstance(error, dict) else None
    if type(code) is not int or not isinstance(words, str):
        return {"code": INTERNAL_ERROR, "message": "The server answered with an error"}
    if code == URL_ELICITATION:
        raise Asks("a page to be opened")
    if code == RESOURCE_NOT_FOUND and client == "modern":
        code = INVALID_PARAMS
    if -32099 <= code <= -32020:  # between the gateway and the server
        code, words = INTERNAL_ERROR, f"The server refused the gateway: {words}"
        return {"code": code, "message": words}
    kept = {"code": code, "message": words}
    return kept | {"data": error["data"]} if "data" in error else kept


def declined(question: str) -> dict[str, Any]:
    """What a server of the handshake era is answered when it asks: result or error."""
    if question == "ping":
        return {"result": {}}
    if question == "elicitation/create":
        return {"result": {"action": "decline"}}
    words = f"PolicyLayer does not relay {question[:100]} to its clients"
    return {"error": {"code": DENIED, "message": words}}
