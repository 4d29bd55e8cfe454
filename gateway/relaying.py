"""Passing a server's answer on as it comes: one JSON body, or a stream of events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from gateway import answers, sse, upstream_sessions
from gateway.answers import Event, Plan
from gateway.budgets import LARGE
from gateway.errors import Lost, UpstreamFault
from gateway.exchange import JSON, Exchange
from servers.failures import TooLarge, WireError
from servers.http1 import Response

# What must be understood, and what is relayed at most.
MAX_UNDERSTOOD = 1024 * 1024
MAX_RELAYED = 32 * 1024 * 1024
# Seconds and bytes for a stream to end by itself once it has answered.
DRAIN_SECONDS, DRAIN_BYTES = 2.0, 64 * 1024


def relay(x: Exchange, plan: Plan, response: Response) -> Awaitable[None] | None:
    """Raises UpstreamFault while the client has no answer yet, also when what is left
    is awaited. Nothing is left of an answer that is there and can be written at once.
    """
    if response.status == 200 and response.content_type == "application/json":
        raw = response.at_once(LARGE)
        if raw is not None:
            return _answer(x, _final(plan, raw))
    return _relay(x, plan, response)


async def _relay(x: Exchange, plan: Plan, response: Response) -> None:
    drained = False
    try:
        if response.status != 200:
            await _status(x, plan, response)
        elif response.content_type == "application/json":
            await _json(x, plan, response)
        elif response.content_type == "text/event-stream":
            drained = await _events(x, plan, response)
        else:
            raise UpstreamFault(
                "The server answers neither JSON nor a stream of events"
            )
    except TooLarge:
        raise UpstreamFault("The server's answer is too large to be relayed") from None
    except WireError as error:
        raise Lost(error.reason) from None
    finally:
        if not drained:
            response.close()


async def _status(x: Exchange, plan: Plan, response: Response) -> None:
    """An HTTP status that is no success: a JSON-RPC error in it is passed on."""
    if response.content_type == "application/json" and 400 <= response.status < 500:
        raw = await response.read(LARGE)
        try:
            event = answers.read(plan, raw)
        except UpstreamFault:
            event = answers.DROPPED
        if event.kind == "final" and response.status not in (401, 403):
            if (going := _answer(x, event)) is not None:
                await going
            return
    if response.status < 300:
        raise UpstreamFault("The server took the request without answering it")
    raise UpstreamFault(upstream_sessions.refusal(response.status))


async def _json(x: Exchange, plan: Plan, response: Response) -> None:
    whole = response.length is not None and response.length <= MAX_UNDERSTOOD
    if whole or not (plan.verbatim and plan.method == "tools/call"):
        raw = await response.read(MAX_UNDERSTOOD)
    else:
        raw, ended = await _beginning(response)
        if not ended:
            await _pieces(x, raw, response)
            return
    if len(raw) > LARGE:
        await _turn(x, raw)
    if (going := _answer(x, _final(plan, raw))) is not None:
        await going


def _final(plan: Plan, raw: bytes) -> Event:
    event = answers.read(plan, raw)
    if event.kind != "final":
        raise UpstreamFault("The server answered something else than was asked")
    return event


def _answer(x: Exchange, event: Event) -> Awaitable[None] | None:
    x.gateway.answered(x, event)
    return None if x.at_once(event.body) else x.reply(200, event.body)


async def _turn(x: Exchange, raw: bytes) -> None:
    await x.gateway.parsing.turn(x.snapshot.rights.organization_id, len(raw))


async def _beginning(response: Response) -> tuple[bytes, bool]:
    """As much as may be understood, and whether that is all."""
    taken, size = [], 0
    while piece := await response.piece():
        taken.append(piece)
        size += len(piece)
        if size > MAX_UNDERSTOOD:
            return b"".join(taken), False
    return b"".join(taken), True


async def _pieces(x: Exchange, first: bytes, response: Response) -> None:
    """A large answer to a tool call is passed on unread, as fast as it is taken."""
    declared = response.header(b"content-length")
    if declared is not None and int(declared) > MAX_RELAYED:
        raise UpstreamFault("The server's answer is too large to be relayed")
    size = len(first)
    in_event = x.streaming
    if in_event:  # a held call's: its JSON becomes one event, piece by piece
        await x.piece(b"data: ")
    else:
        await x.start(200, [JSON, *x.extra])
    await x.piece(_in_line(first, in_event))
    try:
        while piece := await response.piece():
            size += len(piece)
            if size > MAX_RELAYED:
                raise UpstreamFault("The server's answer is too large to be relayed")
            await x.piece(_in_line(piece, in_event))
    except (WireError, UpstreamFault) as error:
        x.gateway.outcome(x, "unknown", bytes=size, detail=str(error))
        raise CutOff from None
    x.gateway.outcome(x, "not_inspected", bytes=size)
    await x.piece(b"\n\n" if in_event else b"", last=True)


def _in_line(piece: bytes, in_event: bool) -> bytes:
    """In JSON a line end is white space; in an event it ends the data."""
    return sse.in_line(piece) if in_event else piece


class CutOff(Exception):
    """The answer broke off inside its JSON: only closing the connection says so."""


async def _events(x: Exchange, plan: Plan, response: Response) -> bool:
    """True where what is left of the stream is looked after."""
    parser = sse.Parser()
    try:
        while piece := await response.piece():
            for data in parser.feed(piece):
                if len(data) > LARGE:
                    await _turn(x, data)
                event = answers.read(plan, data)
                if event.kind == "final":
                    x.gateway.answered(x, event)
                    await x.event(event.body, last=True)
                    return _drain(x, response)
                await _passing(x, event)
    except sse.EventTooLarge:
        raise UpstreamFault("The server sent an event of more than 1 MiB") from None
    raise Lost("The server ended the stream before it answered")


async def _passing(x: Exchange, event: Event) -> None:
    if event.kind == "relay":
        await x.event(event.body)
    elif event.kind == "reply":
        x.gateway.decline(x, event.body)
    elif event.kind == "changed":
        x.gateway.drifted(x.snapshot.rights)


def _drain(x: Exchange, response: Response) -> bool:
    """A stream usually ends right after its answer; if it does, its connection can
    serve another request."""
    if not response.complete:
        x.gateway.background(_end(response))
    return True


async def _end(response: Response) -> None:
    size = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while piece := await response.piece():
                size += len(piece)
                if size > DRAIN_BYTES:
                    break
    except (TimeoutError, WireError):
        pass
    finally:
        response.close()
