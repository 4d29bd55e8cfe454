"""A call that a rule asks people about: asked, waited for, and run once.

What the client gets goes by what this very request declares, in this order:

    Tasks            a task, which is followed by polling (gateway/tasks.py)
    elicitation.url  it is asked to open the page (gateway/elicitation.py); having done
                     so it calls again, and that call is held
    else             the call is held for a while (gateway/holding.py)
    at last          a text: who is asked, where, until when; "call again with the same
                     arguments"

A call that was approved runs as a call of its own: the one that asked stays on record
as what it was. It is judged again first, and uses the approval up by a conditional
UPDATE right before it is sent, after its record and its counters. Whoever dies in
between has run nothing; whoever dies after it may have, and nothing runs twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from datetime import UTC, datetime
from uuid import UUID

from approvals.looking import Standing
from gateway import (
    approval_texts,
    elicitation,
    holding,
    jsonrpc,
    questions,
    refusals,
    tasks,
)
from gateway.elicitation import URL_REQUIRED
from gateway.exchange import Exchange
from gateway.governing import asking, govern
from gateway.questions import Asked, Unanswered
from policies.decision import Ask

ANOTHER_RULE = (
    "Another rule asks about this call now, which was not among those shown. It is"
    " asked again with all of them."
)
OTHER_RULES = (
    "The policy or the tool changed after it was asked for. Call again with the same"
    " arguments: the call is then judged by the rules of now."
)
DENIED = "The rules deny the call now."

log = logging.getLogger(__name__)


def ask(x: Exchange) -> Awaitable[None] | None:
    """Nothing to do for a call that runs and needs nobody."""
    decision = x.decision.decision
    if decision == "allow":
        return None if x.asked is None else _use(x, x.asked)
    if decision == "require_approval":
        return _guarded(x)
    if x.asked is None and (decision == "limit" or not _may_ask(x)):
        return None
    if decision == "hide":  # nothing may tell it from what is unknown, nor the time
        x.gateway.background(_refused(x))
        return None
    return _refused(x)


# It needs people


async def _guarded(x: Exchange) -> None:
    try:
        await _wait(x)
    except Unanswered as error:
        log.warning("nobody was asked: %s", error)
        await _say(x, approval_texts.UNREACHABLE)


async def _wait(x: Exchange) -> None:
    asked = asyncio.ensure_future(_held_of(x))
    try:
        held = await asyncio.shield(asked)
        await _go_on(x, held)
    except asyncio.CancelledError:
        if x.cancelled:
            x.gateway.background(_give_up(x, asked))
        raise


async def _give_up(x: Exchange, asked: asyncio.Future[Asked]) -> None:
    """The client went away, or wants no answer any more; also while it was asked."""
    await asyncio.wait([asked])
    if asked.cancelled() or asked.exception() is not None:
        return
    standing = asked.result().standing
    if standing.kind == "pending" and standing.id is not None:
        await holding.give_up(x, standing.id)


async def _go_on(x: Exchange, held: Asked) -> None:
    if held.approved:
        await _again(x, held)
    elif held.standing.kind == "pending":
        await _ladder(x, held)
    else:
        await _tell(x, held.standing)


async def _held_of(x: Exchange) -> Asked:
    """Joins who asks already, or asks. What was approved without all rules that ask
    now is void first. Raises Unanswered."""
    asks = x.decision.asks
    if x.asked is not None:
        if not x.asked.binding:
            raise Unanswered("nor could it be looked at before")
        if _answers(x.asked.standing, asks):
            return x.asked
        await _void(x, x.asked, ANOTHER_RULE)
        asks = _all_asks(x, x.asked)
    held = await questions.ask(x, asks)
    if held.approved and not {one.rule for one in asks} <= held.covers:
        await _void(x, held, ANOTHER_RULE)
        held = await questions.ask(x, asks)
    known, x.asked, x.approval = x.approval, held, held.standing.id
    if x.approval is not None and x.approval != known:
        x.gateway.outcome(x, "refused")  # which puts the approval on record
    return held


def _answers(standing: Standing, asks: tuple[Ask, ...]) -> bool:
    """What was found before the call was judged says all: nobody needs to be asked."""
    if standing.kind == "pending":
        return {one.rule for one in asks} <= standing.rules
    return standing.kind == "denied"


def _all_asks(x: Exchange, held: Asked) -> tuple[Ask, ...]:
    """Those that ask now, and those that the approval covered before them."""
    x.asked = None
    found = {one.rule: one for one in (*asking(x), *x.decision.asks)}
    rest = sorted(held.covers - set(found))
    return (*found.values(), *(Ask(rule, None) for rule in rest))


async def _ladder(x: Exchange, held: Asked) -> None:
    standing, meta = held.standing, x.message.params.get("_meta", {})
    if x.method.kind == "tool" and tasks.is_declared(x.era, meta):
        made = await x.gateway.tasks.make(x, standing)
        await (_tell(x, standing) if made is None else _result(x, made))
        return
    back = x.returned
    if back is not None and back.approval == standing.id:
        if not back.opened:
            words = f"{_words(x, standing)} {approval_texts.NOT_OPENED}"
            await _say(x, words)
            return
    elif (x.era == "modern" or standing.new) and _opens_pages(x):
        await _elicit(x, standing)
        return
    await _hold(x, held)


def _opens_pages(x: Exchange) -> bool:
    session = {} if x.session is None else x.session.capabilities
    meta = x.message.params.get("_meta", {})
    return elicitation.is_declared(x.era, meta, session)


async def _elicit(x: Exchange, standing: Standing) -> None:
    assert standing.id is not None and standing.expires_at is not None
    assert x.message.id is not None
    link = approval_texts.page(x.gateway.base_url, standing.id)
    message = approval_texts.please_open(x.name)
    if x.era == "modern":
        ends = int(standing.expires_at.timestamp())
        state = elicitation.seal(x.gateway.keys, standing.id, questions.bound(x), ends)
        await _result(x, elicitation.input_required(link, message, state))
        return
    data = elicitation.required(link, message, standing.id) | _meta(x)
    words = _words(x, standing)
    await x.reply(200, jsonrpc.error(x.message.id, URL_REQUIRED, words, data))


async def _hold(x: Exchange, held: Asked) -> None:
    rights, standing = x.snapshot.rights, held.standing
    seconds = holding.window(rights, x.client)
    if seconds and holding.takes_events(x):
        async with x.gateway.slots.taken(rights, seconds) as room:
            if room:
                standing = await _held(x, standing, seconds)
    # A client of the handshake era that went away hears no result: it is kept for
    # the call that it makes when it is back.
    if standing.kind == "approved" and not x.gone:
        await _again(x, Asked(standing, held.binding, held.snapshot))
        return
    await _tell(x, standing)


async def _held(x: Exchange, standing: Standing, seconds: float) -> Standing:
    found = await holding.hold(x, standing, seconds)
    if x.era == "legacy" and found.kind != "pending" and _opens_pages(x):
        told = {"elicitationId": str(standing.id)}
        method = "notifications/elicitation/complete"
        await x.event(jsonrpc.notification(method, told))
    return found


# It is approved


async def _again(x: Exchange, held: Asked) -> None:
    """The same call once more, under an id of its own, by what was approved."""
    x.renew()
    x.asked, x.approval = held, held.standing.id
    await govern(x)
    decision = x.decision.decision
    if decision == "allow":
        await _use(x, held)
    elif decision == "require_approval":
        await _tell(x, (await _held_of(x)).standing)
    else:
        await _refused(x)


async def _use(x: Exchange, held: Asked) -> None:
    """Uses the approval up: from here on this call, and no other, may be sent."""
    if not held.approved:  # the rules that asked are gone
        return
    if held.snapshot is not x.snapshot and questions.binding(x) != held.binding:
        await _unused(x, held, OTHER_RULES)
        return
    try:
        if await questions.use(x, held):
            return
        x.gateway.not_sent(x, "the approval was used by another call, or is over")
        standing = await questions.look(x.gateway, _owner(x), _id(held))
    except Unanswered as error:
        log.warning("an approved call does not run: %s", error)
        x.gateway.not_sent(x, "the approval could not be used")
        await _say(x, approval_texts.UNREACHABLE)
        return
    await _tell(x, standing)


async def _unused(x: Exchange, held: Asked, why: str) -> None:
    x.gateway.not_sent(x, "the approval is for other rules")
    words = await _void(x, held, why)
    held.standing = held.standing._replace(kind="none")
    await _say(x, words)


def _owner(x: Exchange) -> UUID:
    return x.snapshot.rights.organization_id


def _id(held: Asked) -> UUID:
    assert held.standing.id is not None
    return held.standing.id


# It is refused after all


def _may_ask(x: Exchange) -> bool:
    """Whether what is denied now may have been approved before."""
    rights = x.snapshot.rights
    if x.method.kind != "tool" or rights.policy is None or x.name not in rights.tools:
        return False
    plan = rights.policy.resolve(x.name).enforced
    return bool(plan.asks) or any(
        limit.still.over == "require_approval" for limit in plan.limits
    )


async def _refused(x: Exchange) -> None:
    """A full limit leaves the approval usable; a denial makes it void. The answer is
    the refusal's, with these words."""
    try:
        if x.asked is None:
            x.asked = await questions.find(x, ())
        if not x.asked.approved:
            return
        standing = x.asked.standing
        if x.decision.decision != "limit":
            x.note = await _void(x, x.asked, DENIED)
        elif standing.id is not None and standing.usable_until is not None:
            until = approval_texts.moment(standing.usable_until, datetime.now(UTC))
            x.note = approval_texts.usable(standing.id, until)
    except Unanswered as error:
        log.warning("an approval of a denied call was not looked for: %s", error)


async def _void(x: Exchange, held: Asked, why: str) -> str:
    """Words for it; none where there was nothing to make void."""
    if not held.approved or held.standing.id is None:
        return ""
    await questions.void(x, held.standing.id, why)
    return approval_texts.void(held.standing.id, why)


# What is said


def _words(x: Exchange, standing: Standing) -> str:
    if standing.kind == "too_many":
        return approval_texts.too_many(x.gateway.base_url)
    if standing.kind != "pending" or standing.id is None:
        return approval_texts.over(standing)
    until = ""
    if standing.expires_at is not None:
        until = approval_texts.moment(standing.expires_at, datetime.now(UTC))
    link = approval_texts.page(x.gateway.base_url, standing.id)
    reason = x.decision.reason or ""
    return approval_texts.pending(reason, standing.waiting_for, link, until)


async def _tell(x: Exchange, standing: Standing) -> None:
    """How it stands now, in words and in `_meta`."""
    if x.asked is not None:
        x.asked.standing = standing
    await _say(x, _words(x, standing))


def _meta(x: Exchange) -> dict[str, str]:
    standing = None if x.asked is None else x.asked.standing
    return approval_texts.meta(x.decision, x.id, standing, x.gateway.base_url)


async def _say(x: Exchange, words: str) -> None:
    assert x.message.id is not None
    body = refusals.waits(
        words,
        _meta(x),
        id=x.message.id,
        kind=x.method.kind,
        era=x.era,
    )
    await x.reply(200, body)


async def _result(x: Exchange, result: dict[str, object]) -> None:
    assert x.message.id is not None
    await x.reply(200, jsonrpc.result(x.message.id, result))
