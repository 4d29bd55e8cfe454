"""Ending what is open when it may not go on: void tokens, and kill switches.

A call is judged when it comes; its answer may take minutes. So the generations of all
organizations with calls that last are looked at every two seconds, and where one has
changed the grant is read anew. Held calls and tasks are ended like any other.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from gateway import jsonrpc, refusals
from gateway.errors import DENIED, Throttled, Unauthorized, Unavailable
from gateway.exchange import Exchange
from gateway.relaying import CutOff
from gateway.snapshot import Snapshot
from gateway.valkey import ValkeyDown

if TYPE_CHECKING:
    from gateway.state import Gateway

EVERY = 2.0
KILLED = "(killed)"
STOPPED = {
    KILLED: "A kill switch of this grant, its server or its organization was set.",
    "(revoked)": "The grant was revoked.",
    "(expired)": "The grant has expired.",
}
SENT = "It is not known whether the call was executed: do not repeat it. Tell the user."
NOT_SENT = "Nothing was executed. Do not retry; tell the user."

log = logging.getLogger(__name__)


class Endings:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._sweep())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self._look()
            except (ValkeyDown, Unavailable, Throttled) as error:
                log.warning("open streams are not looked at: %s", error)
            except Exception:  # noqa: BLE001 kill switches must not end with it
                log.exception("open streams were not looked at")

    async def _look(self) -> None:
        open_ = defaultdict(list)
        for x in self._gateway.watch.lasting(EVERY / 2):
            open_[x.digest].append(x)
        if not open_:
            return
        firsts = [calls[0] for calls in open_.values()]
        keys = {x.snapshot.owners.generation for x in firsts}
        asked = {key: self._gateway.valkey.command("GET", key) for key in keys}
        await asyncio.gather(*asked.values())
        await asyncio.gather(
            *(
                self._judge(x, asked[x.snapshot.owners.generation].result(), calls)
                for x, calls in zip(firsts, open_.values(), strict=True)
            )
        )

    async def _judge(
        self, first: Exchange, generation: bytes | None, calls: list[Exchange]
    ) -> None:
        gateway = self._gateway
        now = gateway.snapshots.get(first.digest, gateway.time())
        if (
            now is None
            or now.generation != generation
            or now.epoch != gateway.valkey.epoch
        ):
            now = await gateway.snapshots.load(first.digest)
        why = _why(now)
        for x in calls if why else ():
            gateway.end(x, why)


def _why(snapshot: Snapshot | None) -> str:
    if snapshot is None:
        return "(revoked)"
    return snapshot.void(time.time()) or (KILLED if snapshot.rights.killed else "")


async def answer(x: Exchange) -> None:
    """The last words of a call that was ended. Raises Unauthorized or CutOff where
    it has none."""
    why, id = x.ending, x.message.id
    if x.sent:
        x.gateway.outcome(x, "unknown", detail=f"stopped {why}")
    if x.answered or x.gone:
        return
    if x.started and not x.streaming:  # inside the JSON of a large answer
        raise CutOff
    if not x.started and why != KILLED:
        raise Unauthorized(why)
    assert id is not None
    words = f"Stopped. {STOPPED[why]} {SENT if x.sent else NOT_SENT}"
    meta = {f"{refusals.META}decisionId": str(x.id), f"{refusals.META}rule": why}
    if x.method.kind == "tool":
        body = jsonrpc.result(id, refusals.tool_error(words, meta, x.era))
    else:
        body = jsonrpc.error(id, DENIED, words, meta)
    await x.reply(200, body)
