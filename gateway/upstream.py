"""Sending a judged request to the server and passing its answer on.

*Sent* begins when the request is handed to the connection. Before it, what was counted
is given back; after it the call counts, whatever comes, and is never sent again,
except once for requests without effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Any

import orjson

from gateway import (
    answers,
    approval_texts,
    bridge,
    headers,
    ids,
    jsonrpc,
    lists,
    upstream_sessions,
)
from gateway.answers import Plan
from gateway.errors import Lost, NoSession, UpstreamFault
from gateway.exchange import Exchange
from gateway.jsonrpc import Id
from gateway.questions import PATIENCE, Asked
from gateway.relaying import relay
from gateway.snapshot import Upstream
from gateway.upstream_sessions import Opened
from policies.decision import make
from servers.http1 import Response

NOTHING: Mapping[str, Any] = {}
# Fields, or a head that is written already; how many of these an upstream keeps.
Head = headers.List | bytes
MOST_HEADS = 256


async def forward(x: Exchange) -> None:
    """Answers the client in every case, and says what became of the call."""
    plan = None
    try:
        modern = x.snapshot.rights.upstream.era == "modern"
        opened = None if modern else await _session(x)
        plan = _plan(x)
        await _exchange(x, plan, opened)
    except UpstreamFault as fault:
        if x.cancelled:
            # To end its answer is how a server obeys, and nobody waits for words.
            raise asyncio.CancelledError from None
        x.gateway.faulted(x)
        await _failed(x, plan or _bare(x), fault)


async def _session(x: Exchange) -> Opened:
    """The upstream session that this request belongs to."""
    if not x.snapshot.rights.upstream.era:
        raise UpstreamFault("The server has not been reached yet", sent=False)
    if x.session is None:
        return await x.gateway.bridge.get(x.snapshot)
    if x.session.upstream is None:
        x.gateway.not_sent(x, "no session with the server")
        raise NoSession("opened while the server was of another era, or stopped")
    return Opened(x.session.upstream, x.session.upstream_revision, {})


def _plan(x: Exchange) -> Plan:
    rights, message, items = x.snapshot.rights, x.message, x.method.items
    era, id, method = rights.upstream.era, message.id, message.method
    assert id is not None
    sent: Id = id
    legacy = era == "legacy"
    if legacy:
        sent = ids.seal(x.gateway.keys, x.id, rights.grant_id, method, id)
        x.upstream_id = sent
    token = message.params.get("_meta", NOTHING).get("progressToken")
    asked = type(token) is str or type(token) is int
    progress = (sent if legacy else token, token) if asked else None
    page = lists.page(items, rights, partial(_drifted, x)) if items else None
    name = rights.server_name
    return make(
        Plan, (sent, id, method, x.era, era, name, progress, page, x.progressed)
    )


def _drifted(x: Exchange) -> None:
    x.gateway.drifted(x.snapshot.rights)


def _bare(x: Exchange) -> Plan:
    assert x.message.id is not None
    return Plan(x.message.id, x.message.id, x.message.method, x.era, x.era, "")


async def _exchange(x: Exchange, plan: Plan, opened: Opened | None) -> None:
    body, head, again = _body(x, plan), _head(x, opened), x.method.repeatable
    while True:
        try:
            response = await _post(x, body, head)
            if response.status == 404 and opened is not None and opened.id:
                response = await _renewed(x, response, opened, body)
            if (going := relay(x, plan, response)) is not None:
                await going
            return
        except Lost:
            if x.started or not again:
                raise
            again = False


def _body(x: Exchange, plan: Plan) -> bytes:
    params = x.message.params.copy()
    if x.arguments is not None:
        params["arguments"] = orjson.Fragment(x.arguments)
    progress = plan.progress[0] if plan.progress is not None else None
    meta = bridge.meta_up(params.pop("_meta", NOTHING), plan.upstream, progress)
    if meta is not None:
        params["_meta"] = meta
    return jsonrpc.request(plan.sent, plan.method, params)


def _head(x: Exchange, opened: Opened | None) -> Head:
    rights, method = x.snapshot.rights, x.method
    if opened is not None:
        return upstream_sessions.headers(rights, opened)
    name = x.name if method.mirrored else None
    upstream = rights.upstream
    found = upstream.heads.get((x.message.method, name))
    if found is not None:
        return found
    head = [*upstream.headers, (headers.VERSION, b"2026-07-28")]
    head.append((headers.METHOD, x.message.method.encode()))
    if name is not None:
        head.append((headers.NAME, headers.encode(name)))
    pin = rights.tools.get(x.name) if method.kind == "tool" else None
    if pin is not None and pin.mirrored:
        more = headers.params(pin.mirrored, x.message.params.get("arguments"))
        return [*head, *more]
    return _kept(upstream, (x.message.method, name), head)


def _kept(
    upstream: Upstream, key: tuple[str, str | None], fields: headers.List
) -> Head:
    """Written once: a tool's calls differ in what they mirror of their arguments."""
    if upstream.target is None:
        return fields
    try:
        head = upstream_sessions.head(upstream.target, fields)
    except ValueError:  # whoever sends it says so
        return fields
    if len(upstream.heads) >= MOST_HEADS:
        upstream.heads.clear()
    upstream.heads[key] = head
    return head


def _post(x: Exchange, body: bytes, head: Head) -> Awaitable[Response]:
    """Raises Lost where it was sent, UpstreamFault where it was not."""
    rights, gateway = x.snapshot.rights, x.gateway
    within = gateway.asking if x.method.repeatable else gateway.calling
    return upstream_sessions.post(gateway, rights, head, body, within, x.hand_over)


async def _renewed(
    x: Exchange, response: Response, opened: Opened, body: bytes
) -> Response:
    """The server knows the session no more, so it did not take the request: a client
    that has a session begins anew; for others another one is opened, once."""
    response.close()
    if x.session is not None:
        x.gateway.outcome(x, "error", code=404, detail="session ended")
        raise NoSession("the server ended the session")
    fresh = await x.gateway.bridge.get(x.snapshot, dead=opened)
    head = upstream_sessions.headers(x.snapshot.rights, fresh)
    return await _post(x, body, head)


async def _failed(x: Exchange, plan: Plan, fault: UpstreamFault) -> None:
    sent = x.sent or fault.sent
    if not sent:
        x.gateway.not_sent(x, fault.text)
    elif not x.answered:
        x.gateway.outcome(x, "unknown", detail=fault.text)
    if x.answered:
        return
    words = _words(fault, sent, x.method.repeatable)
    if x.asked is not None and x.asked.used_by is not None:
        words = f"{words} {await _approval(x.asked, sent)}"
    event = answers.refused(plan, words)
    if x.started:
        await x.event(event.body, last=True)
    else:
        await x.reply(200, event.body)


async def _approval(asked: Asked, sent: bool) -> str:
    """What became of the approval that the call ran by."""
    if not sent and asked.given_back is not None:
        await asyncio.wait([asked.given_back], timeout=PATIENCE)
    return approval_texts.USED_UP if asked.used else approval_texts.GIVEN_BACK


def _words(fault: UpstreamFault, sent: bool, repeatable: bool) -> str:
    if not sent:
        return f"{fault.text}. Nothing was executed; it can be tried again."
    if repeatable:
        return f"{fault.text}."
    return (
        f"{fault.text}. It is not known whether the call was executed: do not repeat"
        " it without checking."
    )
