"""What the gateway asks of the approvals, in bounded time and off the event loop.

Nothing here decides. Where Postgres cannot be asked, `Unanswered` is raised: the call
is then refused, whatever it is. The threads are others than those that load snapshots,
and each grant has its turns: calls that ask must not hold up those that do
not, nor one grant's calls another's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar
from uuid import UUID

from django.db import Error as DatabaseError
from django.db.models.functions import Now

from approvals import asking, running
from approvals.asking import Question
from approvals.looking import NONE, Standing
from approvals.models import Approval, State, Task
from gateway import elicitation, strictjson
from gateway.approval_texts import GONE
from policies.approving import asked
from policies.decision import Ask
from policies.models import Grant

if TYPE_CHECKING:
    from gateway.exchange import Exchange
    from gateway.snapshot import Snapshot
    from gateway.state import Gateway

T = TypeVar("T")
PATIENCE = 5.0
THREADS = 4
# How many questions of one grant are answered at once.
TURNS = 2
# Seconds before each attempt to give an approval back.
AGAIN = (0.0, 1.0, 5.0)

log = logging.getLogger(__name__)


class Unanswered(Exception):
    """Postgres did not answer, or not in time."""


@dataclass(slots=True)
class Asked:
    """The approval that a call needs, as last seen, for the call with this binding,
    which was made out of `snapshot`; `used` once a call runs by it, as `used_by`."""

    standing: Standing = NONE
    binding: str = ""
    snapshot: Snapshot | None = None
    used: bool = False
    used_by: UUID | None = None
    given_back: asyncio.Task[None] | None = None

    @property
    def approved(self) -> bool:
        return self.standing.kind == "approved"

    @property
    def covers(self) -> frozenset[str]:
        """The rules that need not ask."""
        return self.standing.rules if self.approved else frozenset()


def question(x: Exchange, asks: tuple[Ask, ...]) -> Question:
    """The call as judged under the snapshot that it has now."""
    rights = x.snapshot.rights
    policy, kind = rights.policy, x.method.kind
    assert policy is not None and kind in ("tool", "resource", "prompt")
    pin = rights.tools.get(x.name) if kind == "tool" else None
    return Question(
        organization_id=rights.organization_id,
        grant_id=rights.grant_id,
        server_id=rights.server_id,
        method=x.message.method,
        name=x.name,
        arguments=strictjson.dumps(x.message.params.get("arguments", {})),
        fingerprint=pin.fingerprint if pin is not None else "",
        entry_digest=policy.entry_digest(x.name)
        if kind == "tool"
        else policy.section_digest(_read(kind)),
        policy_id=rights.policy_id,
        policy_version=rights.policy_version,
        asks=asks,
        asked=asked(policy, kind, x.name, asks),
        client=x.client,
        call=x.id,
    )


def _read(kind: str) -> Literal["resource", "prompt"]:
    return "resource" if kind == "resource" else "prompt"


def binding(x: Exchange) -> str:
    return asking.bind(question(x, ())).binding


def bound(x: Exchange) -> bytes:
    """What the state of a client that is sent to a page is sealed for."""
    arguments = strictjson.dumps(x.message.params.get("arguments", {}))
    grant = x.snapshot.rights.grant_id
    return elicitation.bound(grant, x.message.method, x.name, arguments)


async def look_first(x: Exchange, asks: tuple[Ask, ...]) -> None:
    """Sets `asked`: a call that was approved needs to ask nobody."""
    try:
        x.asked = await find(x, asks)
    except Unanswered as error:
        log.warning("approvals cannot be looked at: %s", error)
        x.asked = Asked()
    x.approval = x.asked.standing.id


async def find(x: Exchange, asks: tuple[Ask, ...]) -> Asked:
    return await _asked(x, question(x, asks), asking.find)


async def ask(x: Exchange, asks: tuple[Ask, ...]) -> Asked:
    try:
        return await _asked(x, question(x, asks), asking.ask)
    except Grant.DoesNotExist:
        raise Unanswered("the grant is gone") from None


async def _asked(
    x: Exchange, q: Question, how: Callable[[Question], Standing]
) -> Asked:
    snapshot = x.snapshot

    def work() -> Asked:
        return Asked(how(q), asking.bind(q).binding, snapshot)

    async with _turn(x):
        return await answered(x.gateway, work)


async def look(gateway: Gateway, organization: UUID, approval: UUID) -> Standing:
    return await answered(gateway, lambda: running.look(organization, approval))


def over(approvals: Collection[UUID]) -> list[UUID]:
    """Those of them that nobody needs to wait for any more."""
    rows = Approval.objects.across_organizations().filter(pk__in=approvals)
    waiting = rows.filter(state=State.PENDING, expires_at__gt=Now())
    return list(rows.exclude(pk__in=waiting.values("pk")).values_list("pk", flat=True))


async def void(x: Exchange, approval: UUID, reason: str) -> bool:
    organization = x.snapshot.rights.organization_id
    return await answered(
        x.gateway, lambda: running.void(organization, approval, reason)
    )


async def cancel(gateway: Gateway, organization: UUID, approval: UUID) -> bool:
    """Unless a task of the same client still waits for it."""

    def work() -> bool:
        tasks = Task.objects.for_organization(organization)
        if tasks.filter(approval=approval, status=Task.Status.WORKING).exists():
            return False
        return running.cancel(organization, approval, GONE)

    return await answered(gateway, work)


async def use(x: Exchange, held: Asked) -> bool:
    """True for the one call that runs by it. Where it is not known whether this call
    used it up, it is given back: that call does not run."""
    approval, call = held.standing.id, x.id
    assert approval is not None
    organization = x.snapshot.rights.organization_id
    doing = _in_thread(x.gateway, lambda: running.consume(organization, approval, call))
    try:
        held.used = await _patiently(asyncio.shield(doing))
    except (Unanswered, asyncio.CancelledError):
        doing.add_done_callback(_seen)
        x.gateway.background(_undo(x.gateway, doing, organization, approval, call))
        raise
    held.used_by = call if held.used else None
    return held.used


def give_back(x: Exchange, held: Asked) -> None:
    """The call certainly never reached its server; `held.given_back` is awaited before
    the client is told so."""
    approval, call = held.standing.id, held.used_by
    if approval is None or call is None or held.given_back is not None:
        return
    organization = x.snapshot.rights.organization_id

    async def give() -> None:
        back = await _give_back(x.gateway, None, organization, approval, call)
        held.used = not back

    held.given_back = x.gateway.background(give())


async def _undo(
    gateway: Gateway,
    doing: asyncio.Future[bool],
    organization: UUID,
    approval: UUID,
    call: UUID,
) -> None:
    await _give_back(gateway, doing, organization, approval, call)


async def _give_back(
    gateway: Gateway,
    after: asyncio.Future[bool] | None,
    organization: UUID,
    approval: UUID,
    call: UUID,
) -> bool:
    """Whether the identical call is approved again."""
    if after is not None:
        await asyncio.wait([after])
    work = partial(running.release, organization, approval, call)
    for wait in AGAIN:
        await asyncio.sleep(wait)
        try:
            return await answered(gateway, work)
        except Unanswered as error:
            log.warning("approval %s not given back yet: %s", approval, error)
    log.error("approval %s stays used up by call %s, which never ran", approval, call)
    return False


async def answered(gateway: Gateway, work: Callable[[], T]) -> T:
    """Raises Unanswered. What was begun may still be done after that."""
    return await _patiently(_in_thread(gateway, work))


def _in_thread(gateway: Gateway, work: Callable[[], T]) -> asyncio.Future[T]:
    return asyncio.ensure_future(gateway.approvals.run(work))


async def _patiently(doing: asyncio.Future[T]) -> T:
    try:
        async with asyncio.timeout(PATIENCE):
            return await doing
    except TimeoutError:
        raise Unanswered("Postgres does not answer") from None
    except DatabaseError as error:
        raise Unanswered(str(error)) from None


def _seen(done: asyncio.Future[bool]) -> None:
    if not done.cancelled():
        done.exception()


@asynccontextmanager
async def _turn(x: Exchange) -> AsyncIterator[None]:
    """The calls of one grant wait for each other, not for those of others."""
    turns, grant = x.gateway.turns, x.snapshot.rights.grant_id
    turn = turns.get(grant)
    if turn is None:
        turn = turns[grant] = asyncio.Semaphore(TURNS)
    try:
        async with asyncio.timeout(PATIENCE):
            await turn.acquire()
    except TimeoutError:
        raise Unanswered("too many calls of this grant ask at once") from None
    try:
        yield
    finally:
        turn.release()
