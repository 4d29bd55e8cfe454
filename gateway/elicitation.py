"""Asking a client to open the page of an approval: URL elicitation, in both eras. Pure.

    2026-07-28  the result is `input_required`, with one request of mode `url` and a
                sealed `requestState`; the client calls again with both answers
    2025-11-25  the error -32042 with `data.elicitations`; the client calls again

The older revision could also push `elicitation/create` on the call's stream. Its answer
would come as a POST of its own, at any replica, which then had to be led to the one
that holds the call; the error needs none of that, and is as well known to clients.

What a client answers is no decision. `accept` means that it opened the page; `decline`
and `cancel` that somebody would not, or that nobody was there to ask.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from gateway.eras import META_CAPABILITIES, NEWEST_LEGACY, Era
from gateway.errors import InvalidParams
from gateway.keys import Keys, NotOurs

URL_REQUIRED = -32042
KEY = "approval"
MAX_STATE = 2048
_USE = b"approval state"
_ACTIONS = ("accept", "decline", "cancel")


@dataclass(frozen=True, slots=True)
class Returned:
    """A call that was made again with what it was given."""

    approval: UUID
    opened: bool


def kept(capabilities: Mapping[str, Any], revision: str) -> dict[str, Any]:
    """What a session keeps of `elicitation`: whether it opens pages."""
    asked = capabilities.get("elicitation")
    url = asked.get("url") if isinstance(asked, dict) else None
    return {"url": {}} if revision == NEWEST_LEGACY and isinstance(url, dict) else {}


def is_declared(era: Era, meta: Mapping[str, Any], session: Mapping[str, Any]) -> bool:
    """By this very request or, in the handshake era, by its session."""
    known = meta.get(META_CAPABILITIES) if era == "modern" else session
    asked = known.get("elicitation") if isinstance(known, dict) else None
    return isinstance(asked, dict) and isinstance(asked.get("url"), dict)


def bound(grant: UUID, method: str, name: str, arguments: bytes) -> bytes:
    """What a state is sealed for: the call that it came with, and nobody else's."""
    digest = hashlib.sha256(grant.bytes)
    for part in (method.encode(), name.encode("utf-8", "surrogatepass"), arguments):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def seal(keys: Keys, approval: UUID, bound: bytes, expires: int) -> str:
    return keys.seal(_USE + bound, orjson.dumps([approval.hex, expires]))


def returned(
    keys: Keys, params: Mapping[str, Any], bound: bytes, now: float
) -> Returned | None:
    """None where the call brings nothing. Raises InvalidParams for a state that is
    not ours, another call's or grant's, or too old."""
    if "requestState" not in params and "inputResponses" not in params:
        return None
    state, responses = params.get("requestState"), params.get("inputResponses", {})
    if not isinstance(state, str) or len(state) > MAX_STATE:
        raise InvalidParams("params.requestState is missing or malformed")
    try:
        approval, expires = orjson.loads(keys.open(_USE + bound, state))
    except NotOurs:
        raise InvalidParams(
            "params.requestState does not belong to this call"
        ) from None
    if now >= expires:
        raise InvalidParams(
            "params.requestState has expired: call again without it and without"
            " inputResponses"
        )
    return Returned(UUID(hex=approval), _opened(responses))


def _opened(responses: Any) -> bool:
    answer = responses.get(KEY) if isinstance(responses, dict) else None
    action = answer.get("action") if isinstance(answer, dict) else None
    if action not in _ACTIONS:
        raise InvalidParams(f"params.inputResponses must answer {KEY!r}")
    return bool(action == "accept")


def input_required(url: str, message: str, state: str) -> dict[str, Any]:
    """The result, 2026-07-28."""
    asked = {"mode": "url", "message": message, "url": url}
    return {
        "resultType": "input_required",
        "inputRequests": {KEY: {"method": "elicitation/create", "params": asked}},
        "requestState": state,
    }


def required(url: str, message: str, approval: UUID) -> dict[str, Any]:
    """The error's data, 2025-11-25."""
    asked = {"mode": "url", "message": message, "url": url}
    return {"elicitations": [asked | {"elicitationId": str(approval)}]}
