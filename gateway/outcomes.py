"""What became of a call: appended to the record stream, nobody waits for it.

An outcome is kept until Valkey has acknowledged it; what was reserved by a call that
was certainly never sent is given back, once.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID

from accounts.keys import records_key
from audit.entries import OutcomeEntry, encode_outcome
from gateway.valkey import Valkey, ValkeyDown
from policies.limits import GIVE_BACK, Prepared, ScriptReply, give_back, read_script

# Enough for some minutes of a busy process without Valkey; the oldest go first.
MAX_KEPT = 100_000
AGAIN = 1.0
# What one script appends at most, so that no call waits long behind it.
AT_ONCE = 100
APPEND = read_script(Path(__file__).parent / "outcomes.lua")

# The stream's key, the organization's id, the outcome.
Kept = tuple[bytes, bytes, bytes]

log = logging.getLogger(__name__)


class _Receipt:
    """Forgets outcomes that Valkey has; others stay, and are sent again."""

    __slots__ = ("_ids", "_kept")

    def __init__(self, kept: dict[int, Kept], ids: list[int]) -> None:
        self._kept, self._ids = kept, ids

    def done(self) -> bool:
        return False

    def set_result(self, reply: Any) -> None:
        for id in self._ids:
            self._kept.pop(id, None)

    def set_exception(self, error: ValkeyDown) -> None:
        pass


class Stream:
    """Where the outcomes of one organization's calls go."""

    __slots__ = ("key", "organization")

    def __init__(self, shard: int, organization: UUID) -> None:
        self.key, self.organization = records_key(shard).encode(), organization.bytes


class Outcomes:
    """Those of one tick of the loop go together: a command for each would cost as much
    as all else about them."""

    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey
        # By the number of the id: hashing a UUID is a call of Python's own.
        self._kept: dict[int, Kept] = {}
        self._tick: list[int] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Loads the scripts ahead: the next call must find given back what this one
        did not use, also the first time."""
        with suppress(ValkeyDown):
            await self._valkey.command("SCRIPT", "LOAD", GIVE_BACK.text)
            await self._valkey.command("SCRIPT", "LOAD", APPEND.text)
        self._task = asyncio.get_running_loop().create_task(self._repeat())

    async def close(self) -> None:
        """One last try for what is kept."""
        if self._task is not None:
            self._task.cancel()
        self._tick = []
        self._send(list(self._kept))
        for _ in range(20):
            if not self._kept:
                return
            await asyncio.sleep(0.05)
        log.error("%d outcomes were not recorded", len(self._kept))

    def add(self, stream: Stream, entry: OutcomeEntry) -> None:
        id = entry.id.int
        self._kept[id] = stream.key, stream.organization, encode_outcome(entry)
        if len(self._kept) > MAX_KEPT:
            del self._kept[next(iter(self._kept))]
            log.error("an outcome was dropped: Valkey has been away too long")
        if not self._tick:
            asyncio.get_running_loop().call_soon(self._flush)
        self._tick.append(id)

    def _flush(self) -> None:
        ids, self._tick = self._tick, []
        self._send(ids)

    def _send(self, ids: list[int]) -> None:
        streams: dict[bytes, list[int]] = {}
        for id in ids:
            if (kept := self._kept.get(id)) is not None:
                streams.setdefault(kept[0], []).append(id)
        for key, mine in streams.items():
            for at in range(0, len(mine), AT_ONCE):
                self._append(key, mine[at : at + AT_ONCE])

    def _append(self, key: bytes, ids: list[int]) -> None:
        argv = list(chain.from_iterable([self._kept[id][1:] for id in ids]))
        with suppress(ValkeyDown):  # they stay, and are sent again
            self._valkey.tell(APPEND, (key,), argv, _Receipt(self._kept, ids))

    async def _repeat(self) -> None:
        """Only what was there a second ago: the rest is still on its way. The
        recorder fills empty columns only, so that twice does no harm."""
        old: set[int] = set()
        while True:
            await asyncio.sleep(AGAIN)
            self._send([id for id in self._kept if id in old][:1000])
            old = set(self._kept)

    def give_back(self, prepared: Prepared, reply: ScriptReply, epoch: int) -> bool:
        """Never repeated: taking back twice would let more through than allowed."""
        asked = give_back(prepared, reply)
        if asked is None or epoch != self._valkey.epoch:
            return False
        try:
            future = self._valkey.run(GIVE_BACK, *asked, epoch=epoch)
        except ValkeyDown:
            return False
        future.add_done_callback(_look)
        return True


def _look(done: asyncio.Future[Any]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.warning("a reservation was not given back: %s", error)
