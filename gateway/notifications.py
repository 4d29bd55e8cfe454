"""What clients send without expecting an answer, and the end of a session.

No record and no counter: the generation alone is checked, so that a revoked grant
moves nothing any more.
"""

from __future__ import annotations

import time
from contextlib import suppress

from gateway import upstream_sessions
from gateway.errors import InvalidRequest, NoSession, Unauthorized
from gateway.exchange import Exchange
from gateway.governing import check_place, reload
from gateway.upstream_sessions import Opened
from servers.failures import WireError

# Taken and not sent on: the gateway begins sessions itself, declares no roots and asks
# clients nothing whose progress they could report.
SWALLOWED = frozenset(
    {
        "notifications/initialized",
        "notifications/roots/list_changed",
        "notifications/progress",
    }
)


async def accept(x: Exchange) -> None:
    """Answers a notification, or a response that nobody waits for."""
    await in_force(x)
    if x.message.kind == "response":
        raise InvalidRequest(
            "This gateway asks clients nothing, so this answers nothing"
        )
    if x.message.method == "notifications/cancelled":
        await _cancel(x)
    elif x.message.method not in SWALLOWED:
        raise InvalidRequest(f"This gateway does not relay {x.message.method[:100]}")
    await x.reply(202, b"", ())


async def in_force(x: Exchange) -> None:
    """The snapshot is the one in force, and so is the token. Raises Unauthorized."""
    snapshot, valkey = x.snapshot, x.gateway.valkey
    generation = await valkey.command("GET", snapshot.owners.generation)
    if generation != snapshot.generation or snapshot.epoch != valkey.epoch:
        await reload(x)
    check_place(x)
    if void := x.snapshot.void(time.time()):
        raise Unauthorized(void)


async def _cancel(x: Exchange) -> None:
    """Only a request of the same session, and only on the process that serves it; a
    stateless client cancels by closing its stream."""
    asked = x.message.params.get("requestId")
    if x.session is None or not isinstance(asked, str | int):
        return
    flight = x.gateway.flights.get((x.session.hash, type(asked), asked))
    if flight is not None and flight.message.method != "initialize":
        flight.gateway.cancel(flight)


async def end_session(x: Exchange) -> None:
    """DELETE: ends our session for every replica, and the server's own."""
    await in_force(x)
    session, rights = x.session, x.snapshot.rights
    assert session is not None
    if await x.gateway.closed(session, x.snapshot):
        raise NoSession("session closed")
    await x.gateway.close_session(session, x.snapshot)
    if session.upstream:
        opened = Opened(session.upstream, session.upstream_revision, {})
        # Ours is closed; what the server keeps of its own is its affair.
        with suppress(WireError, ValueError):
            await upstream_sessions.end_session(x.gateway, rights, opened)
    await x.reply(204, b"", ())
