"""Sessions of the handshake era: everything about one is sealed into its id. Pure.

Any replica opens it; nothing is stored. What changes later (closed, for one) lives in
Valkey under the id's hash.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, replace
from typing import Any

import orjson

from gateway.errors import NoSession
from gateway.keys import Keys, NotOurs

LIFETIME = 24 * 3600
MAX_UPSTREAM = 1024
MAX_CLIENT_NAME = 256
_USE = b"client session"


@dataclass(frozen=True, slots=True)
class Session:
    """`upstream` is the server's own session id: "" where it keeps none, None where
    no session was opened there."""

    grant: uuid.UUID
    server: uuid.UUID
    credential: uuid.UUID
    revision: str
    upstream: str | None
    upstream_revision: str
    client_name: str
    capabilities: dict[str, Any]
    at: int
    hash: bytes = b""


def seal(keys: Keys, session: Session) -> str:
    fields = [
        session.grant.hex,
        session.server.hex,
        session.credential.hex,
        session.revision,
        session.upstream,
        session.upstream_revision,
        session.client_name,
        session.capabilities,
        session.at,
    ]
    return keys.seal(_USE, orjson.dumps(fields))


def unseal(keys: Keys, text: str) -> Session:
    """Raises NoSession for what is not ours or altered; its age is not looked at."""
    try:
        fields = orjson.loads(keys.open(_USE, text))
    except NotOurs:
        raise NoSession("session id does not open") from None
    grant, server, credential, *others = fields
    session = Session(
        uuid.UUID(hex=grant), uuid.UUID(hex=server), uuid.UUID(hex=credential), *others
    )
    return replace(session, hash=hashlib.sha256(text.encode()).digest()[:16])


def check(
    session: Session,
    *,
    grant: uuid.UUID,
    server: uuid.UUID,
    credential: uuid.UUID,
    now: float,
) -> None:
    """Raises NoSession: another grant's, another server's, too old, or opened with
    credentials that have been replaced."""
    if session.grant != grant or session.server != server:
        raise NoSession("session of another grant")
    if session.credential != credential:
        raise NoSession("session of replaced credentials")
    if not -60 <= now - session.at <= LIFETIME:
        raise NoSession("session expired")
