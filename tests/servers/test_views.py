"""The pages of servers, as members of every kind see them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import GenerationChange, Membership, Organization
from servers.discovery import discover
from servers.forms import USUAL_SEVERITY
from servers.models import Category, Health, Server, ToolDefinition
from servers.refreshing import headers_of
from servers.registering import register
from tests.servers.upstream import Upstream, running_upstream, tool

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]
EVIL = '<script>alert(1)</script>"\u202e'


@pytest.fixture
def server(acme: Organization, upstream: Upstream) -> Server:
    headers = {"Authorization": "Bearer s3cret"}
    return register(acme, "files", upstream.url, headers, discover(upstream.url, {}))


def url(name: str, server: Server) -> str:
    return reverse(f"servers:{name}", args=[server.public_id])


def servers(organization: Organization) -> list[Server]:
    return list(Server.objects.for_organization(organization).order_by("name"))


def stored(server: Server, name: str) -> ToolDefinition:
    return ToolDefinition.objects.for_organization(server.organization_id).get(
        server=server, name=name
    )


def text(response: Any) -> str:
    return str(response.content.decode())


# -- list and add ----------------------------------------------------------------------


def test_an_empty_list_offers_the_one_thing_to_do(
    alice: Membership, dora: Membership, sign_in: SignIn
) -> None:
    assert reverse("servers:add") in text(sign_in(alice).get("/servers/"))
    assert reverse("servers:add") not in text(sign_in(dora).get("/servers/"))


def test_the_list_is_searched_by_url(
    server: Server, dora: Membership, sign_in: SignIn
) -> None:
    client = sign_in(dora)
    assert "files" in text(client.get("/servers/?q=FIL"))
    page = text(client.get("/servers/?q=%3Cb%3E%00"))
    assert server.public_id not in page
    assert "<b>" not in page


def test_adding_a_server(
    alice: Membership, upstream: Upstream, sign_in: SignIn
) -> None:
    upstream.required = {"authorization": "Bearer s3cret", "x-key": "k"}
    given = {
        "url": upstream.url, "name": "Files", "token": "Bearer s3cret",
        "header_name": "X-Key", "header_value": "k",
    }  # fmt: skip
    response = sign_in(alice).post("/servers/add/", given, follow=True)
    (server,) = servers(alice.organization)
    assert (server.name, server.health) == ("Files", Health.OK)
    assert headers_of(server) == {"authorization": "Bearer s3cret", "x-key": "k"}
    page = text(response)
    assert "Files is added: fake 1.2, revision 2026-07-28, 2 tools." in page
    assert "s3cret" not in page
    assert "read_file" in page


def test_a_name_is_found_where_none_is_given(
    alice: Membership, upstream: Upstream, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    client.post("/servers/add/", {"url": upstream.url})
    client.post("/servers/add/", {"url": upstream.url})
    assert [each.name for each in servers(alice.organization)] == ["fake", "fake 2"]
    client.post("/servers/add/", {"url": upstream.url, "name": "fake"})
    assert len(servers(alice.organization)) == 2


BAD: list[tuple[dict[str, str], str]] = [
    ({"url": ""}, "required"),
    ({"url": "ftp://x/"}, "must begin with"),
    ({"url": "http://169.254.169.254/"}, "not a public address"),
    ({"url": "http://u:p@127.0.0.1/"}, "user name or password"),
    ({"url": "http://127.0.0.1:1/mcp"}, "Check that the server runs"),
    ({"url": "x", "name": "a\u202eb"}, "invisible character"),
    ({"header_name": "X-Key"}, "A header has a name and a value"),
    ({"header_value": "k"}, "A header has a name and a value"),
    ({"header_name": "Host", "header_value": "k"}, "set by the gateway itself"),
    ({"token": "a\u00e9b"}, "printable ASCII"),
    ({"token": "x", "header_name": "Authorization", "header_value": "k"},
     "The bearer token is this header"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "said"), BAD)
def test_bad_input_says_what_is_wrong_and_loses_nothing(
    alice: Membership,
    upstream: Upstream,
    sign_in: SignIn,
    given: dict[str, str],
    said: str,
) -> None:
    sent = {"url": upstream.url, "name": "kept name"} | given
    response = sign_in(alice).post("/servers/add/", sent)
    assert response.status_code == 422
    assert said in text(response)
    assert "kept name" in text(response) or "name" in given
    assert servers(alice.organization) == []


def test_a_server_that_wants_credentials_says_so_beside_the_token(
    alice: Membership, upstream: Upstream, sign_in: SignIn
) -> None:
    upstream.required = {"authorization": "Bearer right"}
    response = sign_in(alice).post("/servers/add/", {"url": upstream.url})
    assert response.context["form"].errors["token"]
    assert "no-store" in response["Cache-Control"]


@pytest.mark.xdist_group("e2e")
def test_one_click_adds_the_sandbox(
    alice: Membership, sandbox_url: str, sign_in: SignIn, settings: Any
) -> None:
    settings.SANDBOX_URL = sandbox_url
    client = sign_in(alice)
    assert "Add the sandbox" in text(client.get("/servers/"))
    for _ in range(2):
        response = client.post("/servers/add/sandbox/", follow=True)
        assert "create_refund" in text(response)
    assert [each.name for each in servers(alice.organization)] == [
        "PolicyLayer sandbox"
    ]
    assert "Add the sandbox" not in text(client.get("/servers/"))


def test_without_a_sandbox_none_is_offered(
    alice: Membership, sign_in: SignIn, settings: Any
) -> None:
    settings.SANDBOX_URL = ""
    client = sign_in(alice)
    assert "Add the sandbox" not in text(client.get("/servers/"))
    assert "runs no sandbox" in text(client.post("/servers/add/sandbox/", follow=True))
    assert servers(alice.organization) == []


# -- one server ------------------------------------------------------------------------


def test_the_page_of_a_server(
    server: Server, dora: Membership, sign_in: SignIn
) -> None:
    page = text(sign_in(dora).get(url("detail", server)))
    assert f"/mcp/{server.public_id}" in page
    assert "Authorization" in page
    assert "s3cret" not in page
    assert "read_file" in page
    assert url("edit", server) not in page
    assert url("check", server) not in page


def test_tools_are_filtered_by_url(
    unclassified: None,
    server: Server,
    upstream: Upstream,
    dora: Membership,
    sign_in: SignIn,
) -> None:
    row = stored(server, "read_file")
    row.category, row.verdict_origin = "Read", "person"
    row.save()
    client = sign_in(dora)

    def shown(query: str) -> list[str]:
        response = client.get(url("detail", server) + query)
        return [each.name for each in response.context["tools"]]

    assert shown("") == ["read_file", "write_file"]
    assert shown("?q=WRITE") == ["write_file"]
    assert shown("?category=Read") == ["read_file"]
    assert shown("?state=unset") == ["write_file"]
    assert shown("?state=held") == []
    assert shown("?state=nonsense&category=nonsense") == ["read_file", "write_file"]
    assert shown("?after=read_file") == ["write_file"]
    assert shown("?q=%00&after=%00") == ["read_file", "write_file"]


def test_200_tools_in_a_dozen_queries(
    server: Server,
    upstream: Upstream,
    alice: Membership,
    sign_in: SignIn,
    django_assert_max_num_queries: Any,
) -> None:
    upstream.tools = [tool(f"tool_{n:03}") for n in range(260)]
    client = sign_in(alice)
    client.post(url("check", server))
    with django_assert_max_num_queries(12):
        page = text(client.get(url("detail", server)))
    assert page.count("tool_") >= 250
    assert "after=tool_248" in page
    assert "tool_259" in text(client.get(url("detail", server) + "?after=tool_248"))


def test_hostile_text_is_only_text(
    server: Server, upstream: Upstream, alice: Membership, sign_in: SignIn
) -> None:
    upstream.info = {"name": EVIL, "version": EVIL}
    upstream.tools = [tool(EVIL, description=EVIL), tool("a" * 128)]
    upstream.answers["server/discover"] = lambda message: upstream.wrapped(
        message,
        upstream.on_server_discover({}) | {"instructions": EVIL},
    )
    client = sign_in(alice)
    pages = [text(client.post(url("check", server), follow=True))]
    row = stored(server, EVIL)
    pages.append(
        text(client.get(reverse("servers:tool", args=[server.public_id, row.pk])))
    )
    for page in pages:
        page = re.sub(r'data-text="[^"]*"', "", page)  # copied as it is, never seen
        assert "<script>alert" not in page
        assert "\u202e" not in page
        assert "U+202E" in page


def test_the_connection_test_with_htmx_and_without(
    server: Server, upstream: Upstream, bob: Membership, sign_in: SignIn
) -> None:
    client = sign_in(bob)
    upstream.tools.append(tool("new"))
    plain = client.post(url("check", server), follow=True)
    assert "fake 1.2, revision 2026-07-28, 3 tools." in text(plain)
    upstream.required = {"x": "y"}
    fragment = client.post(url("check", server), headers={"HX-Request": "true"})
    assert text(fragment).startswith('<div class="stack loose" id="server">')
    assert "refuses us (HTTP 401)" in text(fragment)
    assert "Check the credentials" in text(fragment)
    server.refresh_from_db()
    assert server.health == Health.FAILING
    assert "refuses us" in text(client.get(url("detail", server)))


HOLD = {"hold_seconds": "45"}


def test_editing_a_name_asks_nobody(
    server: Server, upstream: Upstream, alice: Membership, sign_in: SignIn
) -> None:
    upstream.seen.clear()
    given = {"url": server.url, "name": "new", **HOLD, "credentials": "keep"}
    sign_in(alice).post(url("edit", server), given | {"hold_changes": "on"})
    server.refresh_from_db()
    assert (server.name, server.hold_changes, upstream.seen) == ("new", True, [])
    assert headers_of(server) == {"authorization": "Bearer s3cret"}


def edited_hold(
    server: Server, client: Any, seconds: str, *rows: tuple[str, str]
) -> Any:
    given = {
        "url": server.url,
        "name": "files",
        "credentials": "keep",
        "hold_seconds": seconds,
        "hold_by_client": [name for name, _ in rows],
        "hold_by_client_seconds": [each for _, each in rows],
    }
    answer = client.post(url("edit", server), given)
    server.refresh_from_db()
    return answer


def test_how_long_calls_wait_is_set_for_all_and_by_client(
    server: Server, upstream: Upstream, alice: Membership, sign_in: SignIn
) -> None:
    client, blank = sign_in(alice), ("", "")
    edited_hold(server, client, "10", ("claude-code", "0"), blank, (" x ", "240"))
    assert server.hold_seconds == 10
    assert server.hold_by_client == {"claude-code": 0, "x": 240}
    page = text(client.get(url("edit", server)))
    assert 'value="claude-code"' in page
    assert 'value="240"' in page
    edited_hold(server, client, "0", blank)
    assert (server.hold_seconds, server.hold_by_client) == (0, {})


@pytest.mark.parametrize(
    ("seconds", "rows", "said"),
    [
        ("241", [], "less than or equal to 240"),
        ("-1", [], "greater than or equal to 0"),
        ("", [], "required"),
        ("45", [("a", "241")], "seconds from 0 to 240"),
        ("45", [("a", "000000000241")], "seconds from 0 to 240"),
        ("45", [("a", "²")], "seconds from 0 to 240"),
        ("45", [("a", "")], "seconds from 0 to 240"),
        ("45", [("", "5")], "give its name"),
        ("45", [("a", "5"), ("a", "6")], "is there twice"),
        ("45", [("a\u202e", "5")], "invisible character"),
        ("45", [("a" * 101, "5")], "at most 100 characters"),
        ("45", [(f"c{n}", "5") for n in range(21)], "At most 20 clients"),
    ],
)
def test_what_is_no_time_to_wait_is_refused(
    server: Server, upstream: Upstream, alice: Membership, sign_in: SignIn,
    seconds: str, rows: list[tuple[str, str]], said: str,
) -> None:  # fmt: skip
    answer = edited_hold(server, sign_in(alice), seconds, *rows)
    assert answer.status_code == 422
    assert said in text(answer)
    assert (server.hold_seconds, server.hold_by_client) == (45, {})


def test_credentials_are_replaced_and_removed_never_shown(
    server: Server, upstream: Upstream, alice: Membership, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    page = text(client.get(url("edit", server)))
    assert "Authorization" in page
    assert "s3cret" not in page
    given = {"url": server.url, "name": "files", **HOLD}
    client.post(url("edit", server), given | {"credentials": "replace", "token": "n"})
    server.refresh_from_db()
    assert headers_of(server) == {"authorization": "Bearer n"}
    client.post(url("edit", server), given | {"credentials": "remove"})
    server.refresh_from_db()
    assert headers_of(server) == {}


@pytest.mark.parametrize(
    "given",
    [{"credentials": "keep", "token": "n"}, {"credentials": "replace"},
     {"credentials": "remove", "token": "n"}, {}],
)  # fmt: skip
def test_what_to_do_with_credentials_must_be_clear(
    server: Server, alice: Membership, sign_in: SignIn, given: dict[str, str]
) -> None:
    sent = {"url": server.url, "name": "files", **HOLD} | given
    response = sign_in(alice).post(url("edit", server), sent)
    assert response.status_code == 422
    assert headers_of(server) == {"authorization": "Bearer s3cret"}


def test_stored_credentials_never_follow_to_another_host(
    server: Server, alice: Membership, sign_in: SignIn
) -> None:
    with running_upstream() as elsewhere:
        given = {"url": elsewhere.url, "name": "files", **HOLD, "credentials": "keep"}
        sign_in(alice).post(url("edit", server), given)
        assert elsewhere.seen
        for _, _, headers in elsewhere.seen:
            assert "authorization" not in headers
        server.refresh_from_db()
        assert server.url == elsewhere.url
        assert headers_of(server) == {}


def test_a_path_of_the_same_host_keeps_them(
    server: Server, upstream: Upstream, alice: Membership, sign_in: SignIn
) -> None:
    given = {
        "url": upstream.url + "/v2",
        "name": "files",
        **HOLD,
        "credentials": "keep",
    }
    sign_in(alice).post(url("edit", server), given)
    server.refresh_from_db()
    assert server.url.endswith("/v2")
    assert headers_of(server) == {"authorization": "Bearer s3cret"}


def test_a_server_that_is_down_can_be_saved_anyway(
    server: Server, upstream: Upstream, alice: Membership, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    upstream.required = {"authorization": "Bearer other"}
    given = {
        "url": server.url, "name": "files", **HOLD,
        "credentials": "replace", "token": "n",
    }  # fmt: skip
    response = client.post(url("edit", server), given)
    assert response.status_code == 422
    assert "Save anyway" in text(response)
    assert headers_of(server) == {"authorization": "Bearer s3cret"}
    assert client.post(url("edit", server), given | {"anyway": "1"}).status_code == 302
    assert headers_of(server) == {"authorization": "Bearer n"}


def test_deleting_says_what_ends_and_asks_for_the_name(
    server: Server, alice: Membership, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    page = text(client.get(url("delete", server)))
    assert "2 tool definitions" in page
    assert "1 credential" in page
    assert client.post(url("delete", server), {"name": "file"}).status_code == 422
    assert servers(alice.organization)
    assert client.post(url("delete", server), {"name": "files"}).status_code == 302
    assert servers(alice.organization) == []


# -- who may ---------------------------------------------------------------------------

PAGES = ["detail", "edit", "delete"]


@pytest.mark.parametrize("name", PAGES)
def test_strangers_find_nothing(
    server: Server, charlie: Membership, sign_in: SignIn, name: str
) -> None:
    assert sign_in(charlie).get(url(name, server)).status_code == 404


def test_a_tool_is_found_under_its_own_server_only(
    server: Server, alice: Membership, charlie: Membership, sign_in: SignIn
) -> None:
    row = stored(server, "read_file")
    second = Server.objects.create(
        organization=server.organization, name="second", url="http://127.0.0.1/"
    )
    path = reverse("servers:tool", args=[second.public_id, row.pk])
    assert sign_in(alice).get(path).status_code == 404
    path = reverse("servers:tool", args=[server.public_id, row.pk])
    assert sign_in(charlie).get(path).status_code == 404
    assert sign_in(alice).get(path).status_code == 200


# -- one tool --------------------------------------------------------------------------


def tool_url(server: Server, name: str, page: str = "tool") -> str:
    row = stored(server, name)
    return reverse(f"servers:{page}", args=[server.public_id, row.pk])


def test_a_verdict_is_set_by_a_policy_manager(
    server: Server, bob: Membership, dora: Membership, sign_in: SignIn
) -> None:
    path = tool_url(server, "read_file", "verdict")
    assert sign_in(dora).post(path, {"category": "Read"}).status_code == 403
    before = GenerationChange.objects.count()
    client = sign_in(bob)
    client.post(path, {"category": "Destructive", "severity": ""})
    row = stored(server, "read_file")
    assert (row.category, row.severity) == ("Destructive", "critical")
    assert (row.verdict_origin, row.verdict_by) == ("person", bob.user)
    assert GenerationChange.objects.count() == before + 1
    client.post(path, {"category": "Read", "severity": "high"})
    assert stored(server, "read_file").severity == "high"
    assert client.post(path, {"category": "Evil"}).status_code == 422
    assert "Set by <bdi>Bob</bdi>" in text(client.get(tool_url(server, "read_file")))


def test_every_category_has_its_usual_severity() -> None:
    assert set(USUAL_SEVERITY) == set(Category)


def test_a_changed_tool_is_shown_and_accepted(
    server: Server, upstream: Upstream, bob: Membership, sign_in: SignIn
) -> None:
    client = sign_in(bob)
    Server.objects.for_organization(server.organization_id).update(hold_changes=True)
    upstream.tools[0] = tool("read_file", description="Now deletes")
    client.post(url("check", server))
    page = text(client.get(tool_url(server, "read_file")))
    assert "Held: calls of this tool are denied." in page
    assert "Now deletes" in page
    shown = stored(server, "read_file").pending_fingerprint
    before = GenerationChange.objects.count()
    path = tool_url(server, "read_file", "accept")
    stale = client.post(path, {"fingerprint": "0" * 64}, follow=True)
    assert "changed meanwhile" in text(stale)
    assert stored(server, "read_file").held_at
    (verdict,) = re.findall(r'name="verdict" value="([^"]*)"', page)
    client.post(path, {"fingerprint": shown, "verdict": verdict})
    row = stored(server, "read_file")
    assert (row.fingerprint, row.held_at) == (shown, None)
    assert GenerationChange.objects.count() == before + 1
    assert "What changed last" in text(client.get(tool_url(server, "read_file")))


def test_only_a_policy_manager_accepts(
    server: Server, dora: Membership, sign_in: SignIn
) -> None:
    path = tool_url(server, "read_file", "accept")
    assert sign_in(dora).post(path, {"fingerprint": ""}).status_code == 403


def test_a_verdict_before_a_change_is_doubted(
    server: Server, upstream: Upstream, bob: Membership, sign_in: SignIn
) -> None:
    client = sign_in(bob)
    client.post(tool_url(server, "read_file", "verdict"), {"category": "Read"})
    assert "still fit" not in text(client.get(tool_url(server, "read_file")))
    upstream.tools[0] = tool("read_file", description="Now deletes")
    client.post(url("check", server))
    assert "still fit" in text(client.get(tool_url(server, "read_file")))


def test_definitions_too_long_to_compare(
    server: Server, upstream: Upstream, bob: Membership, sign_in: SignIn
) -> None:
    client = sign_in(bob)
    upstream.tools[0] = tool("read_file", list=list(range(5000)))
    client.post(url("check", server))
    assert "too long to compare" in text(client.get(tool_url(server, "read_file")))
