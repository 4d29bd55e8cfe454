"""The door connects to checked addresses only; here the connect itself is a stub."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from ipaddress import ip_address
from pathlib import Path

import pytest

from servers.addresses import Address
from servers.failures import Refused, Unreachable, Unresolved, Untrusted
from servers.outbound import Door
from tests.servers.peer import OK, Conversation, answering, peer


class Stub:
    """Answers lookups from a table and notes each address that is connected to."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.connected: list[str] = []
        self.lookups = 0

    async def resolve(self, host: str, port: int) -> list[Address]:
        self.lookups += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [ip_address(each) for each in answer]

    async def connect(self, address: Address, port: int) -> socket.socket:
        self.connected.append(str(address))
        raise ConnectionRefusedError(111, "refused by the stub")

    def door(self, allow_private: bool = False) -> Door:
        return Door(allow_private, resolve=self.resolve, connect=self.connect)


async def attempt(stub: Stub, url: str, allow_private: bool = False) -> None:
    door = stub.door(allow_private)
    await door.open(door.check_url(url), asyncio.Protocol, 5)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["1.1.1.1", "10.0.0.1"],
        ["1.1.1.1", "2606:4700::1", "::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["64:ff9b::7f00:1"],
        ["fd00:ec2::254"],
    ],
)
async def test_one_forbidden_address_refuses_the_whole_name(
    addresses: list[str],
) -> None:
    stub = Stub(addresses)
    with pytest.raises(Refused):
        await attempt(stub, "https://localhost.example.com/")
    assert stub.connected == []


async def test_metadata_stays_closed_where_private_is_open() -> None:
    for addresses in (["127.0.0.1", "169.254.169.254"], ["fd00:ec2::254"]):
        stub = Stub(addresses)
        with pytest.raises(Refused):
            await attempt(stub, "http://inside.example.com/", allow_private=True)
        assert stub.connected == []


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to() -> None:
    stub = Stub(["1.1.1.1", "2606:4700::1111"], ["127.0.0.1"])
    with pytest.raises(Unreachable, match="Connection refused"):
        await attempt(stub, "https://rebinding.example.com/")
    assert stub.connected == ["1.1.1.1", "2606:4700::1111"]
    assert stub.lookups == 1


async def test_addresses_are_checked_again_right_before_the_connect() -> None:
    stub = Stub(["1.1.1.1"])
    door = stub.door()
    target = door.check_url("https://example.com/")

    async def unchecked(target: object) -> list[Address]:
        return [ip_address("10.0.0.1")]

    door._addresses = unchecked  # type: ignore[method-assign]
    with pytest.raises(Refused):
        await door.open(target, asyncio.Protocol, 5)
    assert stub.connected == []


async def test_a_literal_needs_no_lookup() -> None:
    stub = Stub(["127.0.0.1"])
    with pytest.raises(Unreachable):
        await attempt(stub, "https://1.1.1.1:8443/")
    assert (stub.lookups, stub.connected) == (0, ["1.1.1.1"])


async def test_names_without_address() -> None:
    with pytest.raises(Unresolved):
        await attempt(Stub([]), "https://example.com/")

    async def failing(host: str, port: int) -> list[Address]:
        raise socket.gaierror(-2, "Name or service not known")

    door = Door(False, resolve=failing)
    with pytest.raises(Unresolved, match="not known"):
        await door.open(door.check_url("https://example.com/"), asyncio.Protocol, 5)


async def test_a_name_is_looked_up_once_at_a_time() -> None:
    go_on = asyncio.Event()
    stub = Stub(["1.1.1.1"])

    async def slowly(host: str, port: int) -> list[Address]:
        await go_on.wait()
        return await stub.resolve(host, port)

    door = Door(False, resolve=slowly, connect=stub.connect)

    async def attempt(port: int, seconds: float = 5) -> None:
        target = door.check_url(f"https://example.com:{port}/")
        await door.open(target, asyncio.Protocol, seconds)

    impatient = asyncio.create_task(attempt(443, 0.05))
    waiting = [asyncio.create_task(attempt(port)) for port in range(1000, 1005)]
    with pytest.raises(Unreachable, match="did not take the connection"):
        await impatient
    go_on.set()
    failed = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in failed} == {Unreachable}
    assert (stub.lookups, len(stub.connected)) == (1, 5)
    with pytest.raises(Unreachable):
        await attempt(443)
    assert stub.lookups == 2


async def test_a_connect_that_hangs_ends_at_the_deadline() -> None:
    async def hanging(address: Address, port: int) -> socket.socket:
        await asyncio.sleep(60)
        raise AssertionError

    stub = Stub(["1.1.1.1", "1.0.0.1"])
    door = Door(False, resolve=stub.resolve, connect=hanging)
    with pytest.raises(Unreachable):
        async with asyncio.timeout(5):
            target = door.check_url("https://example.com/")
            await door.open(target, asyncio.Protocol, 0.2)


async def test_an_address_that_hangs_leaves_time_for_the_next() -> None:
    tried: list[str] = []

    async def half_hanging(address: Address, port: int) -> socket.socket:
        tried.append(str(address))
        if len(tried) == 1:
            await asyncio.sleep(60)
        raise ConnectionRefusedError(111, "refused")

    door = Door(
        False, resolve=Stub(["1.1.1.1", "1.0.0.1"]).resolve, connect=half_hanging
    )
    with pytest.raises(Unreachable, match=r"1\.1\.1\.1: no answer; 1\.0\.0\.1: Conn"):
        await door.open(door.check_url("https://example.com/"), asyncio.Protocol, 0.4)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for good.example.com, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        f" -keyout {folder}/key.pem -out {folder}/cert.pem -subj /CN=good.example.com"
        " -addext subjectAltName=DNS:good.example.com",
        shell=True, check=True, capture_output=True,
    )  # fmt: skip
    return folder


def trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "cert.pem"))


async def over_tls(authority: Path, host: str, trust: ssl.SSLContext | None) -> str:
    """Connects to a TLS server on loopback under a name; gives the SNI it was sent."""
    seen: list[str] = []
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    served.sni_callback = lambda _, name, __: seen.append(str(name))
    stub = Stub(["127.0.0.1"])
    async with peer(answering(OK), tls=served) as server:
        door = Door(True, resolve=stub.resolve, tls=trust)
        target = door.check_url(f"https://{host}:{server.port}/")
        transport, _ = await door.open(target, asyncio.Protocol, 5)
        transport.abort()
    return seen[0]


async def test_tls_checks_the_name_and_sends_it(authority: Path) -> None:
    trust = trusting(authority)
    assert await over_tls(authority, "good.example.com", trust) == "good.example.com"
    with pytest.raises(Untrusted, match=r"bad\.example\.com"):
        await over_tls(authority, "bad.example.com", trust)


async def test_tls_checks_the_signer(authority: Path) -> None:
    with pytest.raises(Untrusted, match="self-signed"):
        await over_tls(authority, "good.example.com", None)


async def test_a_server_that_speaks_no_tls() -> None:
    async def plain(conversation: Conversation) -> None:
        await conversation.send(b"SSH-2.0-hello\r\n")
        await conversation.reader.read()

    async with peer(plain) as server:
        door = Door(True)
        target = door.check_url(f"https://127.0.0.1:{server.port}/")
        with pytest.raises(Untrusted):
            await door.open(target, asyncio.Protocol, 5)
