"""The snapshots that this process holds, one a token."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from django.db import Error as DatabaseError

from gateway import loading
from gateway.budgets import Bucket
from gateway.errors import Throttled, Unavailable
from gateway.snapshot import FRESH, Rights, Snapshot
from gateway.threads import Threads
from gateway.valkey import Valkey, ValkeyDown
from policies.document import DocumentError
from policies.limits import Owners, fresh_generation
from servers.outbound import Door
from servers.vault import VaultError

T = TypeVar("T")
MAX_SNAPSHOTS = 20_000
THREADS = 2
UNKNOWN_A_SECOND = 50
# Seconds before a snapshot that could not be read again is tried once more.
AGAIN = 5.0
# Seconds that a call waits for Postgres, which may accept and then say nothing.
PATIENCE = 5.0

log = logging.getLogger(__name__)


class Snapshots:
    """Loading is single-flight per token. Postgres is read in threads of our own,
    and no connection of theirs is held while anything is sent upstream."""

    def __init__(self, valkey: Valkey, door: Door) -> None:
        self._valkey, self._door = valkey, door
        self._held: OrderedDict[bytes, Snapshot] = OrderedDict()
        self._loading: dict[bytes, asyncio.Task[Snapshot | None]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._threads = Threads(THREADS, "snapshots")
        self._unknown = Bucket(UNKNOWN_A_SECOND)

    def get(self, digest: bytes, now: float) -> Snapshot | None:
        """What is held; an old one is read again behind the call that uses it."""
        snapshot = self._held.get(digest)
        if (
            snapshot is not None
            and now - snapshot.loaded > FRESH
            and not snapshot.refreshing
        ):
            snapshot.refreshing = True
            self._start(self._refresh(digest, snapshot))
        return snapshot

    async def load(self, digest: bytes) -> Snapshot | None:
        """Reads anew. Raises Unavailable or, for too many unknown tokens, Throttled."""
        task = self._loading.get(digest)
        if task is None:
            if digest not in self._held and not self._unknown.take():
                raise Throttled
            task = asyncio.get_running_loop().create_task(self._load(digest))
            self._loading[digest] = task
            task.add_done_callback(lambda _: self._loading.pop(digest, None))
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(task)
        except TimeoutError:  # the reading goes on, for the next call
            raise _unreadable("Postgres does not answer") from None

    async def _load(self, digest: bytes) -> Snapshot | None:
        try:
            found = await self.in_thread(lambda: loading.find(digest))
            if found is None:
                self._held.pop(digest, None)
                return None
            owners = Owners(*found)
            epoch, generation = await self._generation(owners)
            rights = await self.in_thread(lambda: loading.load(digest, self._door))
        except DatabaseError as error:
            log.warning("snapshot not loaded: %r", error)
            raise _unreadable(str(error)) from None
        except (VaultError, DocumentError) as error:
            log.error("snapshot not loaded: %r", error)
            raise Unavailable(
                "The policy or the server's credentials behind this grant cannot be"
                " read, so nothing was executed. Tell the operator.",
                log=str(error),
            ) from None
        return self._keep(digest, rights, owners, generation, epoch)

    async def _generation(self, owners: Owners) -> tuple[int, bytes]:
        epoch = self._valkey.epoch
        candidate, parts = fresh_generation(owners)
        return epoch, await self._valkey.command(*parts) or candidate

    def _keep(
        self,
        digest: bytes,
        rights: Rights | None,
        owners: Owners,
        generation: bytes,
        epoch: int,
    ) -> Snapshot | None:
        if rights is None:
            self._held.pop(digest, None)
            return None
        now = asyncio.get_running_loop().time()
        snapshot = Snapshot(rights, owners, generation, epoch, now)
        self._held[digest] = snapshot
        self._held.move_to_end(digest)
        if len(self._held) > MAX_SNAPSHOTS:
            self._held.popitem(last=False)
        if not snapshot.void(time.time()):
            self._start(self._touch(rights))
        return snapshot

    async def _refresh(self, digest: bytes, old: Snapshot) -> None:
        try:
            await self.load(digest)
        except (Unavailable, Throttled, ValkeyDown) as error:
            log.warning("a snapshot stays as it is: %s", error)
            old.loaded += AGAIN
            old.refreshing = False

    async def _touch(self, rights: Rights) -> None:
        try:
            await self.in_thread(lambda: loading.touch(rights.grant_id))
        except DatabaseError as error:
            log.warning("last use of a grant not noted: %r", error)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def in_thread(self, work: Callable[[], T]) -> T:
        return await self._threads.run(work)

    async def close(self) -> None:
        """Waits for what is being read."""
        await asyncio.gather(
            *self._background, *self._loading.values(), return_exceptions=True
        )
        await self._threads.close()


def _unreadable(log: str) -> Unavailable:
    return Unavailable(
        "PolicyLayer cannot read the rules of this grant at the moment, so"
        " nothing was executed. Try again in a few seconds.",
        log=log,
    )
