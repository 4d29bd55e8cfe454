"""What the gateway answers itself: initialize, discover, ping, and all refusals."""

from __future__ import annotations

import time
from typing import Any

from gateway import (
    approval_texts,
    bridge,
    check_approval,
    elicitation,
    eras,
    jsonrpc,
    lists,
    refusals,
    sessions,
    tasks,
    upstream_sessions,
)
from gateway.answers import Event
from gateway.errors import INVALID_PARAMS, InvalidParams, Unavailable, UpstreamFault
from gateway.exchange import Exchange
from gateway.questions import Unanswered
from gateway.snapshot import Rights
from gateway.upstream_sessions import Opened

# What is really relayed; of these, what the server has.
CAPABILITIES = ("tools", "resources", "prompts", "completions")
# Kinds of methods that no server hears of.
KINDS = frozenset({"local", "task", "helper"})


async def refuse(x: Exchange) -> None:
    """A decision that is not `allow`, in the client's words."""
    decision, id = x.decision, x.message.id
    assert id is not None
    if x.method.kind == "list" and x.method.items is not None:
        await x.reply(200, jsonrpc.result(id, _empty(x, x.method.items)))
        return
    body = refusals.answer(
        decision,
        call=x.id,
        id=id,
        kind=x.method.kind,
        name=x.name,
        era=x.era,
        retry_after=x.retry_after,
        note=x.note,
    )
    if decision.decision == "hide":
        x.gateway.drifted(x.snapshot.rights)
    await x.reply(200, body)


def _empty(x: Exchange, items: str) -> dict[str, Any]:
    return bridge.result_down(
        x.message.method,
        lists.empty(items),
        x.era,
        "legacy",
        x.snapshot.rights.server_name,
    )


async def answer(x: Exchange) -> None:
    if x.message.method == "initialize":
        await _initialize(x)
    elif x.message.method == "server/discover":
        await _reply(x, _discovered(x.snapshot.rights))
    elif x.method.kind == "task":
        await _task(x)
    elif x.method.kind == "helper":
        await _reply(x, await check_approval.answer(x))
    else:
        await _reply(x, {})


async def _task(x: Exchange) -> None:
    secret, own = x.message.params["taskId"], x.gateway.tasks
    ask = {"tasks/get": own.get, "tasks/update": own.update, "tasks/cancel": own.cancel}
    try:
        result = await ask[x.message.method](x, secret)
    except Unanswered as error:
        x.gateway.outcome(x, "error", detail=str(error))
        raise Unavailable(approval_texts.UNSEEN, log=str(error)) from None
    if result is None:
        x.gateway.outcome(x, "error", code=INVALID_PARAMS)
        raise InvalidParams("Unknown task: it is another grant's, or over")
    await _reply(x, result)


async def _reply(x: Exchange, result: dict[str, Any]) -> None:
    assert x.message.id is not None
    body = jsonrpc.result(x.message.id, result)
    x.gateway.answered(x, Event("final", body))
    await x.reply(200, body)


def _about(rights: Rights) -> dict[str, Any]:
    return {"name": rights.server_name, "version": bridge.OUR_VERSION}


TASKS: dict[str, Any] = {"extensions": {tasks.EXTENSION: {}}}


def _capabilities(told: Any) -> dict[str, Any]:
    """Without `listChanged` and `subscribe`: nothing is pushed to clients yet."""
    return {name: {} for name in CAPABILITIES if name in told}


def _discovered(rights: Rights) -> dict[str, Any]:
    return {
        "resultType": "complete",
        "supportedVersions": [eras.MODERN],
        "capabilities": _capabilities(rights.upstream.capabilities) | TASKS,
        "ttlMs": bridge.MAX_TTL,
        "cacheScope": "private",
        "_meta": {eras.META_SERVER: _about(rights)},
    }


async def _initialize(x: Exchange) -> None:
    rights, revision = x.snapshot.rights, x.revision
    try:
        opened = await _opened(x, rights)
    except UpstreamFault as fault:
        assert x.message.id is not None
        x.gateway.faulted(x)
        x.gateway.outcome(x, "error", detail=fault.text)
        body = jsonrpc.error(x.message.id, -32603, f"{fault.text}. Try again later.")
        await x.reply(200, body)
        return
    told = opened.capabilities if opened else rights.upstream.capabilities
    sealed = sessions.seal(x.gateway.keys, _session(x, rights, opened))
    x.extra = ((b"mcp-session-id", sealed.encode()),)
    await _reply(
        x,
        {
            "protocolVersion": revision,
            "capabilities": _capabilities(told),
            "serverInfo": _about(rights),
        },
    )


async def _opened(x: Exchange, rights: Rights) -> Opened | None:
    """A session with a server of the handshake era; none where nothing may run."""
    if rights.upstream.era != "legacy" or rights.killed or rights.policy is None:
        return None
    return await upstream_sessions.open_session(x.gateway, rights, x.revision)


def _session(x: Exchange, rights: Rights, opened: Opened | None) -> sessions.Session:
    declared = x.message.params.get("capabilities")
    known = declared if isinstance(declared, dict) else {}
    return sessions.Session(
        grant=rights.grant_id,
        server=rights.server_id,
        credential=rights.upstream.credential_id,
        revision=x.revision,
        upstream=opened.id if opened else None,
        upstream_revision=opened.revision if opened else "",
        client_name=x.client,
        capabilities={
            name: elicitation.kept(known, x.revision) if name == "elicitation" else {}
            for name in list(known)[:20]
        },
        at=int(time.time()),
    )
