"""A registry that is busy, broken, or elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import RegistrySync
from catalog.registry.asking import ATTEMPTS
from catalog.registry.failures import RegistryError
from catalog.registry.syncing import sync
from servers.outbound import Door
from tests.catalog.registry.fake import FakeRegistry, Fault
from tests.catalog.registry.runs import (
    A,
    Run,
    kept,
    progress,
)

pytestmark = pytest.mark.django_db


CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b'{"servers": ['
CUT_CHUNK = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"serve'
TRANSIENT: dict[str, tuple[Fault, list[float]]] = {
    "429, seconds": (Fault(429, Retry_After="7"), [7]),
    "429, a date": (
        Fault(429, Retry_After="Sun, 01 Mar 2026 13:00:30 GMT"),
        [30],
    ),
    "429, a date gone by": (
        Fault(429, Retry_After="Sun, 01 Mar 2020 13:00:30 GMT"),
        [1],
    ),
    "429, zero": (Fault(429, Retry_After="0"), [1]),
    "429, nonsense": (Fault(429, Retry_After="-5 or so"), [1]),
    "429 alone": (Fault(429), [1]),
    "503": (Fault(503, Retry_After="2"), [2]),
    "500": (Fault(500, b"<h1>Oh no</h1>"), [1]),
    "502": (Fault(502), [1]),
    "cut body": (Fault(raw=CUT), [1]),
    "cut chunk": (Fault(raw=CUT_CHUNK), [1]),
    "cut head": (Fault(raw=b"HTTP/1.1 200 O"), [1]),
    "no HTTP": (Fault(raw=b"SSH-2.0-OpenSSH\r\n"), [1]),
    "HTML": (Fault(200, b"<html></html>"), [1]),
    "empty": (Fault(200, b""), [1]),
    "another shape": (Fault(200, b'{"servers": {"a": 1}}'), [1]),
    "half a page": (Fault(200, b'{"servers": [{"server": {}}'), [1]),
}


@pytest.mark.parametrize(("fault", "waits"), TRANSIENT.values(), ids=TRANSIENT)
def test_what_may_pass_is_asked_again(
    registry: FakeRegistry, run: Run, fault: Fault, waits: list[float]
) -> None:
    registry.publish(A)
    registry.faults = [fault]
    report = run()
    assert report.error == ""
    assert run.waits == waits
    assert set(kept()) == {A}


@pytest.mark.parametrize(
    "fault",
    [Fault(500), Fault(429), Fault(200, b"<html></html>"), Fault(raw=CUT)],
    ids=["500", "429", "HTML", "cut"],
)
def test_asking_again_ends(registry: FakeRegistry, run: Run, fault: Fault) -> None:
    registry.faults = [fault] * 100
    report = run()
    assert report.error
    assert len(registry.seen) == ATTEMPTS
    assert run.waits == [1, 2, 4, 8, 16]
    assert progress().updated_since is None


def test_a_wait_too_long_is_left_to_the_next_run(
    registry: FakeRegistry, run: Run
) -> None:
    registry.publish(A)
    registry.faults = [Fault(429, Retry_After="86400")]
    assert "86400 seconds" in run().error
    assert run.waits == []
    assert run().error == ""


FINAL = {
    "401": Fault(401),
    "403": Fault(403),
    "404": Fault(404),
    "elsewhere": Fault(302, Location="http://169.254.169.254/latest"),
    "below 200": Fault(raw=b"HTTP/1.1 204 No Content\r\n\r\n"),
}


@pytest.mark.parametrize("fault", FINAL.values(), ids=FINAL)
def test_what_does_not_pass_ends_the_run(
    registry: FakeRegistry, run: Run, fault: Fault
) -> None:
    registry.publish(A)
    registry.faults = [fault]
    assert run().error
    assert run.waits == []
    assert len(registry.seen) == 1
    assert kept() == {}
    assert progress().error


def test_nobody_there(registry: FakeRegistry) -> None:
    waits: list[float] = []
    report = sync(
        "http://127.0.0.1:1", door=Door(allow_private=True), sleep=waits.append
    )
    assert "127.0.0.1" in report.error
    assert len(waits) == ATTEMPTS - 1


@pytest.mark.parametrize(
    "url",
    [
        *("http://registry.example", "https://127.0.0.1", "https://10.0.0.1/x"),
        *("https://169.254.169.254", "https://user:key@registry.example", "ftp://x"),
        *("", "registry.example", "https://registry.example/?a=b"),
        *("https://registry.example/#x", "https://" + "x." * 200 + "example"),
        "https://registry.example/" + "x" * 300,
    ],
)
def test_the_outbound_door_is_the_only_way_out(url: str) -> None:
    with pytest.raises(RegistryError):
        sync(url, door=Door(allow_private=False))
    assert not RegistrySync.objects.exists()


def test_a_name_that_leads_inside_is_refused(registry: FakeRegistry) -> None:
    async def resolve(host: str, port: int) -> list[Any]:
        from ipaddress import ip_address

        return [ip_address("10.0.0.8")]

    door = Door(allow_private=False, resolve=resolve)
    report = sync("https://registry.example", door=door, sleep=never)
    assert "10.0.0.8" in report.error


def never(seconds: float) -> None:
    raise AssertionError("nothing to wait for")


@pytest.mark.parametrize(
    "spelled", ["{}", "{}/", "{}/v0.1", "{}/v0.1/servers", " {}/v0.1/servers/ "]
)
def test_one_registry_has_one_spelling(
    registry: FakeRegistry, run: Run, spelled: str
) -> None:
    url = registry.url
    registry.url = spelled.format(url)
    registry.publish(A)
    run()
    assert progress().registry == url
    assert registry.seen[0][0].startswith("/v0.1/servers?")
