"""What became of a call: appended to the record stream, nobody waits for it.

An outcome is kept until Valkey has acknowledged it; what was reserved by a call that
was certainly never sent is given back, once.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any
from uuid import UUID

from audit.entries import OutcomeEntry, encode_outcome, outcome_command
from gateway.valkey import Valkey, ValkeyDown, pack
from policies.limits import GIVE_BACK, Prepared, ScriptReply, give_back

# Enough for some minutes of a busy process without Valkey; the oldest go first.
MAX_KEPT = 100_000
AGAIN = 1.0

# The XADD, and its key.
Packed = tuple[bytes, bytes]

log = logging.getLogger(__name__)


class _Receipt:
    """Forgets an outcome that Valkey has; any other stays, and is sent again."""

    __slots__ = ("_id", "_kept")

    def __init__(self, kept: dict[int, Packed], id: int) -> None:
        self._kept, self._id = kept, id

    def done(self) -> bool:
        return False

    def set_result(self, reply: Any) -> None:
        self._kept.pop(self._id, None)

    def set_exception(self, error: ValkeyDown) -> None:
        pass


class Stream:
    """Where the outcomes of one organization's calls go: their XADD is the same each
    time up to the outcome."""

    def __init__(self, shard: int, organization: UUID) -> None:
        parts = outcome_command(shard, organization, b"")
        self.key = parts[1]
        self._head = pack(parts).removesuffix(b"$0\r\n\r\n")

    def command(self, entry: OutcomeEntry) -> bytes:
        data = encode_outcome(entry)
        return b"%b$%d\r\n%b\r\n" % (self._head, len(data), data)


class Outcomes:
    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey
        # By the number of the id: hashing a UUID is a call of Python's own.
        self._kept: dict[int, Packed] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Loads the script ahead: the next call must find given back what this one
        did not use, also the first time."""
        with suppress(ValkeyDown):
            await self._valkey.command("SCRIPT", "LOAD", GIVE_BACK.text)
        self._task = asyncio.get_running_loop().create_task(self._repeat())

    async def close(self) -> None:
        """One last try for what is kept."""
        if self._task is not None:
            self._task.cancel()
        for id in list(self._kept):
            self._send(id)
        for _ in range(20):
            if not self._kept:
                return
            await asyncio.sleep(0.05)
        log.error("%d outcomes were not recorded", len(self._kept))

    def add(self, stream: Stream, entry: OutcomeEntry) -> None:
        id = entry.id.int
        self._kept[id] = stream.command(entry), stream.key
        if len(self._kept) > MAX_KEPT:
            del self._kept[next(iter(self._kept))]
            log.error("an outcome was dropped: Valkey has been away too long")
        self._send(id)

    def _send(self, id: int) -> None:
        packed, key = self._kept[id]
        try:  # noqa: SIM105 two calls more, for each outcome
            self._valkey.tell(packed, key, _Receipt(self._kept, id))
        except ValkeyDown:
            pass  # it stays, and is sent again

    async def _repeat(self) -> None:
        """Only what was there a second ago: the rest is still on its way. The
        recorder fills empty columns only, so that twice does no harm."""
        old: set[int] = set()
        while True:
            await asyncio.sleep(AGAIN)
            for id in [id for id in self._kept if id in old][:1000]:
                self._send(id)
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
