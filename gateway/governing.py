"""Judging a request and asking Valkey, in one round trip: nothing goes on without it.

The snapshot's generation, the counters and the record travel together; the script does
all of it or nothing. A generation that is no longer in force means: load again, judge
again, at most three times in one call.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from gateway import covering, questions, strictjson
from gateway.errors import NoSession, Unauthorized, Unavailable
from gateway.exchange import Exchange
from gateway.questions import Asked
from gateway.sessions import check as check_session
from gateway.snapshot import Rights, Snapshot
from gateway.valkey import ValkeyChanged
from policies.decide import judge, visible_prompt, visible_resource
from policies.decision import ALLOW, Ask, Decision, Judgement, make
from policies.facts import Call, Facts
from policies.limits import (
    CALL,
    Mode,
    Prepared,
    ScriptReply,
    decide,
    prepare,
    read_reply,
)

KILLED = Decision("deny", "(killed)", None)
NO_POLICY = Decision("deny", "(no policy)", None)
TRIES = 3
NOTHING: frozenset[str] = frozenset()


def govern(x: Exchange) -> Awaitable[None]:
    """Sets `decision`. Raises Unauthorized, Unavailable, NoSession."""
    return _settle(x, None)


async def record_refusal(x: Exchange, text: str) -> None:
    """A request that breaks the protocol is on record too, under the rules in force.
    Raises like `govern`."""
    await _settle(x, Decision("deny", "(refused)", text))


async def _settle(x: Exchange, refused: Decision | None) -> None:
    given = x.asked
    for _ in range(TRIES):
        snapshot = x.snapshot
        void = snapshot.void(time.time())
        unjudged = Decision("deny", void, None) if void else refused
        judged = unjudged or _judge(x, snapshot.rights)
        if type(judged) is Judgement and judged.enforced.asks and x.asked is None:
            await questions.look_first(x, judged.enforced.asks)
            judged = _judge(x, snapshot.rights)
        try:
            prepared, raw, closed = _ask(x, snapshot, judged)
            reply = read_reply(prepared, await raw)
        except ValkeyChanged:
            await _again(x, given)
            continue
        if reply.status == "stale":
            await _again(x, given)
            continue
        _take(x, snapshot, judged, prepared, reply)
        if closed is not None and await closed:
            x.gateway.not_sent(x, "the session was closed")
            raise NoSession("closed session")
        if void:
            raise Unauthorized(void)
        return
    raise Unavailable(
        "The rules of this grant are being changed at this moment, so nothing was"
        " executed. Try again in a few seconds.",
        log="(changing)",
    )


async def _again(x: Exchange, given: Asked | None) -> None:
    """Under other rules it may be another question: what was found is not kept."""
    await reload(x)
    x.asked = given
    x.approval = None if given is None else given.standing.id


async def reload(x: Exchange) -> None:
    """The rules anew. Raises Unauthorized where the token has none any more."""
    snapshot = await x.gateway.snapshots.load(x.digest)
    if snapshot is None:
        raise Unauthorized("the grant is gone")
    x.snapshot = snapshot
    check_place(x)


def check_place(x: Exchange) -> None:
    """Token and session belong to this endpoint."""
    rights = x.snapshot.rights
    if x.path[5:] != rights.public_id:
        raise Unauthorized("token of another endpoint")
    if x.session is not None:
        check_session(
            x.session,
            grant=rights.grant_id,
            server=rights.server_id,
            credential=rights.upstream.credential_id,
            now=time.time(),
        )


Sent = tuple[Prepared, Awaitable[Any], Awaitable[Any] | None]


def _ask(x: Exchange, snapshot: Snapshot, judged: Judgement | Decision) -> Sent:
    """One write: the script, and whether the session was closed. Raises ValkeyDown."""
    gateway, session = x.gateway, x.session
    owners = snapshot.owners
    if session is not None:
        owners = gateway.session_owners(snapshot, session)
    message = x.message
    if "arguments" in message.params:
        x.arguments = strictjson.dumps(message.params["arguments"])
    mode: Mode = "record"
    if isinstance(judged, Decision):
        judgement, decided = None, judged
    else:
        judgement, decided = judged, ALLOW
        if judgement.enforced.decided is None:
            mode = judgement.mode
    said = message.method, x.name, (x.client, x.era, x.revision), x.arguments
    record = snapshot.record.encode(x.id, *said, judgement, decided, x.approval)
    prepared = prepare(owners, snapshot.generation, judgement, record, mode)
    closed = None if session is None else gateway.closed(session, snapshot)
    raw = gateway.valkey.run(
        CALL,
        prepared.keys,
        prepared.argv,
        epoch=snapshot.epoch,
        late=partial(_late, x, prepared, judged),
    )
    return prepared, raw, closed


def _take(
    x: Exchange,
    snapshot: Snapshot,
    judged: Judgement | Decision,
    prepared: Prepared,
    reply: ScriptReply,
) -> None:
    """Sets `decision`: it is on record. Raises Unavailable where it is not."""
    if reply.status == "log full":
        raise Unavailable(
            "The activity log is full, so nothing was executed. A person must see to"
            " the recorder; try again later.",
            log="log full",
        )
    if reply.reserved:
        x.reserved = (prepared, reply, snapshot.epoch)
    x.decision = _settled(judged, reply)
    x.allowed = x.decision.decision == "allow"
    if x.decision.decision == "limit" and isinstance(judged, Judgement):
        x.retry_after = _retry_after(judged, reply, x.decision)


def _settled(judged: Judgement | Decision, reply: ScriptReply) -> Decision:
    return judged if isinstance(judged, Decision) else decide(judged, reply)


def _retry_after(
    judgement: Judgement, reply: ScriptReply, decision: Decision
) -> int | None:
    for use, wait in zip(judgement.uses, reply.retry_after, strict=True):
        if use.rule == decision.rule:
            return wait
    return None


def _late(
    x: Exchange, prepared: Prepared, judged: Judgement | Decision, raw: Any
) -> None:
    """A reply after its time: the call was refused, so what it reserved goes back."""
    reply = read_reply(prepared, raw)
    if reply.status in ("stale", "log full"):
        return
    if _settled(judged, reply).decision == "allow":
        if reply.reserved:
            x.reserved = (prepared, reply, x.snapshot.epoch)
        x.gateway.not_sent(x, "Valkey answered too late")


def _judge(x: Exchange, rights: Rights) -> Judgement | Decision:
    kind = x.method.kind
    if kind == "tool" or kind == "resource" or kind == "prompt":
        args = x.message.params.get("arguments", {})
        call = make(Call, (kind, x.name, args))
        return judge(rights.policy, call, facts(x, rights))
    if kind == "local":
        return ALLOW
    if rights.killed:
        return KILLED
    if rights.policy is None:
        return NO_POLICY
    return _completion(x, rights) if kind == "completion" else ALLOW


def asking(x: Exchange) -> tuple[Ask, ...]:
    """The rules, but for limits, that ask about this call."""
    judged = _judge(x, x.snapshot.rights)
    return judged.enforced.asks if isinstance(judged, Judgement) else ()


def facts(x: Exchange, rights: Rights) -> Facts:
    pin = rights.tools.get(x.name) if x.method.kind == "tool" else None
    fields = (
        pin.tool if pin is not None else None,
        *rights.known,
        x.client or None,
        datetime.now(UTC),
        rights.zone,
        NOTHING if x.asked is None and not rights.waivers else covering.rules(x),
        covering.opening(rights, x.name) if rights.break_glass else None,
    )
    return make(Facts, fields)


def _completion(x: Exchange, rights: Rights) -> Decision:
    """Completion follows the visibility of what it completes."""
    ref = x.message.params["ref"]
    visible = visible_prompt if ref["type"] == "ref/prompt" else visible_resource
    if visible(rights.policy, x.name):
        return ALLOW
    return Decision("hide", "(hidden)", None)
