"""Tasks (2026-07-28): a call that waits for people and is followed by polling.

The row says everything, so any replica answers for it. Once the approval is decided one
replica takes the task: woken by the decision, by a poll of its client, or by looking
around every few seconds. It makes the call as if the client had sent it now, so all
rules hold anew, and stores what came of it. The approval is what lets it run once: a
replica that dies before it used the approval up leaves a task that another one runs;
one that dies after it leaves a task of which nobody knows the outcome, and that is what
the task then says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson

from approvals.looking import Standing
from audit.ids import uuid7
from gateway import (
    approval_texts,
    bridge,
    eras,
    questions,
    refusals,
    strictjson,
    task_rows,
)
from gateway.errors import INTERNAL_ERROR, Refusal, Unauthorized
from gateway.exchange import Asgi, Exchange
from gateway.jsonrpc import Message
from gateway.methods import METHODS
from gateway.questions import AGAIN, Asked, Unanswered
from gateway.task_rows import Seen, Status, Work
from gateway.valkey import ValkeyDown

if TYPE_CHECKING:
    from gateway.state import Gateway

EXTENSION = "io.modelcontextprotocol/tasks"
POLL_MS = 3_000
TOUCH_SECONDS = 5.0
FORGET_SECONDS = 60.0
# Of this process at once; more wait for the next look around.
MOST_RUNNING = 32
MOST_KEPT = 4 * 1024 * 1024
METHOD: Final = "tools/call"

ENDED = (
    "The approved call was handed over to be sent, and then the gateway process that"
    " ran it ended. It is not known whether it was executed: check before doing"
    " anything else. Calling again asks for a new approval."
)
NOT_KEPT = (
    "The call was executed, and its result is too large to be kept for a task, or broke"
    " off. Check what it did; do not repeat it."
)

log = logging.getLogger(__name__)
Run = Callable[[Exchange], Awaitable[None]]


def is_declared(era: eras.Era, meta: dict[str, Any]) -> bool:
    """By this very request."""
    known = meta.get(eras.META_CAPABILITIES) if era == "modern" else None
    extensions = known.get("extensions") if isinstance(known, dict) else None
    return isinstance(extensions, dict) and isinstance(extensions.get(EXTENSION), dict)


class Unheard(Exchange):
    """A call of nobody who listens: what it is answered is kept."""

    kept = b""

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.started = True

    async def piece(self, body: bytes, *, last: bool = False) -> None:
        self.answered = last
        if len(self.kept) <= MOST_KEPT:
            self.kept += body

    async def event(self, data: bytes, *, last: bool = False) -> None:
        if last:
            self.started, self.kept = True, b""
            await self.piece(data, last=True)


async def _nothing() -> Any:
    await asyncio.Event().wait()


class Tasks:
    """`run` takes an exchange from judging to its answer, and never raises."""

    def __init__(self, gateway: Gateway, run: Run) -> None:
        self._gateway, self._run = gateway, run
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._looking: set[asyncio.Task[None]] = set()
        self._forgets_at = gateway.time() + FORGET_SECONDS

    def told(self, approval: UUID | None) -> None:
        """Something happened to this approval, or may have to any."""
        task = asyncio.get_running_loop().create_task(self._see_to(approval))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def close(self) -> None:
        for task in (*self._looking, *self._running.values()):
            task.cancel()
        await asyncio.gather(
            *self._looking, *self._running.values(), return_exceptions=True
        )

    # For clients

    async def make(self, x: Exchange, standing: Standing) -> dict[str, Any] | None:
        """The result that says so, once the row is there; None where too many follow
        this approval. Raises Unanswered."""
        rights, approval = x.snapshot.rights, standing.id
        assert approval is not None
        request = strictjson.dumps(_request(x.message.params)).decode()
        link = approval_texts.page(self._gateway.base_url, approval)
        message = approval_texts.task_waits(standing.waiting_for, link)
        made = await questions.answered(
            self._gateway,
            lambda: task_rows.make(
                rights.organization_id,
                rights.grant_id,
                approval,
                x.id,
                request,
                x.client.replace("\x00", "\ufffd"),
                message,
            ),
        )
        return None if made is None else {"resultType": "task"} | _about(*made)

    async def get(self, x: Exchange, secret: str) -> dict[str, Any] | None:
        """None for a task that this grant does not have."""
        seen = await self._find(x, secret)
        if seen is None:
            return None
        if seen.status == Status.WORKING:
            self.told(seen.approval)
        told = {"resultType": "complete"} | _about(secret, seen)
        if seen.status == Status.COMPLETED:
            told["result"] = orjson.Fragment(seen.result)
        elif seen.status == Status.FAILED:
            told["error"] = orjson.Fragment(seen.result)
        return told

    async def update(self, x: Exchange, secret: str) -> dict[str, Any] | None:
        """No task of ours asks its client anything: answers to nothing are ignored."""
        seen = await self._find(x, secret)
        return None if seen is None else {"resultType": "complete"}

    async def cancel(self, x: Exchange, secret: str) -> dict[str, Any] | None:
        seen = await self._find(x, secret)
        if seen is None:
            return None
        organization = x.snapshot.rights.organization_id
        cancelled = await questions.answered(
            self._gateway, lambda: task_rows.cancel(organization, seen.id)
        )
        if cancelled and not self._gateway.waker.waiters(seen.approval):
            await questions.cancel(self._gateway, organization, seen.approval)
        return {"resultType": "complete"}

    async def _find(self, x: Exchange, secret: str) -> Seen | None:
        rights = x.snapshot.rights
        return await questions.answered(
            self._gateway,
            lambda: task_rows.find(rights.organization_id, rights.grant_id, secret),
        )

    # Running them

    async def _see_to(self, approval: UUID | None) -> None:
        now = self._gateway.time()
        try:
            if now >= self._forgets_at:
                self._forgets_at = now + FORGET_SECONDS
                await questions.answered(self._gateway, task_rows.forget)
            found = await questions.answered(
                self._gateway, lambda: task_rows.due(approval)
            )
        except Unanswered as error:
            log.warning("tasks are not looked at: %s", error)
            return
        for task in found:
            if task not in self._running and len(self._running) < MOST_RUNNING:
                self._begin(task)

    def _begin(self, task: UUID) -> None:
        work = asyncio.get_running_loop().create_task(self._take(task))
        self._running[task] = work
        work.add_done_callback(lambda _: self._running.pop(task, None))

    async def _take(self, task: UUID) -> None:
        call, now = uuid7(), datetime.now(UTC)
        try:
            work = await questions.answered(
                self._gateway, lambda: task_rows.claim(task, call, now)
            )
            if work is None:
                return
            standing = await questions.look(
                self._gateway, work.organization, work.approval
            )
        except Unanswered as error:
            log.warning("task %s is left to others: %s", task, error)
            return
        if standing.kind == "approved":
            await self._perform(work, standing)
        elif standing.kind == "pending":
            await self._store(lambda: task_rows.leave(work))
        else:
            await self._finish(work, Status.COMPLETED, _over(work, standing))

    async def _perform(self, work: Work, standing: Standing) -> None:
        x = Unheard(self._gateway, work.path, (), Asgi(_nothing, None))
        x.id, x.digest, x.client = work.call, work.token_hash, work.client
        x.era, x.revision = "modern", eras.MODERN
        x.message = Message(
            "request", 0, METHOD, strictjson.loads(work.request.encode())
        )
        x.method, x.name = METHODS[METHOD], x.message.params["name"]
        x.asked, x.approval = Asked(standing, work.binding), work.approval
        self._gateway.watch.add(x)  # so that a kill switch ends it as well
        touching = asyncio.get_running_loop().create_task(self._touch(work))
        try:
            snapshot = await self._gateway.snapshots.load(x.digest)
            if snapshot is None:
                raise Unauthorized("the grant is gone")
            x.snapshot = snapshot
            await self._run(x)
        except Unauthorized as refusal:
            x.kept = _error(refusal)
        except (Refusal, ValkeyDown) as error:
            log.warning("task %s did not run: %s", work.id, error)
        finally:
            touching.cancel()
            self._gateway.watch.forget(x)
            await asyncio.shield(self._settle(work, x))

    async def _settle(self, work: Work, x: Unheard) -> None:
        if not x.kept:  # this process ends
            if x.asked is not None and x.asked.used:
                await self._finish(
                    work, Status.COMPLETED, _tool_error(work.call, ENDED)
                )
            else:
                await self._store(lambda: task_rows.leave(work))
            return
        try:
            answer = strictjson.loads(x.kept) if len(x.kept) <= MOST_KEPT else None
        except strictjson.BadJSON:  # it broke off within
            answer = None
        if answer is None:
            told = _tool_error(work.call, NOT_KEPT)
            await self._finish(work, Status.COMPLETED, told)
        elif "result" in answer:
            await self._finish(work, Status.COMPLETED, answer["result"])
        elif answer["error"]["code"] == INTERNAL_ERROR and not x.sent:
            log.warning("task %s did not run: %s", work.id, answer["error"]["message"])
            await self._store(lambda: task_rows.leave(work))
        else:
            await self._finish(work, Status.FAILED, answer["error"])

    async def _touch(self, work: Work) -> None:
        """Says that this process lives, and is at it."""
        while True:
            await asyncio.sleep(TOUCH_SECONDS)
            await self._store(lambda: task_rows.touch(work))

    async def _finish(self, work: Work, status: Status, result: Any) -> None:
        text = strictjson.dumps(result).decode()
        for wait in AGAIN:
            await asyncio.sleep(wait)
            if await self._store(lambda: task_rows.finish(work, status, "", text)):
                return
        log.error("what came of task %s was not stored", work.id)

    async def _store(self, change: Callable[[], Any]) -> bool:
        """What is not stored is found again: by its silence."""
        try:
            await questions.answered(self._gateway, change)
        except Unanswered as error:
            log.warning("a task was not stored: %s", error)
            return False
        return True


def _request(params: dict[str, Any]) -> dict[str, Any]:
    """What the call needs when nobody sends it."""
    meta = params.get("_meta", {})
    kept = {key: params[key] for key in params if key in ("name", "arguments")}
    return kept | {"_meta": {key: meta[key] for key in bridge.TRACE if key in meta}}


def _about(secret: str, seen: Seen) -> dict[str, Any]:
    lasts = seen.expires_at - seen.created_at
    told = {
        "taskId": secret,
        "status": seen.status,
        "createdAt": _moment(seen.created_at),
        "lastUpdatedAt": _moment(seen.changed_at),
        "ttlMs": int(lasts.total_seconds() * 1000),
        "pollIntervalMs": POLL_MS,
    }
    return told | {"statusMessage": seen.message} if seen.message else told


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _over(work: Work, standing: Standing) -> dict[str, Any]:
    """The result of a task whose approval is no approval any more."""
    if standing.kind == "ran" and standing.used_call == work.before:
        return _tool_error(work.before, ENDED)
    return _tool_error(work.before, approval_texts.over(standing))


def _tool_error(call: UUID, words: str) -> dict[str, Any]:
    meta = {f"{refusals.META}decisionId": str(call)}
    return refusals.tool_error(words, meta, "modern")


def _error(refusal: Refusal) -> bytes:
    return orjson.dumps({"error": {"code": refusal.code, "message": refusal.text}})
