"""JSON-RPC ids towards an upstream session. Pure.

One upstream session serves many client requests, over any replica and any stream. Our
id says what an answer answers: call, method, grant and the client's own id with its
type. An id that does not open was not asked by us.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import orjson

from gateway.jsonrpc import Id
from gateway.keys import Keys, NotOurs

_USE = b"request"


@dataclass(frozen=True, slots=True)
class Asked:
    call: uuid.UUID
    grant: uuid.UUID
    method: str
    id: Id


def seal(keys: Keys, call: uuid.UUID, grant: uuid.UUID, method: str, id: Id) -> str:
    content = call.bytes + grant.bytes + orjson.dumps([method, id])
    return keys.seal_id(_USE, content)


def unseal(keys: Keys, text: object) -> Asked | None:
    if not isinstance(text, str):
        return None
    try:
        content = keys.open_id(_USE, text)
    except NotOurs:
        return None
    method, id = orjson.loads(content[32:])
    return Asked(
        uuid.UUID(bytes=content[:16]), uuid.UUID(bytes=content[16:32]), method, id
    )
