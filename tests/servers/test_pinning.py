"""Pins over time: first seen, changed, gone, back, held, accepted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organization
from servers import pinning
from servers.definitions import read_tools
from servers.models import Server, ToolDefinition
from tests.servers.upstream import tool


@pytest.fixture
def server(acme: Organization) -> Server:
    return Server.objects.create(organization=acme, name="files", url="http://x/")


def listing(server: Server, *tools: dict[str, Any]) -> bool:
    return pinning.pin(server, read_tools(tools)[0], timezone.now()).changed


def stored(server: Server, name: str) -> ToolDefinition:
    rows = ToolDefinition.objects.for_organization(server.organization_id)
    return rows.get(server=server, name=name)


def test_the_first_definition_is_the_pin(unclassified: None, server: Server) -> None:
    assert listing(server, tool("a"), tool("b"))
    row = stored(server, "a")
    assert row.definition == '{"inputSchema":{"type":"object"},"name":"a"}'
    assert (row.listed, row.held_at, row.verdict_origin) == (True, None, "unset")
    assert (row.category, row.severity) == ("Other", "low")


def test_the_same_again_is_no_change(server: Server) -> None:
    listing(server, tool("a"))
    before = stored(server, "a")
    assert not listing(server, {"inputSchema": {"type": "object"}, "name": "a"})
    after = stored(server, "a")
    assert after.first_seen == before.first_seen
    assert after.last_seen > before.last_seen
    assert after.changed_at is None


def test_a_changed_definition_replaces_the_pin(server: Server) -> None:
    listing(server, tool("a"), tool("b"))
    old = stored(server, "a")
    assert listing(server, tool("a", description="new"), tool("b"))
    row = stored(server, "a")
    assert "new" in row.definition
    assert row.previous_definition == old.definition
    assert (row.changed_at is not None, row.held_at) == (True, None)
    assert stored(server, "b").changed_at is None


def test_where_changes_are_held_the_pin_stays(server: Server) -> None:
    server.hold_changes = True
    listing(server, tool("a"))
    old = stored(server, "a")
    assert listing(server, tool("a", description="new"))
    row = stored(server, "a")
    assert row.fingerprint == old.fingerprint
    assert "new" in row.pending_definition
    assert row.held_reason == pinning.CHANGED
    assert not listing(server, tool("a", description="new"))
    server.hold_changes = False
    listing(server, tool("a", description="newer"))
    assert stored(server, "a").held_at == row.held_at
    assert stored(server, "a").fingerprint == old.fingerprint


def test_a_change_that_is_taken_back_ends_the_hold(server: Server) -> None:
    server.hold_changes = True
    listing(server, tool("a"))
    listing(server, tool("a", description="new"))
    assert listing(server, tool("a"))
    row = stored(server, "a")
    assert (row.held_at, row.pending_definition, row.held_reason) == (None, "", "")


def test_accepting_makes_the_waiting_definition_the_pin(server: Server) -> None:
    server.hold_changes = True
    listing(server, tool("a"))
    listing(server, tool("a", description="new"))
    row = stored(server, "a")
    assert pinning.accept(row, row.pending_fingerprint, timezone.now())
    now = stored(server, "a")
    assert (now.definition, now.held_at) == (row.pending_definition, None)
    assert now.previous_definition == row.definition
    assert not listing(server, tool("a", description="new"))


def test_only_what_was_shown_can_be_accepted(server: Server) -> None:
    server.hold_changes = True
    listing(server, tool("a"))
    listing(server, tool("a", description="shown"))
    shown = stored(server, "a")
    listing(server, tool("a", description="evil"))
    assert not pinning.accept(
        stored(server, "a"), shown.pending_fingerprint, timezone.now()
    )
    assert not pinning.accept(shown, shown.pending_fingerprint, timezone.now())
    assert not pinning.accept(shown, shown.fingerprint, timezone.now())
    assert stored(server, "a").held_at is not None


def test_tools_that_are_gone_and_come_back(server: Server) -> None:
    listing(server, tool("a"), tool("b"))
    assert listing(server, tool("b"))
    gone = stored(server, "a")
    assert not gone.listed
    assert not listing(server, tool("b"))
    assert stored(server, "a").last_seen == gone.last_seen
    assert listing(server, tool("a"), tool("b"))
    assert stored(server, "a").listed
    assert stored(server, "a").first_seen == gone.first_seen


def test_going_away_does_not_shake_off_the_pin(server: Server) -> None:
    server.hold_changes = True
    listing(server, tool("a"))
    listing(server)
    listing(server, tool("a", description="new"))
    assert stored(server, "a").held_reason == pinning.CHANGED


@pytest.mark.parametrize("name", ["read file", "réad", "a" * 129, "<b>", "a\u200bb"])
def test_odd_names_are_held(server: Server, name: str) -> None:
    listing(server, tool(name), tool("plain"))
    row = stored(server, name)
    assert row.held_reason == pinning.NAME
    assert stored(server, "plain").held_at is None
    assert pinning.accept(row, row.fingerprint, timezone.now())
    listing(server, tool(name), tool("plain"))
    assert stored(server, name).held_at is None


def test_names_that_look_alike_are_held(server: Server) -> None:
    listing(server, tool("read"), tool("Read"), tool("other"))
    assert stored(server, "read").held_reason == pinning.LOOKALIKE
    assert stored(server, "Read").held_reason == pinning.LOOKALIKE
    assert stored(server, "other").held_at is None


def test_a_newcomer_does_not_hold_what_was_there(server: Server) -> None:
    listing(server, tool("read"))
    listing(server, tool("read"), tool("READ"))
    assert stored(server, "read").held_at is None
    assert stored(server, "READ").held_reason == pinning.LOOKALIKE
    listing(server, tool("other"))
    listing(server, tool("rEad"))
    assert stored(server, "rEad").held_reason == pinning.LOOKALIKE


def test_a_name_listed_twice_is_held_while_it_is(server: Server) -> None:
    listing(server, tool("a"))
    assert listing(server, tool("a"), tool("a", description="other"))
    assert stored(server, "a").held_reason == pinning.TWICE
    assert listing(server, tool("a"))
    assert stored(server, "a").held_at is None


def test_the_number_of_stored_tools_is_bounded(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pinning, "MAX_TOOLS", 3)
    for start in (0, 5, 10):
        listing(server, *(tool(f"t{n}") for n in range(start, start + 4)))
    rows = ToolDefinition.objects.for_organization(server.organization_id)
    assert rows.filter(server=server).count() == 6


def test_other_servers_tools_are_left_alone(
    server: Server, other: Organization
) -> None:
    theirs = Server.objects.create(organization=other, name="files", url="http://x/")
    listing(theirs, tool("a"))
    listing(server, tool("a", description="ours"))
    listing(server)
    assert stored(theirs, "a").listed
    assert timezone.now() - stored(theirs, "a").last_seen < timedelta(minutes=1)
