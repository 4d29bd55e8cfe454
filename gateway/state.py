"""What the requests of one process share, and what happens when one ends."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from django.conf import settings

from accounts.keys import tag
from audit.entries import OutcomeEntry, Status
from gateway import questions, sessions, upstream_sessions
from gateway.answers import Event
from gateway.budgets import Parsing
from gateway.door import Hosts, token_digest
from gateway.ending import Endings
from gateway.errors import UpstreamFault
from gateway.exchange import Exchange
from gateway.heads import Heads
from gateway.jsonrpc import Id
from gateway.keys import Keys
from gateway.outcomes import Outcomes
from gateway.refresh import Refresher
from gateway.sessions import Session
from gateway.slots import Slots
from gateway.snapshot import Rights, Snapshot
from gateway.snapshots import Snapshots
from gateway.tasks import Run, Tasks
from gateway.threads import Threads
from gateway.upstream_sessions import Bridge, Opened
from gateway.valkey import Valkey, ValkeyDown
from gateway.waker import Waker
from gateway.watch import Watch
from policies.decision import make
from policies.limits import Owners
from servers.http1 import Deadlines, Pool
from servers.outbound import Door

# For what has no effect and is asked quickly: lists, reads, prompts, completion.
ASKING = Deadlines(connect=5.0, first_byte=30.0, idle=30.0, total=90.0)
MAX_SESSIONS = 20_000
# Outcomes that say nothing of `isError`.
UNREAD = frozenset({"not_inspected", "refused"})
# Seconds that a server has to answer a call that its client cancelled.
CANCEL_GRACE = 5.0


class Gateway:
    """Belongs to one event loop: make it there, `start` it, `close` it."""

    def __init__(
        self, rerun: Run, heads: Heads, *, deadlines: Deadlines | None = None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.heads = heads
        self.time = self._loop.time
        self.asking = deadlines or ASKING
        self.calling = deadlines or _calling(settings.UPSTREAM_CALL_SECONDS)
        self.keys = Keys(settings.ENCRYPTION_KEYS)
        self.hosts = Hosts(settings.ALLOWED_HOSTS, settings.ALLOWED_ORIGINS)
        self.valkey = Valkey(settings.REDIS_URL, durable=settings.RECORDS_DURABLE)
        door = Door.from_settings()
        self.pool = Pool(door)
        self.snapshots = Snapshots(self.valkey, door)
        self.outcomes = Outcomes(self.valkey)
        self.bridge = Bridge(self)
        self.flights: dict[tuple[bytes, type, Id], Exchange] = {}
        self.watch = Watch()
        self.base_url = settings.BASE_URL
        self.approvals = Threads(questions.THREADS, "approvals")
        self.turns: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()
        self.slots = Slots(self.valkey)
        self.tasks = Tasks(self, rerun)
        self.waker = Waker(settings.REDIS_URL, self._decided, self.tasks.told)
        self._endings = Endings(self)
        self.parsing = Parsing()
        self._refresher = Refresher(self)
        self._sessions: dict[str, Session] = {}
        self._digests: dict[bytes, bytes] = {}
        self._owners: dict[bytes, tuple[Owners, Owners]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        await self.valkey.connect()
        await self.outcomes.start()
        self.watch.start()
        self.waker.start()
        self._endings.start()

    async def close(self) -> None:
        await self._endings.close()
        await self.waker.close()
        await self.tasks.close()
        self.watch.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.outcomes.close()
        await self.approvals.close()
        await self.snapshots.close()
        await self.valkey.close()
        self.pool.close()

    def background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def digest(self, headers: Mapping[bytes, bytes]) -> bytes:
        """The token's hash, made once for a token that is well formed."""
        sent = headers.get(b"authorization", b"")
        digest = self._digests.get(sent)
        if digest is None:
            digest = token_digest(sent)
            if len(self._digests) > MAX_SESSIONS:
                self._digests.clear()
            self._digests[sent] = digest
        return digest

    # Sessions of clients

    def session(self, text: str) -> Session:
        """Opened once a process. Raises NoSession."""
        session = self._sessions.get(text)
        if session is None:
            session = sessions.unseal(self.keys, text)
            if len(self._sessions) > MAX_SESSIONS:
                self._sessions.clear()
            self._sessions[text] = session
        return session

    def session_owners(self, snapshot: Snapshot, session: Session) -> Owners:
        known = self._owners.get(session.hash)
        if known is None or known[0] is not snapshot.owners:
            if len(self._owners) > MAX_SESSIONS:
                self._owners.clear()
            known = snapshot.owners, snapshot.owners.with_session(session.hash)
            self._owners[session.hash] = known
        return known[1]

    def closed(self, session: Session, snapshot: Snapshot) -> asyncio.Future[Any]:
        """Whether some replica ended it; asked in the same write as the script."""
        future = self.valkey.command("EXISTS", _closed_key(session, snapshot))
        future.add_done_callback(_look)
        return future

    async def close_session(self, session: Session, snapshot: Snapshot) -> None:
        key = _closed_key(session, snapshot)
        await self.valkey.command("SET", key, 1, "EX", sessions.LIFETIME)

    # The server

    def drifted(self, rights: Rights) -> None:
        """The server's lists may be others than those pinned."""
        self._refresher.ask(rights.server_id)

    def faulted(self, x: Exchange) -> None:
        self._refresher.ask(x.snapshot.rights.server_id)

    def decline(self, x: Exchange, body: bytes) -> None:
        """Answers a question of the server, beside the call that it belongs to."""
        self.background(self._tell(x, body))

    def cancel(self, x: Exchange) -> None:
        """The client wants no answer any more; the server is told, where it can be."""
        if x.cancelled:
            return
        x.cancelled = True
        upstream = x.snapshot.rights.upstream
        graceful = x.sent and x.era == upstream.era == "legacy"
        wait = CANCEL_GRACE if graceful else 0.0
        if upstream.era == "legacy" and x.sent:
            body = upstream_sessions.cancelled(x.upstream_id)
            self.background(self._tell(x, body))
        if x.task is not None:
            self._loop.call_later(wait, x.task.cancel)

    def end(self, x: Exchange, why: str) -> None:
        """The grant has no right to it any more; gateway/ending.py says so."""
        if x.cancelled or x.ending or x.task is None:
            return
        x.ending = why
        if x.snapshot.rights.upstream.era == "legacy" and x.sent:
            body = upstream_sessions.cancelled(x.upstream_id)
            self.background(self._tell(x, body))
        x.task.cancel()

    async def _decided(self, approvals: Collection[UUID]) -> Collection[UUID]:
        try:
            return await questions.answered(self, lambda: questions.over(approvals))
        except questions.Unanswered:
            return ()

    async def _tell(self, x: Exchange, body: bytes) -> None:
        rights, session = x.snapshot.rights, x.session
        try:
            if session is None:
                opened = await self.bridge.get(x.snapshot)
            else:
                opened = Opened(session.upstream or "", session.upstream_revision, {})
            head = upstream_sessions.headers(rights, opened)
            response = await upstream_sessions.post(
                self, rights, head, body, upstream_sessions.OPENING
            )
            response.close()
        except (UpstreamFault, ValkeyDown):
            return  # the server learns it when its answer finds no reader

    # How calls end

    def answered(self, x: Exchange, event: Event) -> None:
        self.outcome(x, event.status, code=event.code, bytes=len(event.body))

    def not_sent(self, x: Exchange, detail: str) -> None:
        """Certainly: what was counted is given back, and so is its approval."""
        given_back = False
        if x.asked is not None and x.asked.used:
            questions.give_back(x, x.asked)
        if x.reserved is not None:
            given_back = self.outcomes.give_back(*x.reserved)
            x.reserved = None
        self.outcome(x, "not_sent", given_back=given_back, detail=detail)

    def outcome(
        self,
        x: Exchange,
        status: Status,
        *,
        code: int | None = None,
        bytes: int = 0,
        given_back: bool = False,
        detail: str = "",
    ) -> None:
        """The first one counts."""
        if x.settled:
            return
        x.settled = True
        snapshot = x.snapshot
        fields = (
            *(x.id, snapshot.rights.organization_id, status, code),
            None if status in UNREAD else status == "tool_error",
            *(bytes, (self.time() - x.since) * 1000, given_back, detail[:500]),
            x.approval if status == "refused" else None,
        )
        self.outcomes.add(snapshot.outcomes, make(OutcomeEntry, fields))

    def done(self, x: Exchange) -> None:
        """Whatever happened: a call that was allowed gets an outcome."""
        self.watch.forget(x)
        if x.flight is not None:
            self.flights.pop(x.flight, None)
        if x.allowed and not x.settled:
            if x.sent:
                self.outcome(x, "cancelled" if x.cancelled else "unknown")
            else:
                self.not_sent(x, "the client went away" if x.cancelled else "")


def _calling(seconds: float) -> Deadlines:
    return Deadlines(connect=5.0, first_byte=seconds, idle=seconds, total=3 * seconds)


def _closed_key(session: Session, snapshot: Snapshot) -> str:
    return f"{tag(snapshot.rights.shard)}:closed:{session.hash.hex()}"


def _look(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
