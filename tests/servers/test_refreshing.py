"""Refreshes: what is stored, who is asked how often, and who is not kept waiting."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import GenerationChange, Organization
from servers import discovery, registering
from servers.diagnosis import Failed
from servers.discovery import discover
from servers.models import Credential, Server, ToolDefinition
from servers.refreshing import claimed, refresh
from servers.registering import register
from servers.tasks import LOCK, refresh_all, refresh_one
from tests.servers.upstream import Upstream, running_upstream, tool

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def server(acme: Organization, upstream: Upstream) -> Server:
    return register(acme, "files", upstream.url, {}, discover(upstream.url, {}))


def forget_checks() -> None:
    Server.objects.across_organizations().update(checked_at=None)


def names(server: Server) -> list[str]:
    tools = ToolDefinition.objects.for_organization(server.organization_id)
    listed = tools.filter(server=server, listed=True)
    return sorted(listed.values_list("name", flat=True))


def asked(upstream: Upstream) -> int:
    return upstream.methods().count("server/discover")


def test_a_failing_refresh_is_noted_and_changes_no_decision(
    server: Server, upstream: Upstream
) -> None:
    before = GenerationChange.objects.count()
    upstream.required = {"x-nothing": "fits"}
    with pytest.raises(Failed):
        refresh(server)
    server.refresh_from_db()
    assert (server.health, "HTTP 401" in server.error) == ("failing", True)
    assert names(server) == ["read_file", "write_file"]
    assert GenerationChange.objects.count() == before
    upstream.required = {}
    refresh(server)
    server.refresh_from_db()
    assert (server.health, server.error) == ("ok", "")


def test_the_network_is_asked_outside_of_any_transaction(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test itself is one transaction: no further one may be open meanwhile."""
    depths: list[int] = []
    ask = discovery.discover

    def noting(url: str, headers: Mapping[str, str]) -> discovery.Discovery:
        depths.append(len(connection.savepoint_ids))
        return ask(url, headers)

    monkeypatch.setattr(discovery, "discover", noting)
    before = len(connection.savepoint_ids)
    refresh(server)
    assert depths == [before]


def test_the_task_asks_once_in_ten_seconds(
    server: Server, upstream: Upstream, valkey: Any
) -> None:
    upstream.seen.clear()
    for _ in range(3):
        refresh_one(str(server.pk))
    assert asked(upstream) == 1
    (key,) = valkey.scan_iter("*refresh*")
    assert 0 < valkey.ttl(key) <= 10
    valkey.delete(key)
    refresh_one(str(server.pk))
    assert asked(upstream) == 2


def test_an_organization_is_asked_for_one_server_at_a_time(
    server: Server, other: Organization
) -> None:
    second = Server.objects.create(
        organization=server.organization, name="second", url="http://127.0.0.1:1/"
    )
    theirs = Server.objects.create(organization=other, name="a", url="http://x/")
    with claimed(server) as first:
        assert first
        with claimed(second) as mine:
            assert not mine
        with claimed(theirs) as mine:
            assert mine
    with claimed(second) as mine:
        assert mine


def test_the_task_survives_a_server_that_fails_or_is_gone(
    server: Server, upstream: Upstream
) -> None:
    upstream.required = {"x-nothing": "fits"}
    refresh_one(str(server.pk))
    server.refresh_from_db()
    assert server.health == "failing"
    refresh_one(str(uuid.uuid4()))


def test_the_beat_asks_servers_that_were_not_asked_lately(
    server: Server, upstream: Upstream, other: Organization
) -> None:
    upstream.seen.clear()
    refresh_all()
    assert asked(upstream) == 0
    down = Server.objects.create(
        organization=other, name="down", url="http://127.0.0.1:1/mcp"
    )
    bad = register(other, "bad", upstream.url, {"X": "y"}, discover(upstream.url, {}))
    Credential.objects.for_organization(other).update(key_id="lost")
    forget_checks()
    upstream.tools.append(tool("new"))
    upstream.seen.clear()
    refresh_all()
    assert asked(upstream) == 1
    assert names(server) == ["new", "read_file", "write_file"]
    for each, said in ((down, "No connection"), (bad, "do not open")):
        each.refresh_from_db()
        assert (each.health, said in each.error) == ("failing", True)
    assert Server.objects.across_organizations().filter(checked_at=None).count() == 0


def test_servers_that_hang_are_waited_for_together(
    acme: Organization, upstream: Upstream
) -> None:
    def slow(message: dict[str, Any]) -> Any:
        time.sleep(0.5)
        return upstream.wrapped(message, upstream.on_server_discover({}))

    upstream.answers["server/discover"] = slow
    for number in range(8):
        Server.objects.create(organization=acme, name=f"{number}", url=upstream.url)
    began = time.monotonic()
    refresh_all()
    assert time.monotonic() - began < 3
    assert asked(upstream) == 8


def test_two_beats_do_not_ask_twice(
    server: Server, upstream: Upstream, valkey: Any
) -> None:
    forget_checks()
    upstream.seen.clear()
    lock = valkey.lock(LOCK, timeout=5)
    assert lock.acquire()
    refresh_all()
    assert asked(upstream) == 0
    lock.release()
    refresh_all()
    assert asked(upstream) == 1


def test_what_changes_while_the_beat_asks_is_left_to_the_next_round(
    server: Server, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_checks()
    with running_upstream() as second:
        gone = Server.objects.create(
            organization=server.organization, name="gone", url=second.url
        )
        store = registering.store

        def racing(each: Server, found: Any) -> None:
            Server.objects.across_organizations().filter(pk=gone.pk).delete()
            store(each, found)

        monkeypatch.setattr(registering, "store", racing)
        refresh_all()
    server.refresh_from_db()
    assert server.checked_at
    assert timezone.now() - server.checked_at < timedelta(minutes=1)
