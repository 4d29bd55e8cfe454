"""One JSON-RPC message out of a body. Pure.

Exact on purpose: an envelope key that is unknown, or equal to a known one but for
case, is refused, because servers exist that match keys without case.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from gateway import strictjson
from gateway.errors import InvalidRequest, ParseError
from policies.decision import make

Id = str | int
MAX_ID_BYTES = 256
MAX_ID_NUMBER = 2**53
_REQUEST = frozenset({"jsonrpc", "id", "method", "params"})
_RESPONSE = frozenset({"jsonrpc", "id", "result", "error"})


class Message(NamedTuple):
    """`id` is None for a notification; `params` is {} where there are none."""

    kind: Literal["request", "notification", "response"]
    id: Id | None
    method: str
    params: dict[str, Any]


def decode(body: bytes) -> Message:
    """Raises ParseError or InvalidRequest."""
    try:
        value = strictjson.loads(body)
    except strictjson.BadJSON as error:
        raise ParseError(str(error)) from None
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        if isinstance(value, list):
            raise InvalidRequest("Batches are not accepted: send one message a request")
        raise InvalidRequest('A message is an object with "jsonrpc": "2.0"')
    return _request(value) if "method" in value else _response(value)


def _request(value: dict[str, Any]) -> Message:
    if not _REQUEST.issuperset(value):
        raise _unknown(value, _REQUEST)
    method, params = value["method"], value.get("params")
    if not isinstance(method, str):
        raise InvalidRequest('"method" must be a string')
    if not isinstance(params, dict):
        if "params" in value:
            raise InvalidRequest('"params" must be an object')
        params = {}
    if "id" not in value:
        return Message("notification", None, method, params)
    return make(Message, ("request", checked_id(value["id"]), method, params))


def _response(value: dict[str, Any]) -> Message:
    if not _RESPONSE.issuperset(value):
        raise _unknown(value, _RESPONSE)
    if ("result" in value) == ("error" in value):
        raise InvalidRequest('A message has one of "method", "result" and "error"')
    return Message("response", checked_id(value.get("id")), "", value)


def _unknown(value: dict[str, Any], known: frozenset[str]) -> InvalidRequest:
    key = next(key for key in value if key not in known)
    return InvalidRequest(f"Unknown key in the message: {key[:100]!r}")


def checked_id(value: Any) -> Id:
    if type(value) is int and -MAX_ID_NUMBER <= value <= MAX_ID_NUMBER:
        return value
    if isinstance(value, str) and len(value.encode()) <= MAX_ID_BYTES:
        return value
    raise InvalidRequest(
        '"id" must be a string of at most 256 bytes or a whole number within 2^53'
    )


def request(identifier: Id, method: str, params: dict[str, Any]) -> bytes:
    return strictjson.dumps(
        {"jsonrpc": "2.0", "id": identifier, "method": method, "params": params}
    )


def notification(method: str, params: dict[str, Any]) -> bytes:
    return strictjson.dumps({"jsonrpc": "2.0", "method": method, "params": params})


def result(identifier: Id, value: Any) -> bytes:
    return strictjson.dumps({"jsonrpc": "2.0", "id": identifier, "result": value})


def error(identifier: Id | None, code: int, text: str, data: Any = None) -> bytes:
    body: dict[str, Any] = {"code": code, "message": text}
    if data is not None:
        body["data"] = data
    return strictjson.dumps({"jsonrpc": "2.0", "id": identifier, "error": body})
