"""One connection to Valkey: commands out in one write per loop tick, replies in order.

Every command has its place in the reply queue until its reply is read, whatever became
of its caller: replies are told apart by nothing but their order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

import hiredis

Reply = Any
_NOTHING = object()
# Milliseconds that a replica has to confirm a tick's writes; within the reply's second.
CONFIRM = 800


class ValkeyDown(Exception):
    """No usable answer of Valkey; the call is denied.

    ValkeyDown            not connected, or the connection was lost
    |- ValkeyBusy         too much in flight already; nothing was sent
    |- ValkeyTimeout      no reply in time
    |- ValkeyChanged      another server than the one the caller knew; nothing was done
    `- ValkeyRefused      an error reply; scripts fail before their first write only

    `unknown` says that the command may have run, or may still.
    """

    def __init__(self, text: str, *, unknown: bool = False) -> None:
        super().__init__(text)
        self.unknown = unknown


class ValkeyBusy(ValkeyDown):
    pass


class ValkeyTimeout(ValkeyDown):
    pass


class ValkeyChanged(ValkeyDown):
    pass


class ValkeyRefused(ValkeyDown):
    """`code` is the first word of the error, e.g. `OOM` or `NOREPLICAS`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.code = text.partition(" ")[0]


class Receipt(Protocol):
    """Stands where a caller's future does, for what no caller waits for; while it is
    not `done` it is told, also late."""

    def done(self) -> bool: ...

    def set_result(self, reply: Reply) -> None: ...

    def set_exception(self, error: ValkeyDown) -> None: ...


Waiting = asyncio.Future[Reply] | Receipt


class Command:
    """A command on its way; `packed` is kept for the few errors that are repeated.

    `deadline` is in seconds of the loop's clock. `ours` are the client's own commands,
    which write nothing. What hardly any has stands on the class.
    """

    key: bytes | str | int | None = None
    script: bytes | None = None
    epoch: int | None = None
    late: Callable[[Reply], None] | None = None
    repeats = 0
    ours = False
    tick: Tick | None = None

    def __init__(self, packed: bytes, future: Waiting, deadline: float) -> None:
        self.packed, self.future, self.deadline = packed, future, deadline


@dataclass(slots=True, eq=False)
class Tick:
    """What one write carried, kept back until a replica has it (durable links)."""

    size: int = 0
    replies: list[tuple[Command, Reply]] = field(default_factory=list)


def pack(parts: tuple[bytes | str | int, ...]) -> bytes:
    """A command as the server reads it."""
    packed: bytes = hiredis.pack_command(parts)  # type: ignore[arg-type]
    return packed


def pack_script(sha: bytes, keys: tuple[bytes, ...], argv: Sequence[bytes]) -> bytes:
    """EVALSHA, of which the same keys come again and again."""
    args = pack(tuple(argv))
    return _script_head(sha, keys, len(argv)) + args[args.index(b"$") :]


@lru_cache(maxsize=4096)
def _script_head(sha: bytes, keys: tuple[bytes, ...], args: int) -> bytes:
    head = pack((b"EVALSHA", sha, len(keys), *keys))
    return b"*%d%b" % (3 + len(keys) + args, head[head.index(b"\r") :])


class Owner(Protocol):
    def answered(self, link: Link, command: Command, reply: Reply) -> None: ...

    def unconfirmed(self, command: Command, reply: Reply) -> None: ...

    def unanswered(self, command: Command) -> None: ...


class Link(asyncio.Protocol):
    """Tells its owner the reply of every command, or that there will be none."""

    def __init__(self, owner: Owner, *, durable: bool = False) -> None:
        self._owner = owner
        self._durable = durable
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._tick = Tick()
        self.queue: deque[Command | Tick] = deque()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self.up = False
        self.problem = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no asyncio.Transport for isinstance.
        self._transport = transport  # type: ignore[assignment]

    def send(self, command: Command) -> None:
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(command.packed)
        self.queue.append(command)
        if self._durable and not command.ours:
            command.tick = self._tick
            self._tick.size += 1

    def _flush(self) -> None:
        if self._tick.size:
            self.queue.append(self._tick)
            self._out.append(pack(("WAIT", 1, CONFIRM)))
            self._tick = Tick()
        data = b"".join(self._out)
        self._out.clear()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not _NOTHING:
                first = self.queue.popleft()
                if type(first) is Command and first.tick is None:
                    self._owner.answered(self, first, reply)
                else:
                    self._take(first, reply)
        except (hiredis.ProtocolError, IndexError):
            # What is no RESP, or one reply too many, leaves no reply to be trusted.
            self.abort()

    def _take(self, first: Command | Tick, reply: Reply) -> None:
        if isinstance(first, Tick):
            for command, kept in first.replies:
                if isinstance(reply, int) and reply >= 1:
                    self._owner.answered(self, command, kept)
                else:
                    self._owner.unconfirmed(command, kept)
        elif first.tick is not None and not isinstance(reply, hiredis.ReplyError):
            first.tick.replies.append((first, reply))
        else:
            self._owner.answered(self, first, reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self.up = False
        queue, self.queue = self.queue, deque()
        for waiting in queue:
            if isinstance(waiting, Tick):
                for command, _ in waiting.replies:
                    self._owner.unanswered(command)
            else:
                self._owner.unanswered(waiting)
        if not self.lost.done():
            self.lost.set_result(None)

    def abort(self) -> None:
        """Ends the connection now; `connection_lost` follows."""
        self.up = False
        if self._transport is not None:
            self._transport.abort()
