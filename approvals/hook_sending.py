"""Sending what is due to hooks: many at a time, a slow one in nobody's way.

A row is leased by moving `due_at` ahead under FOR UPDATE SKIP LOCKED: what a killed
worker had taken falls due again, so a hook may be told twice, with the same id.
`attempts` tells the leases of one row apart: an outcome that comes too late counts for
nothing. Of all workers one sends at a time, so that slow hooks cost the queue that
carries mail one process at most; that lock is for thrift, the leases are for safety.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from redis.exceptions import RedisError
from redis.lock import Lock

from accounts.tenancy import TenantQuerySet
from accounts.valkey import client
from approvals.hook_keys import sign, unseal
from approvals.models import Delivery, Hook
from servers.definitions import printable
from servers.failures import WireError
from servers.http1 import Deadlines, Headers, Pool, Response
from servers.outbound import Door
from servers.vault import VaultError

AT_ONCE, AT_ONE_HOOK = 50, 4
MOST_ATTEMPTS = 10
# 30 s, 1 min, 2 min ... 2 h 8 min: ten attempts take about four hours.
FIRST_WAIT = timedelta(seconds=30)
JITTER = 0.25
LEASE = timedelta(seconds=60)
DEADLINES = Deadlines(connect=5, first_byte=8, idle=4, total=10)
# What is kept of an answer that says no.
MAX_ANSWER, SHOWN_ANSWER = 16 * 1024, 300
# How long what was sent is kept, and how much is forgotten in one go.
KEPT, FORGOTTEN_AT_ONCE = timedelta(days=30), 500
RUN_SECONDS, TURN_SECONDS = 120.0, 1.0
LOCK, LOCK_SECONDS = "approvals:hooks", 20
GONE = 410
OFF = "Not sent: the webhook was switched off."
DIED = "Given up: the worker ended during the last attempt."


class Outcome(NamedTuple):
    """`status` is None where no answer came; `error` is empty where it was taken."""

    status: int | None
    error: str


def deliver_due(now: datetime, limit: int = AT_ONCE) -> int:
    """Sends what is due, at most `limit` at a time, until nothing is; how many were
    sent. At once 0 where another worker is at it.
    """
    lock = client().lock(LOCK, timeout=LOCK_SECONDS, blocking=False)
    if not lock.acquire():
        return 0
    try:
        forget(now)
        return async_to_sync(_run)(now, limit, lock)
    finally:
        _release(lock)


def _release(lock: Lock) -> None:
    # It ends by itself, and another worker may have it by now.
    with suppress(RedisError):
        lock.release()


async def _run(now: datetime, limit: int, lock: Lock) -> int:
    began, sent = time.monotonic(), 0
    # Its own bounds count idle connections too: how many at a time is held here.
    pool = Pool(Door.from_settings())
    running: dict[asyncio.Task[Outcome], Delivery] = {}
    try:
        while True:
            passed = time.monotonic() - began
            clock = now + timedelta(seconds=passed)
            if passed < RUN_SECONDS and await sync_to_async(_kept)(lock):
                busy = {row.hook_id for row in running.values()}
                for row in await sync_to_async(take)(clock, limit - len(running), busy):
                    running[asyncio.create_task(_send(pool, row))] = row
                    sent += 1
            if not running:
                return sent
            await _settled(running, clock)
    finally:
        for task in running:
            task.cancel()
        pool.close()


async def _settled(
    running: dict[asyncio.Task[Outcome], Delivery], now: datetime
) -> None:
    """What is done after a turn of a second at most; `now` is when it began."""
    done, _ = await asyncio.wait(
        running, timeout=TURN_SECONDS, return_when=asyncio.FIRST_COMPLETED
    )
    for task in done:
        await sync_to_async(settle)(running.pop(task), task.result(), now)


def _kept(lock: Lock) -> bool:
    try:
        return bool(lock.extend(LOCK_SECONDS, replace_ttl=True))
    except RedisError:
        return False


def take(now: datetime, room: int, busy: Collection[UUID] = ()) -> list[Delivery]:
    """Leases at most `room` rows that are due, a few of each hook; the first of every
    hook before the second of any. `busy` are hooks that have had their share.
    """
    due = Delivery.objects.across_organizations().filter(due_at__lte=now)
    place = Window(RowNumber(), partition_by="hook_id", order_by=["due_at", "pk"])
    ranked = due.exclude(hook_id__in=busy).annotate(place=place)
    first = ranked.filter(place__lte=AT_ONE_HOOK).order_by("place", "due_at")
    wanted = list(first.values_list("pk", flat=True)[:room])
    if not wanted:
        return []
    with transaction.atomic():
        # Those that another worker holds, or has just leased, are left to it.
        locked = due.filter(pk__in=wanted).select_related("hook")
        rows = list(locked.select_for_update(skip_locked=True, of=("self",)))
        due.filter(pk__in=[row.pk for row in rows]).update(
            due_at=now + LEASE, attempts=F("attempts") + 1
        )
    for row in rows:
        row.attempts += 1
    return [row for row in rows if not _dropped(row)]


def _dropped(row: Delivery) -> bool:
    why = DIED if row.attempts > MOST_ATTEMPTS else "" if row.hook.enabled else OFF
    if why:
        _leased(row).update(due_at=None, error=why)
    return bool(why)


def settle(row: Delivery, outcome: Outcome, now: datetime) -> None:
    """What came of an attempt: delivered, to be repeated, or given up."""
    changed: dict[str, object] = {"status": outcome.status, "error": outcome.error}
    if not outcome.error:
        changed |= {"due_at": None, "delivered_at": now}
    elif row.attempts >= MOST_ATTEMPTS or outcome.status == GONE:
        changed["due_at"] = None
    else:
        changed["due_at"] = now + wait_after(row.attempts)
    _leased(row).update(**changed)
    if outcome.status == GONE:
        hooks = Hook.objects.for_organization(row.organization_id)
        hooks.filter(pk=row.hook_id).update(enabled=False)


def forget(now: datetime) -> None:
    """Messages hold what people asked for: the log does not keep them for good."""
    rows = Delivery.objects.across_organizations().filter(created_at__lt=now - KEPT)
    old = list(
        rows.order_by("created_at").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]
    )
    if old:
        rows.filter(pk__in=old).delete()


def wait_after(attempts: int) -> timedelta:
    """Twice as long each time, a quarter more or less: a hook that comes back is not
    met by all at once.
    """
    spread = random.uniform(1 - JITTER, 1 + JITTER)
    return FIRST_WAIT * float(2 ** (attempts - 1) * spread)


def _leased(row: Delivery) -> TenantQuerySet[Delivery]:
    rows = Delivery.objects.for_organization(row.organization_id)
    return rows.filter(pk=row.pk, attempts=row.attempts)


async def _send(pool: Pool, row: Delivery) -> Outcome:
    body = row.payload.encode()
    try:
        url, key = unseal(row.hook)
        # Tenants never share a connection, whatever host they name.
        target = pool.door.check_url(url, owner=row.organization_id.hex)
        headers = _headers(row, key, body)
        answer = await pool.request(
            target, "POST", target.path, headers, body, DEADLINES
        )
        return await _outcome(answer)
    except WireError as error:
        return Outcome(None, error.reason)
    except VaultError as error:
        return Outcome(None, f"Its address and key do not open: {error}")


def _headers(row: Delivery, key: str, body: bytes) -> Headers:
    headers = [
        (b"Content-Type", b"application/json"),
        (b"User-Agent", b"PolicyLayer"),
        (b"PolicyLayer-Delivery", str(row.pk).encode()),
        (b"PolicyLayer-Event", row.event.encode()),
    ]
    if key:
        signature = sign(key, int(time.time()), body)
        headers.append((b"PolicyLayer-Signature", signature.encode()))
    return headers


async def _outcome(answer: Response) -> Outcome:
    try:
        said = await answer.read(MAX_ANSWER)
    except WireError as error:
        said = error.reason.encode()
    if 200 <= answer.status < 300:
        return Outcome(answer.status, "")
    words = printable(said.decode(errors="replace"), SHOWN_ANSWER)
    told = f"It answered {answer.status}: {words}" if words else "It refused."
    return Outcome(answer.status, told)
