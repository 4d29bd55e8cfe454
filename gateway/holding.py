"""Keeping a call open for a while, until somebody has decided.

The client's stream is begun at once, kept alive, and told of progress where the client
wants to hear of it. How many may be held is bounded (gateway/slots.py); beyond that the
call is answered at once, and made again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from approvals.looking import Standing
from gateway import approval_texts, jsonrpc, questions, sse
from gateway.exchange import Exchange
from gateway.questions import Unanswered
from gateway.snapshot import Rights

# Seconds between two signs of life; clients give up after sixty without any.
SIGN_EVERY = 12.0
# What one sign of ours counts as: less than any that a server sends after it.
STEP = 1e-6
LONGEST = 240
EVENTS = b"text/event-stream"

log = logging.getLogger(__name__)


def window(rights: Rights, client: str) -> float:
    """Seconds. What a client calls itself is a hint, so it may choose among those
    that the server's people have set, and no more."""
    return float(min(rights.hold_by_client.get(client, rights.hold_seconds), LONGEST))


def takes_events(x: Exchange) -> bool:
    """A held call is answered by a stream, which must have been accepted."""
    return any(name == b"accept" and EVENTS in value for name, value in x.fields)


def progress_token(params: Mapping[str, Any]) -> jsonrpc.Id | None:
    token = params.get("_meta", {}).get("progressToken")
    asked = isinstance(token, str | int) and not isinstance(token, bool)
    return token if asked else None


async def hold(x: Exchange, standing: Standing, seconds: float) -> Standing:
    """How it stands once it is decided or the time is over. Raises Unanswered."""
    await x.begin_stream()
    signs = Signs(x, standing)
    until = x.gateway.time() + seconds
    approval = standing.id
    assert approval is not None
    with x.gateway.waker.waiting(approval) as woken:
        standing = await _look(x, approval)  # what happened before we were waiting
        while standing.kind == "pending" and not x.gone:
            left = until - x.gateway.time()
            if left <= 0:
                break
            if await _woken(woken, min(left, signs.due())):
                standing = await _look(x, approval)
            await signs.show()
    return standing


async def _woken(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    event.clear()
    return True


async def _look(x: Exchange, approval: UUID) -> Standing:
    organization = x.snapshot.rights.organization_id
    return await questions.look(x.gateway, organization, approval)


class Signs:
    """Signs of life on the stream of a held call."""

    def __init__(self, x: Exchange, standing: Standing) -> None:
        self._x, self._ends = x, standing.expires_at
        assert standing.id is not None
        self._link = approval_texts.page(x.gateway.base_url, standing.id)
        self._token = progress_token(x.message.params)
        self._next = x.gateway.time()

    def due(self) -> float:
        """Seconds."""
        return max(0.0, self._next - self._x.gateway.time())

    async def show(self) -> None:
        x = self._x
        if x.gateway.time() < self._next:
            return
        self._next = x.gateway.time() + SIGN_EVERY
        if self._token is None:
            await x.piece(sse.KEEP_ALIVE)
            return
        x.progressed += STEP
        left = "" if self._ends is None else self._left(self._ends)
        told = {
            "progressToken": self._token,
            "progress": x.progressed,
            "message": approval_texts.waiting(self._link, left),
        }
        await x.event(jsonrpc.notification("notifications/progress", told))

    def _left(self, ends: datetime) -> str:
        return approval_texts.left(ends, datetime.now(UTC))


async def give_up(x: Exchange, approval: UUID) -> None:
    """The client of a held call went away, and wants no decision any more, unless
    another call or a task waits for the same one."""
    if x.gateway.waker.waiters(approval):
        return
    organization = x.snapshot.rights.organization_id
    try:
        await questions.cancel(x.gateway, organization, approval)
    except Unanswered as error:
        log.warning("approval %s was not cancelled: %s", approval, error)
