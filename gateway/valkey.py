"""The gateway's client of Valkey or Redis: one round trip a call, in bounded time.

Own code because a general client costs more than the whole rest of a call: here a
command is a future in a queue, and a loop tick is one write.

Repeated are only the errors that say that nothing was done: NOSCRIPT (load it),
LOADING (wait), READONLY (this is no primary any more: connect again), MOVED and ASK (a
cluster's other node). A lost or late reply is an error of the caller; if it comes after
all, `late` is told.

`epoch` counts the servers seen: `run_id` and `master_replid` are read on every connect
and every few seconds, and one that differs is another data set, in which a generation
that was found equal before proves nothing.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import cast

import hiredis

from gateway.valkey_address import Address, parse
from gateway.valkey_protocol import (
    Command,
    Link,
    Receipt,
    Reply,
    ValkeyBusy,
    ValkeyChanged,
    ValkeyDown,
    ValkeyRefused,
    ValkeyTimeout,
    pack,
    pack_script,
)
from policies.limits import Script

__all__ = [
    "Receipt",
    "Valkey",
    "ValkeyBusy",
    "ValkeyChanged",
    "ValkeyDown",
    "ValkeyRefused",
    "ValkeyTimeout",
    "pack",
]

MAX_COMMANDS = 2_000
MAX_BYTES = 8 * 1024 * 1024
MAX_REPEATS = 8
_ReplyError = hiredis.ReplyError
REPEATED = {"NOSCRIPT", "LOADING", "READONLY", "MOVED", "ASK"}
# Seconds
CHECK_EVERY = 5.0
LONGEST_BACK_OFF = 2.0
REPEAT_AFTER = 0.02
# Silence that ends a connection: until then a late reply can still give back.
SILENCE = 10.0

log = logging.getLogger(__name__)


class Valkey:
    """`problem` says why it is not `ready`."""

    def __init__(
        self, url: str, *, reply_seconds: float = 1.0, durable: bool = False
    ) -> None:
        self.address = parse(url)
        self.epoch = 0
        self.problem = "not connected yet"
        self._reply_seconds = reply_seconds
        self._durable = durable
        self._link: Link | None = None
        self._nodes: dict[Address, Link] = {}
        self._routes: dict[bytes, Link] = {}
        self._identities: dict[Address, tuple[str, str]] = {}
        self._commands = self._bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening = asyncio.Lock()

    @property
    def ready(self) -> bool:
        return not self.problem and self._link is not None and self._link.up

    async def connect(self) -> None:
        """Tries once, then goes on trying in the background; a server that is down
        is told by `problem`, not raised."""
        self._loop = asyncio.get_running_loop()
        tried = self._loop.create_future()
        self._start(self._keep_connected(tried))
        self._start(self._watch())
        await tried

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.problem = "closed"
        for link in [self._link, *self._nodes.values()]:
            if link is not None:
                link.abort()

    def run(
        self,
        script: Script,
        keys: Sequence[bytes],
        argv: Sequence[bytes],
        *,
        epoch: int | None = None,
        late: Callable[[Reply], None] | None = None,
    ) -> asyncio.Future[Reply]:
        """Raises at once where nothing can be sent; the future raises the rest."""
        future = self._loop.create_future()
        packed = pack_script(script.sha, tuple(keys), argv)
        command = Command(packed, future, self._loop.time() + self._reply_seconds)
        command.key, command.script = keys[0], script.text
        command.late, command.epoch = late, epoch
        self._submit(command)
        return future

    def command(
        self, *parts: bytes | str | int, late: Callable[[Reply], None] | None = None
    ) -> asyncio.Future[Reply]:
        future = self._loop.create_future()
        command = Command(pack(parts), future, self._loop.time() + self._reply_seconds)
        command.key, command.late = parts[1] if len(parts) > 1 else None, late
        self._submit(command)
        return future

    def tell(
        self,
        script: Script,
        keys: tuple[bytes, ...],
        argv: Sequence[bytes],
        receipt: Receipt,
    ) -> None:
        """A script that nobody waits for. Raises at once as `run` does."""
        packed = pack_script(script.sha, keys, argv)
        command = Command(packed, receipt, self._loop.time() + self._reply_seconds)
        command.key, command.script = keys[0], script.text
        self._submit(command)

    def _submit(self, command: Command) -> None:
        if self.problem:
            raise ValkeyDown(self.problem)
        link = self._route(command) if self._routes else self._link
        if link is None or not link.up:
            raise ValkeyDown("the connection was lost")
        if command.epoch is not None and command.epoch != self.epoch:
            raise ValkeyChanged("another server by now")
        size = self._bytes + len(command.packed)
        if self._commands >= MAX_COMMANDS or size > MAX_BYTES:
            raise ValkeyBusy("too many commands wait for their reply")
        self._commands += 1
        self._bytes = size
        link.send(command)

    def _route(self, command: Command) -> Link | None:
        tag = _tag(command.key)
        return self._link if tag is None else self._routes.get(tag, self._link)

    # What the links tell

    def answered(self, link: Link, command: Command, reply: Reply) -> None:
        if isinstance(reply, _ReplyError):
            error = ValkeyRefused(str(reply))
            if error.code not in REPEATED or not self._repeat(link, command, error):
                self._fail(command, error)
            return
        self._commands -= 1
        self._bytes -= len(command.packed)
        future = command.future
        if not future.done():
            future.set_result(reply)
        elif command.late is not None:
            self._loop.call_soon(command.late, reply)

    def unconfirmed(self, command: Command, reply: Reply) -> None:
        """It ran, but no replica has it: denied, and given back where it reserved."""
        self._fail(command, ValkeyDown("no replica confirmed it", unknown=True))
        if command.late is not None and not isinstance(reply, hiredis.ReplyError):
            self._loop.call_soon(command.late, reply)

    def unanswered(self, command: Command) -> None:
        self._fail(command, ValkeyDown("the connection was lost", unknown=True))

    def _fail(self, command: Command, error: ValkeyDown) -> None:
        self._release(command)
        if not command.future.done():
            command.future.set_exception(error)

    def _release(self, command: Command) -> None:
        self._commands -= 1
        self._bytes -= len(command.packed)

    # Errors that are repeated

    def _repeat(self, link: Link, command: Command, error: ValkeyRefused) -> bool:
        """False where the error stands."""
        command.repeats += 1
        if command.repeats > MAX_REPEATS or command.future.done():
            return False
        if error.code == "NOSCRIPT":
            if command.script is None:
                return False
            link.send(self._unheard("SCRIPT", "LOAD", command.script))
            self._send_again(command, via=link)
        elif error.code == "LOADING":
            self._loop.call_later(REPEAT_AFTER, self._send_again, command)
        elif error.code == "READONLY":
            link.abort()
            self._loop.call_later(REPEAT_AFTER, self._send_again, command)
        else:
            self._start(self._follow(command, error))
        return True

    def _send_again(self, command: Command, via: Link | None = None) -> None:
        link = via or self._route(command)
        command.tick = None
        if command.future.done() or self._loop.time() > command.deadline:
            self._fail(command, ValkeyTimeout("no reply in time"))
        elif link is None or not link.up:
            self._loop.call_later(REPEAT_AFTER, self._send_again, command)
        elif command.epoch is not None and command.epoch != self.epoch:
            self._fail(command, ValkeyChanged("another server by now"))
        else:
            link.send(command)

    async def _follow(self, command: Command, error: ValkeyRefused) -> None:
        """`MOVED slot host:port` holds from now on, `ASK slot host:port` once."""
        try:
            link = await self._node(self.address.node(str(error).split(" ")[2]))
        except (OSError, ValkeyDown, ValueError, IndexError) as problem:
            self._fail(command, ValkeyDown(f"{error}: {problem}"))
            return
        if error.code == "ASK":
            link.send(self._unheard("ASKING"))
        elif (tag := _tag(command.key)) and self._routes.get(tag) is not link:
            self._routes[tag] = link
            self.epoch += 1
        self._send_again(command, via=link)

    async def _node(self, address: Address) -> Link:
        async with self._opening:
            link = self._nodes.get(address)
            if link is None:
                link = await self._open(address)
                if link.problem:
                    link.abort()
                    raise ValkeyDown(link.problem)
                self._nodes[address] = link
                link.lost.add_done_callback(lambda _: self._forget(address))
        return link

    def _forget(self, address: Address) -> None:
        lost = self._nodes.pop(address)
        self._routes = {k: link for k, link in self._routes.items() if link is not lost}

    def _unheard(self, *parts: str | bytes | int) -> Command:
        packed = pack(parts)
        self._commands += 1
        self._bytes += len(packed)
        future = self._loop.create_future()
        future.add_done_callback(_look)
        deadline = self._loop.time() + self._reply_seconds
        command = Command(packed, future, deadline)
        command.ours = True
        return command

    # Connecting

    async def _keep_connected(self, tried: asyncio.Future[None]) -> None:
        wait = 0.0
        while True:
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))
            wait = min(max(wait * 2, 0.05), LONGEST_BACK_OFF)
            try:
                self._link = await self._open(self.address)
            except (OSError, ValkeyDown) as problem:
                self._tell(f"no connection to Valkey at {self.address}: {problem}")
                continue
            finally:
                _done(tried)
            wait = 0.0
            await self._while_up(self._link)

    async def _while_up(self, link: Link) -> None:
        self._tell(link.problem)
        while not link.lost.done():
            await asyncio.wait([link.lost], timeout=CHECK_EVERY)
            try:
                if link.up:
                    await self._identify(link, self.address)
                    self._tell(link.problem)
            except ValkeyTimeout:
                continue  # Paused: what it still answers may have to be given back.
            except ValkeyDown:
                link.abort()
        self._tell("the connection to Valkey was lost")

    async def _open(self, address: Address) -> Link:
        """Connected, greeted, and known; only then commands go there."""
        async with asyncio.timeout(self._reply_seconds):
            link = await address.connect(lambda: Link(self, durable=self._durable))
            try:
                for parts in address.greeting():
                    await self._ask(link, *parts)
                await self._identify(link, address)
            except BaseException:
                link.abort()
                raise
        link.up = True
        return link

    async def _identify(self, link: Link, address: Address) -> None:
        told = _read_info(await self._ask(link, "INFO"))
        if told.get("loading") != "0" or told.get("role") != "master":
            raise ValkeyDown("it is loading its data, or no primary")
        identity = told.get("run_id", ""), told.get("master_replid", "")
        if self._identities.get(address) != identity:
            self._identities[address] = identity
            self.epoch += 1
        link.problem = _wrong_settings(told)

    def _ask(self, link: Link, *parts: str | int) -> asyncio.Future[Reply]:
        command = self._unheard(*parts)
        link.send(command)
        return cast(asyncio.Future[Reply], command.future)

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            log.log(logging.WARNING if problem else logging.INFO, problem or "ready")
        self.problem = problem

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Time

    async def _watch(self) -> None:
        """One clock for all: a timer a command would cost more than sending it."""
        while True:
            await asyncio.sleep(self._reply_seconds / 20)
            for link in [self._link, *self._nodes.values()]:
                if link is not None:
                    self._expire(link, self._loop.time())

    def _expire(self, link: Link, now: float) -> None:
        commands = [one for one in link.queue if isinstance(one, Command)]
        for command in commands:
            if command.deadline <= now and not command.future.done():
                error = ValkeyTimeout("no reply in time", unknown=True)
                command.future.set_exception(error)
        if commands and commands[0].deadline + SILENCE < now:
            link.abort()


def _tag(key: bytes | str | int | None) -> bytes | None:
    """The hash tag of a key, which names its shard."""
    if key is None:
        return None
    text = key if isinstance(key, bytes) else str(key).encode()
    start, end = text.find(b"{"), text.find(b"}")
    return text[start : end + 1] if 0 <= start < end else None


def _read_info(text: bytes) -> dict[str, str]:
    lines = text.decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _wrong_settings(told: dict[str, str]) -> str:
    """A counter that is evicted, or lost with the process, is a limit that opens."""
    wrong = []
    if told.get("aof_enabled") != "1":
        wrong.append("appendonly must be yes")
    if told.get("maxmemory_policy") != "noeviction":
        wrong.append("maxmemory-policy must be noeviction")
    return f"Valkey's settings: {', '.join(wrong)}" if wrong else ""


def _look(future: asyncio.Future[Reply]) -> None:
    if not future.cancelled():
        future.exception()


def _done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
