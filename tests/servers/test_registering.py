"""Adding, changing, refreshing and removing servers; what sets the generation anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import GenerationChange, Membership, Organization
from servers import credentials, registering, vault
from servers.discovery import Discovery, Failed, discover
from servers.models import Credential, Server, ToolDefinition
from servers.refreshing import headers_of, refresh
from servers.registering import NameTaken, Stale, register, store, update_server
from servers.verdicts import set_verdict, unset_tools
from tests.servers.upstream import Upstream, tool

SECRET = {"Authorization": "Bearer s3cret", "X-Api-Key": "k"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def server(acme: Organization, upstream: Upstream) -> Server:
    return register(acme, "files", upstream.url, SECRET, discover(upstream.url, {}))


def changes(organization: Organization) -> int:
    return GenerationChange.objects.filter(organization=organization).count()


def names(server: Server) -> list[str]:
    tools = ToolDefinition.objects.for_organization(server.organization_id)
    return sorted(
        tools.filter(server=server, listed=True).values_list("name", flat=True)
    )


def test_registering_stores_what_the_server_said(server: Server) -> None:
    server.refresh_from_db()
    assert (server.era, server.revision, server.health) == (
        "modern", "2026-07-28", "ok",
    )  # fmt: skip
    assert server.identity["name"] == "fake"
    assert names(server) == ["read_file", "write_file"]
    assert headers_of(server) == {"authorization": "Bearer s3cret", "x-api-key": "k"}


def test_credentials_are_not_stored_in_the_clear(server: Server) -> None:
    for row in credentials.of_server(server):
        assert b"s3cret" not in bytes(row.ciphertext)
        assert row.key_id == "k1"


def test_credentials_of_another_row_do_not_open(server: Server) -> None:
    one, other = credentials.of_server(server)
    Credential.objects.for_organization(server.organization_id).filter(
        pk=one.pk
    ).update(ciphertext=other.ciphertext)
    with pytest.raises(vault.Damaged):
        credentials.opened(credentials.of_server(server))
    with pytest.raises(Failed, match="Enter them again"):
        headers_of(server)


def test_a_new_master_key_is_taken_into_use(server: Server, settings: Any) -> None:
    keys = dict(settings.ENCRYPTION_KEYS["keys"])
    keys["k2"] = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="
    settings.ENCRYPTION_KEYS = {"current": "k2", "keys": keys}
    assert credentials.rewrap_all() == 2
    assert credentials.rewrap_all() == 0
    settings.ENCRYPTION_KEYS = {"current": "k2", "keys": {"k2": keys["k2"]}}
    assert headers_of(server)["x-api-key"] == "k"


def test_names_are_taken_once_an_organization(
    server: Server, other: Organization
) -> None:
    found = Discovery("modern", "2026-07-28")
    with pytest.raises(NameTaken):
        register(server.organization, "files", "http://127.0.0.1/", {}, found)
    assert register(other, "files", "http://127.0.0.1/", {}, found).pk
    second = register(server.organization, "more", "http://127.0.0.1/", {}, found)
    with pytest.raises(NameTaken):
        update_server(second, name="files")


BAD_HEADERS: list[dict[str, str]] = [
    {"Host": "x"}, {"Content-Length": "1"}, {"Transfer-Encoding": "chunked"},
    {"Mcp-Session-Id": "x"}, {"Accept": "x"}, {"a b": "x"}, {"": "x"}, {"X:": "x"},
    {"X": ""}, {"X": "a\r\nb: c"}, {"X": " a"}, {"X": "é"}, {"X": "a" * 9000},
    {"X": "1", "x": "2"}, {f"X{n}": "1" for n in range(11)}, {"X\n": "a"},
]  # fmt: skip


@pytest.mark.parametrize("headers", BAD_HEADERS)
def test_headers_that_cannot_be_credentials(
    acme: Organization, headers: dict[str, str]
) -> None:
    with pytest.raises(credentials.BadHeader) as caught:
        register(acme, "x", "http://127.0.0.1/", headers, Discovery("modern", "x"))
    assert "9000" not in str(caught.value)
    assert not Server.objects.for_organization(acme).exists()


def make_changed(server: Server, upstream: Upstream) -> None:
    upstream.tools[0] = tool("read_file", description="changed")


def make_new(server: Server, upstream: Upstream) -> None:
    upstream.tools.append(tool("new"))


def make_gone(server: Server, upstream: Upstream) -> None:
    upstream.tools.pop()


def make_legacy(server: Server, upstream: Upstream) -> None:
    upstream.modern = False


@pytest.mark.parametrize("change", [make_changed, make_new, make_gone, make_legacy])
def test_what_a_refresh_finds_is_put_in_force(
    server: Server, upstream: Upstream, change: Callable[[Server, Upstream], None]
) -> None:
    refresh(server)
    before = changes(server.organization)
    refresh(server)
    assert changes(server.organization) == before
    change(server, upstream)
    refresh(server)
    assert changes(server.organization) == before + 1


@pytest.mark.parametrize(
    "change",
    [{"url": "http://127.0.0.1:9/"}, {"headers": {"X": "new"}}, {"headers": {}},
     {"hold_changes": True}],
)  # fmt: skip
def test_what_a_person_changes_is_put_in_force(
    server: Server, change: dict[str, Any]
) -> None:
    before = changes(server.organization)
    update_server(server, **change)
    assert changes(server.organization) == before + 1


def test_new_credentials_have_a_new_id(server: Server) -> None:
    updated = update_server(server, headers={"X": "new"})
    assert updated.credential_id != server.credential_id
    assert headers_of(updated) == {"x": "new"}
    assert update_server(updated, name="x").credential_id == updated.credential_id


def test_a_new_url_makes_the_era_unknown(server: Server) -> None:
    updated = update_server(server, url="http://127.0.0.1:9/")
    assert (updated.era, updated.revision, updated.health) == ("", "", "unknown")


def test_stored_credentials_never_follow_to_another_host(server: Server) -> None:
    same = update_server(server, url=server.url + "/v2")
    assert "x-api-key" in headers_of(same)
    assert headers_of(update_server(same, url="http://127.0.0.1:9/mcp")) == {}


def test_what_an_older_url_said_is_not_stored(
    server: Server, upstream: Upstream
) -> None:
    found = discover(upstream.url, {})
    update_server(server, headers={"X": "new"})
    with pytest.raises(Stale):
        store(server, found)


def test_removing_takes_tools_and_credentials_along(server: Server) -> None:
    before = changes(server.organization)
    registering.remove(server)
    organization = server.organization
    assert not ToolDefinition.objects.for_organization(organization).exists()
    assert not Credential.objects.for_organization(organization).exists()
    assert changes(organization) == before + 1


def test_verdicts(unclassified: None, server: Server, bob: Membership) -> None:
    assert unset_tools(server) == ["read_file", "write_file"]
    tools = ToolDefinition.objects.for_organization(server.organization)
    before = changes(server.organization)
    set_verdict(tools.get(name="read_file"), "Read", "low", bob.user)
    row = tools.get(name="read_file")
    assert (row.category, row.verdict_origin, row.verdict_by) == (
        "Read", "person", bob.user,
    )  # fmt: skip
    assert unset_tools(server) == ["write_file"]
    assert changes(server.organization) == before + 1


def test_the_command_that_takes_a_new_key_into_use(
    server: Server, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("rewrap_credentials")
    assert capsys.readouterr().out.startswith("0 credentials")
    new = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="
    keys = settings.ENCRYPTION_KEYS["keys"] | {"k3": new}
    settings.ENCRYPTION_KEYS = {"current": "k3", "keys": keys}
    call_command("rewrap_credentials")
    assert capsys.readouterr().out.startswith("2 credentials")
