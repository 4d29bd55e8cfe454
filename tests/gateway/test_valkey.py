"""The gateway's Valkey client, on the real server and on one that misbehaves."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import hiredis
import pytest
import redis

from config.embedded import Running, erase, start_valkey
from gateway import valkey as client_module
from gateway.valkey import (
    Valkey,
    ValkeyBusy,
    ValkeyChanged,
    ValkeyDown,
    ValkeyRefused,
    ValkeyTimeout,
)
from gateway.valkey_address import parse
from policies.limits import Script
from tests.cases import cases

URL = os.environ["REDIS_URL"]


def script(text: bytes) -> Script:
    return Script(text, hashlib.sha1(text).hexdigest().encode())


ECHO = script(b"return ARGV[1]")
INCREMENT = script(b"return redis.call('INCRBY', KEYS[1], ARGV[1])")


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def connected(url: str = URL, **options: Any) -> AsyncIterator[Valkey]:
    client = Valkey(url, **options)
    await client.connect()
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Running]:
    """A server of the test's own, to be paused, killed and misconfigured."""
    server = start_valkey(tmp_path)
    yield server
    with suppress(ProcessLookupError):
        os.kill(server.pid, signal.SIGCONT)
    server.stop()
    erase(tmp_path)


# On the real server


async def test_a_script_is_loaded_where_the_server_lacks_it(own: Running) -> None:
    # On a server of its own: other tests' scripts would be forgotten too.
    async with connected(own.url) as client:
        assert client.ready
        answers = [client.run(ECHO, [b"{s07}:k"], [b"%d" % n]) for n in range(50)]
        assert await asyncio.gather(*answers) == [b"%d" % n for n in range(50)]
        assert await client.run(INCREMENT, [b"{s07}:n"], [b"2"]) == 2
        assert await client.command("SCRIPT", "FLUSH") == b"OK"
        assert await client.run(INCREMENT, [b"{s07}:n"], [b"2"]) == 4


async def test_one_write_a_tick_and_replies_in_order(valkey: redis.Redis) -> None:
    async with connected() as client:
        link = client._link
        assert link is not None and link._transport is not None
        writes: list[bytes] = []
        write = link._transport.write
        link._transport = Spy(write, writes)  # type: ignore[assignment]
        sent = [client.command("ECHO", str(n)) for n in range(500)]
        assert await asyncio.gather(*sent) == [str(n).encode() for n in range(500)]
        assert len(writes) == 1


class Spy:
    def __init__(self, write: Callable[[bytes], None], seen: list[bytes]) -> None:
        self._write, self._seen = write, seen

    def write(self, data: bytes) -> None:
        self._seen.append(data)
        self._write(data)

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        pass


async def test_an_error_is_one_commands_own(valkey: redis.Redis) -> None:
    async with connected() as client:
        good = client.command("SET", "{s07}:text", "x")
        bad = client.command("LPUSH", "{s07}:text", "y")
        after = client.command("GET", "{s07}:text")
        assert await good == b"OK"
        with pytest.raises(ValkeyRefused) as refused:
            await bad
        assert refused.value.code == "WRONGTYPE"
        assert await after == b"x"


async def test_a_cancelled_caller_does_not_stop_the_others(
    valkey: redis.Redis,
) -> None:
    late: list[Any] = []
    async with connected() as client:
        await client.command("SCRIPT", "LOAD", INCREMENT.text)
        first = client.run(INCREMENT, [b"{s07}:n"], [b"1"], late=late.append)
        first.cancel()
        second = client.command("ECHO", "second")
        assert await second == b"second"
        await until(lambda: late == [1])
        assert client._commands == client._bytes == 0


async def test_a_full_server_refuses_by_its_word(own: Running) -> None:
    with redis.Redis.from_url(own.url) as admin:
        async with connected(own.url) as client:
            await client.command("SET", "{s07}:n", "0")
            admin.config_set("maxmemory", 1)
            with pytest.raises(ValkeyRefused) as refused:
                await client.run(INCREMENT, [b"{s07}:n"], [b"1"])
            assert refused.value.code == "OOM"


# Down, killed, paused


async def test_a_server_that_is_down_is_refused_at_once_and_found_later(
    tmp_path: Path,
) -> None:
    path = tmp_path / "valkey" / "valkey.sock"
    async with connected(f"unix://{path}?db=0") as client:
        assert not client.ready
        assert "no connection" in client.problem
        with pytest.raises(ValkeyDown) as down:
            client.command("PING")
        assert not down.value.unknown
        server = start_valkey(tmp_path)
        try:
            await until(lambda: client.ready)
            assert await client.command("PING") == b"PONG"
            assert client.epoch == 1
        finally:
            server.stop()


async def test_after_a_kill_calls_fail_at_once_and_another_server_is_known(
    tmp_path: Path,
) -> None:
    server = start_valkey(tmp_path)
    async with connected(server.url) as client:
        epoch = client.epoch
        os.kill(server.pid, signal.SIGSTOP)
        waiting = client.run(INCREMENT, [b"{s07}:n"], [b"1"])
        await asyncio.sleep(0.05)
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(ValkeyDown) as lost:
            await waiting
        assert lost.value.unknown
        with pytest.raises(ValkeyDown):
            client.command("PING")
        server.stop()
        again = start_valkey(tmp_path)
        try:
            await until(lambda: client.ready)
            assert client.epoch == epoch + 1
            with pytest.raises(ValkeyChanged):
                client.run(INCREMENT, [b"{s07}:n"], [b"1"], epoch=epoch)
            now = client.epoch
            assert await client.run(INCREMENT, [b"{s07}:n"], [b"1"], epoch=now) == 1
        finally:
            again.stop()


async def test_a_paused_server_is_a_timeout_and_what_comes_late_is_told(
    own: Running,
) -> None:
    late: list[Any] = []
    async with connected(own.url, reply_seconds=0.3) as client:
        await client.run(INCREMENT, [b"{s07}:n"], [b"1"])
        os.kill(own.pid, signal.SIGSTOP)
        calls = [
            client.run(INCREMENT, [b"{s07}:n"], [b"1"], late=late.append)
            for _ in range(20)
        ]
        started = asyncio.get_running_loop().time()
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert asyncio.get_running_loop().time() - started < 0.6
        assert all(isinstance(answer, ValkeyTimeout) for answer in answers)
        assert all(answer.unknown for answer in answers)  # type: ignore[union-attr]
        os.kill(own.pid, signal.SIGCONT)
        assert await client.command("ECHO", "in order") == b"in order"
        await until(lambda: late == list(range(2, 22)))
        assert client.epoch == 1


async def test_no_more_than_its_bounds_in_flight(
    own: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(own.url, reply_seconds=0.2) as client:
        os.kill(own.pid, signal.SIGSTOP)
        many = [client.command("PING") for _ in range(client_module.MAX_COMMANDS)]
        with pytest.raises(ValkeyBusy) as busy:
            client.command("PING")
        assert not busy.value.unknown
        await asyncio.gather(*many, return_exceptions=True)
        # Timed out, and still in the reply queue: their slots are not free.
        with pytest.raises(ValkeyBusy):
            client.command("PING")
        os.kill(own.pid, signal.SIGCONT)
        await until(lambda: client._commands == 0)
        assert await client.command("PING") == b"PONG"


async def test_no_more_bytes_than_its_bound_in_flight(own: Running) -> None:
    async with connected(own.url, reply_seconds=0.2) as client:
        os.kill(own.pid, signal.SIGSTOP)
        big = b"x" * (client_module.MAX_BYTES // 4)
        many = [client.command("ECHO", big) for _ in range(3)]
        with pytest.raises(ValkeyBusy):
            client.command("ECHO", big)
        small = client.command("PING")
        await asyncio.gather(*many, small, return_exceptions=True)
        os.kill(own.pid, signal.SIGCONT)
        await until(lambda: client._bytes == 0)


async def test_silence_ends_the_connection_at_last(
    own: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "SILENCE", 0.3)
    async with connected(own.url, reply_seconds=0.2) as client:
        os.kill(own.pid, signal.SIGSTOP)
        with pytest.raises(ValkeyTimeout):
            await client.command("PING")
        await until(lambda: not client.ready)
        os.kill(own.pid, signal.SIGCONT)
        await until(lambda: client.ready)
        assert client._commands == 0


@pytest.mark.parametrize(
    ("setting", "wrong", "right"),
    [
        ("appendonly", "no", "yes"),
        ("maxmemory-policy", "allkeys-lru", "noeviction"),
    ],
)
async def test_not_ready_with_settings_that_lose_counters(
    own: Running,
    setting: str,
    wrong: str,
    right: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client_module, "CHECK_EVERY", 0.05)
    with redis.Redis.from_url(own.url) as admin:
        admin.config_set(setting, wrong)
        async with connected(own.url) as client:
            assert not client.ready
            assert setting in client.problem
            with pytest.raises(ValkeyDown, match=setting):
                client.command("PING")
            admin.config_set(setting, right)
            await until(lambda: client.ready)
            admin.config_set(setting, wrong)
            await until(lambda: not client.ready)


async def test_a_replica_that_is_promoted_is_another_server(tmp_path: Path) -> None:
    primary = start_valkey(tmp_path / "a")
    replica = start_valkey(tmp_path / "b")
    try:
        path = primary.url.removeprefix("unix://").split("?")[0]
        with redis.Redis.from_url(replica.url) as admin, link(tmp_path, path) as name:
            async with connected(f"unix://{name}") as client:
                epoch = client.epoch
                # The address now leads to the other one, as a failover's does.
                name.unlink()
                name.symlink_to(replica.url.removeprefix("unix://").split("?")[0])
                admin.replicaof("127.0.0.1", 1)
                os.kill(primary.pid, signal.SIGKILL)
                await until(lambda: not client.ready)
                await asyncio.sleep(0.2)
                assert not client.ready  # a replica takes no writes
                admin.replicaof("NO", "ONE")
                await until(lambda: client.ready)
                assert client.epoch == epoch + 1
    finally:
        primary.stop()
        replica.stop()


class link:
    """A name for a socket that can be turned to another one."""

    def __init__(self, folder: Path, path: str) -> None:
        self.name = folder / "current.sock"
        self.name.symlink_to(path)

    def __enter__(self) -> Path:
        return self.name

    def __exit__(self, *_: object) -> None:
        self.name.unlink()


async def test_a_demoted_primary_is_left_and_the_call_waits_for_the_next(
    own: Running,
) -> None:
    with redis.Redis.from_url(own.url) as admin:
        async with connected(own.url) as client:
            epoch = client.epoch
            admin.replicaof("127.0.0.1", 1)
            call = client.run(INCREMENT, [b"{s07}:n"], [b"1"])
            asyncio.get_running_loop().call_later(0.2, admin.replicaof, "NO", "ONE")
            assert await call == 1
            assert client.epoch > epoch
            known = client.epoch
            admin.replicaof("127.0.0.1", 1)
            bound = client.run(INCREMENT, [b"{s07}:n"], [b"1"], epoch=known)
            asyncio.get_running_loop().call_later(0.2, admin.replicaof, "NO", "ONE")
            with pytest.raises(ValkeyChanged):
                await bound
            assert admin.get("{s07}:n") == b"1"


async def test_durable_waits_for_a_replica(tmp_path: Path) -> None:
    primary = start_valkey(tmp_path)
    late: list[Any] = []
    try:
        async with connected(primary.url, durable=True) as client:
            assert client.ready
            call = client.run(INCREMENT, [b"{s07}:n"], [b"1"], late=late.append)
            with pytest.raises(ValkeyDown, match="no replica") as unsure:
                await call
            assert unsure.value.unknown
            await until(lambda: late == [1])
    finally:
        primary.stop()


async def test_durable_is_confirmed_by_a_replica(tmp_path: Path) -> None:
    primary, replica = start_valkey(tmp_path / "a"), start_valkey(tmp_path / "b")
    try:
        with redis.Redis.from_url(primary.url) as admin:
            admin.config_set("port", (port := free_port()))
            admin.config_set("repl-diskless-sync-delay", 0)
            with redis.Redis.from_url(replica.url) as follower:
                follower.replicaof("127.0.0.1", port)
                await until(lambda: follows(follower) and admin.wait(1, 100) == 1, 30)
                async with connected(primary.url, durable=True) as client:
                    calls = [
                        client.run(INCREMENT, [b"{s07}:n"], [b"1"]) for _ in range(50)
                    ]
                    assert await asyncio.gather(*calls) == list(range(1, 51))
                    assert follower.get("{s07}:n") == b"50"
                    assert client._commands == 0
    finally:
        primary.stop()
        replica.stop()


def follows(replica: redis.Redis) -> bool:
    told: Any = replica.info("replication")
    return bool(told["master_link_status"] == "up")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


# A server that says what the test wants

Answer = Callable[[list[bytes]], Awaitable[bytes] | bytes]
INFO = (
    "run_id:{run}\r\nmaster_replid:{run}\r\nrole:master\r\nloading:0\r\n"
    "aof_enabled:1\r\nmaxmemory_policy:noeviction\r\n"
)


class Fake:
    """Speaks RESP on loopback; `answer` gives the raw reply of each command."""

    def __init__(self, answer: Answer, run: str = "a") -> None:
        self.answer, self.run = answer, run
        self.seen: list[list[bytes]] = []
        self.port = 0

    async def __aenter__(self) -> Fake:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        parser = hiredis.Reader(notEnoughData=None)
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                parser.feed(data)
                while (command := parser.gets()) is not None:
                    writer.write(await self._reply(command))
        writer.close()

    async def _reply(self, command: list[bytes]) -> bytes:
        if command[0] == b"INFO":
            text = INFO.format(run=self.run).encode()
            return b"$%d\r\n%b\r\n" % (len(text), text)
        self.seen.append(command)
        reply = self.answer(command)
        return reply if isinstance(reply, bytes) else await reply


async def test_loading_is_waited_for_in_bounded_time() -> None:
    left = [3]

    def answer(command: list[bytes]) -> bytes:
        left[0] -= 1
        return b"-LOADING not yet\r\n" if left[0] >= 0 else b"+done\r\n"

    async with Fake(answer) as fake, connected(fake.url, reply_seconds=0.3) as client:
        assert await client.run(ECHO, [b"{s07}:k"], [b"x"]) == b"done"
        left[0] = 1000
        with pytest.raises(ValkeyDown) as loading:
            await client.run(ECHO, [b"{s07}:k"], [b"x"])
        assert not loading.value.unknown
        assert len(fake.seen) < 40


@pytest.mark.parametrize("error", ["ERR no", "BUSY script", "CLUSTERDOWN x", "OOM x"])
async def test_no_other_error_is_repeated(error: str) -> None:
    async with Fake(lambda _: f"-{error}\r\n".encode()) as fake:
        async with connected(fake.url) as client:
            with pytest.raises(ValkeyRefused):
                await client.run(ECHO, [b"{s07}:k"], [b"x"])
        assert len(fake.seen) == 1


async def test_moved_is_followed_and_remembered() -> None:
    async with Fake(lambda _: b"+there\r\n", run="b") as there:

        def moved(command: list[bytes]) -> bytes:
            return b"-MOVED 1 127.0.0.1:%d\r\n" % there.port

        async with Fake(moved) as fake, connected(fake.url) as client:
            epoch = client.epoch
            calls = [client.run(ECHO, [b"{s07}:k"], [b"x"]) for _ in range(5)]
            assert await asyncio.gather(*calls) == [b"there"] * 5
            assert client.epoch > epoch
            assert await client.run(ECHO, [b"{s07}:k"], [b"x"]) == b"there"
            assert (len(fake.seen), len(there.seen)) == (5, 6)
            known = client.epoch
            there.server.close()
            next(iter(client._nodes.values())).abort()
            await until(lambda: not client._routes)
            with pytest.raises(ValkeyDown):
                await client.run(ECHO, [b"{s07}:k"], [b"x"], epoch=known)
            assert client._commands == 0


async def test_a_call_bound_to_a_server_does_not_follow_to_another() -> None:
    async with Fake(lambda _: b"+there\r\n", run="b") as there:

        def moved(command: list[bytes]) -> bytes:
            return b"-MOVED 1 127.0.0.1:%d\r\n" % there.port

        async with Fake(moved) as fake, connected(fake.url) as client:
            with pytest.raises(ValkeyChanged):
                await client.run(ECHO, [b"{s07}:k"], [b"x"], epoch=client.epoch)
            assert there.seen == []


async def test_ask_is_followed_once() -> None:
    async with Fake(lambda _: b"+there\r\n", run="b") as there:

        def ask(command: list[bytes]) -> bytes:
            return b"-ASK 1 127.0.0.1:%d\r\n" % there.port

        async with Fake(ask) as fake, connected(fake.url) as client:
            for _ in range(2):
                assert await client.run(ECHO, [b"{s07}:k"], [b"x"]) == b"there"
            assert [command[0] for command in there.seen] == [
                b"ASKING",
                b"EVALSHA",
            ] * 2
            assert len(fake.seen) == 2


@pytest.mark.parametrize("reply", [b"?nonsense\r\n", b"+one\r\n+too many\r\n"])
async def test_what_is_no_reply_ends_the_connection(reply: bytes) -> None:
    async with Fake(lambda _: reply) as fake, connected(fake.url) as client:
        link = client._link
        assert link is not None
        with suppress(ValkeyDown):
            await client.command("PING")
        await until(link.lost.done)


async def test_a_broken_redirection_is_an_error_and_not_a_hang() -> None:
    async with Fake(lambda _: b"-MOVED\r\n") as fake, connected(fake.url) as client:
        with pytest.raises(ValkeyDown):
            await client.run(ECHO, [b"{s07}:k"], [b"x"])


# Addresses


@cases(
    ("url", "host", "port", "path", "database", "user", "password"),
    [
        ("redis://h:7/3", "h", 7, "", 3, "", ""),
        ("redis://:p%40ss@h", "h", 6379, "", 0, "", "p@ss"),
        ("valkey://u:p@[::1]:7?db=2", "::1", 7, "", 2, "u", "p"),
        ("unix:///a/b%20c.sock?db=4&password=x", "", 6379, "/a/b c.sock", 4, "", "x"),
    ],
)
def test_urls(
    url: str, host: str, port: int, path: str, database: int, user: str, password: str
) -> None:
    found = parse(url)
    assert (found.host, found.port, found.path) == (host, port, path)
    assert (found.database, found.user, found.password) == (database, user, password)
    assert found.tls is None


@cases("url", ["", "http://h", "redis://", "redis://h/x"])
def test_bad_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError):
        parse(url)


async def test_a_password_and_a_database_of_its_own(own: Running) -> None:
    with redis.Redis.from_url(own.url) as admin:
        admin.config_set("requirepass", "s3cret")
        path = own.url.split("?")[0]
        async with connected(f"{path}?db=5&password=s3cret") as client:
            await client.command("SET", "{s07}:k", "five")
        async with connected(f"{path}?db=5&password=wrong") as wrong:
            assert not wrong.ready
            assert "WRONGPASS" in wrong.problem
        with redis.Redis.from_url(f"{path}?db=5&password=s3cret") as five:
            assert five.get("{s07}:k") == b"five"


async def test_tls_with_a_verified_certificate(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"]
        + ["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        + ["-keyout", str(key), "-out", str(certificate)]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with Fake(lambda _: b"+PONG\r\n") as fake:
        server = await asyncio.start_server(fake._serve, "127.0.0.1", 0, ssl=context)
        url = f"rediss://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with connected(f"{url}?ssl_ca_certs={certificate}") as client:
            assert await client.command("PING") == b"PONG"
        async with connected(url) as unverified:
            assert not unverified.ready
        server.close()
