"""Verdicts on the pages: shown with their evidence, accepted as shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Organization
from policies import publishing
from policies.models import Policy
from servers import judging_anew, registering
from servers.discovery import discover
from servers.models import Server, ToolDefinition
from servers.verdicts import as_shown
from tests.servers.upstream import Upstream, tool

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]
EVIL = "<script>alert(1)</script>\u202e"


@pytest.fixture
def added(
    acme: Organization,
    alice: Membership,
    bob: Membership,
    upstream: Upstream,
    classified: Any,
    sign_in: SignIn,
) -> Server:
    """Added in the browser."""
    upstream.tools[:] = [
        tool("get", description="Reads"),
        tool("drop", description=f"Deletes {EVIL}"),
        tool("guess", description="Runs, perhaps"),
    ]
    sign_in(alice).post("/servers/add/", {"url": upstream.url, "name": "Files"})
    return Server.objects.for_organization(acme).get()


def stored(server: Server, name: str) -> ToolDefinition:
    rows = ToolDefinition.objects.for_organization(server.organization_id)
    return rows.get(server=server, name=name)


def place(server: Server, page: str, name: str = "") -> str:
    of_tool = [stored(server, name).pk] if name else []
    return reverse(f"servers:{page}", args=[server.public_id, *of_tool])


def text(response: Any) -> str:
    return str(response.content.decode())


def shown(page: str) -> list[str]:
    return re.findall(r'name="shown" value="([^"]*)"', page)


def publish(server: Server) -> None:
    policy = Policy.objects.for_organization(server.organization_id).get()
    publishing.publish_text(policy, '{"version": "1", "default": "allow"}', None)


def rejudge(classified: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classified, "VERSION", "2")
    monkeypatch.setitem(classified.SAYS, "reads", ("Financial", "critical"))
    monkeypatch.setitem(classified.SAYS, "runs", ("Financial", "critical"))
    judging_anew.judge_outdated()


def test_adding_shows_the_verdicts_and_drafts_a_policy(
    added: Server, bob: Membership, sign_in: SignIn
) -> None:
    page = text(sign_in(bob).get(place(added, "detail")))
    for word in ("Destructive", "critical", "doubtful", "?category=Read"):
        assert word in page
    (policy,) = Policy.objects.for_organization(added.organization_id)
    assert policy.name == "Files – recommended"
    assert policy.current is None
    assert f'href="/policies/{policy.pk}/"' in page
    assert "Review the drafted policy" in page
    publish(added)
    assert "Review the drafted" not in text(sign_in(bob).get(place(added, "detail")))


def test_a_server_that_a_file_describes_has_no_draft(
    acme: Organization, upstream: Upstream, classified: Any
) -> None:
    found = discover(upstream.url, {})
    registering.register(acme, "files", upstream.url, {}, found)
    assert not Policy.objects.for_organization(acme).exists()


def test_nothing_is_added_where_the_draft_fails(
    alice: Membership,
    upstream: Upstream,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("policies.beginnings.begin", failing)
    with pytest.raises(RuntimeError):
        sign_in(alice).post("/servers/add/", {"url": upstream.url})
    assert not Server.objects.for_organization(alice.organization).exists()


def test_a_tool_shows_its_evidence_inert(
    added: Server, bob: Membership, sign_in: SignIn
) -> None:
    page = text(sign_in(bob).get(place(added, "tool", "drop")))
    assert "It deletes:" in page
    assert "<code>description</code>" in page
    assert "<code>free_code</code> in <code>parameters.code</code>" in page
    assert "Confidence 90 %" in page
    assert 'href="/risk/"' in page
    assert "<script>alert" not in page
    assert "\u202e" not in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=doubtful", ["guess"]),
        ("state=new", []),
        ("category=Destructive", ["drop"]),
    ],
)
def test_tools_are_found_by_their_verdict(
    added: Server, bob: Membership, sign_in: SignIn, query: str, names: list[str]
) -> None:
    page = text(sign_in(bob).get(f"{place(added, 'detail')}?{query}"))
    assert [name for name in ("get", "drop", "guess") if f"<bdi>{name}<" in page] == (
        names
    )


def test_new_verdicts_are_listed_and_accepted_together(
    added: Server,
    bob: Membership,
    dora: Membership,
    sign_in: SignIn,
    classified: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(added)
    rejudge(classified, monkeypatch)
    assert place(added, "new_verdicts") in text(
        sign_in(dora).get(place(added, "detail"))
    )
    page = text(sign_in(bob).get(place(added, "new_verdicts")))
    assert "Accept these 2 verdicts" in page
    assert "Accept" not in text(sign_in(dora).get(place(added, "new_verdicts")))
    given = {"shown": shown(page)}
    accept = place(added, "accept_verdicts")
    assert sign_in(dora).post(accept, given).status_code == 403
    answer = sign_in(bob).post(accept, given, follow=True)
    assert "2 verdicts are accepted" in text(answer)
    assert stored(added, "get").category == "Financial"
    assert stored(added, "guess").verdict_by == bob.user
    again = sign_in(bob).post(accept, {"shown": ["x", "a b c d"]}, follow=True)
    assert "changed meanwhile" in text(again)


def test_what_changed_after_it_was_shown_stays(
    added: Server,
    bob: Membership,
    sign_in: SignIn,
    classified: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(added)
    rejudge(classified, monkeypatch)
    client = sign_in(bob)
    given = {"shown": shown(text(client.get(place(added, "new_verdicts"))))}
    monkeypatch.setattr(classified, "VERSION", "3")
    monkeypatch.setitem(classified.SAYS, "reads", ("Other", "high"))
    judging_anew.judge_outdated()
    answer = client.post(place(added, "accept_verdicts"), given, follow=True)
    assert "1 verdict is accepted" in text(answer)
    assert "changed meanwhile" in text(answer)
    assert stored(added, "get").category == "Read"
    assert stored(added, "guess").category == "Financial"


def test_one_new_verdict_is_accepted_on_its_tool(
    added: Server,
    bob: Membership,
    sign_in: SignIn,
    classified: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(added)
    rejudge(classified, monkeypatch)
    client = sign_in(bob)
    page = text(client.get(place(added, "tool", "get")))
    assert "<strong>Financial, critical</strong>" in page
    (given,) = shown(page)
    accept = place(added, "accept_verdict", "get")
    for wrong in (
        "",
        given.replace("critical", "low"),
        as_shown(stored(added, "guess")),
    ):
        refused = client.post(accept, {"shown": wrong}, follow=True)
        assert "changed meanwhile" in text(refused)
    assert stored(added, "get").category == "Read"
    client.post(accept, {"shown": given})
    assert stored(added, "get").category == "Financial"
    assert "accepted by <bdi>Bob</bdi>" in text(client.get(place(added, "tool", "get")))


def test_a_person_can_return_to_the_classifier(
    added: Server, bob: Membership, sign_in: SignIn
) -> None:
    client = sign_in(bob)
    client.post(place(added, "verdict", "drop"), {"category": "Read", "severity": ""})
    page = text(client.get(place(added, "tool", "drop")))
    assert "Use the classifier’s verdict" in page
    assert "It deletes:" in page
    client.post(place(added, "accept_verdict", "drop"), {"shown": shown(page)[0]})
    assert stored(added, "drop").category == "Destructive"


def test_a_raise_is_shown_with_its_verdict_and_accepted(
    added: Server, upstream: Upstream, bob: Membership, sign_in: SignIn
) -> None:
    client = sign_in(bob)
    upstream.tools[0] = tool("get", description="Deletes")
    client.post(place(added, "check"))
    page = text(client.get(place(added, "tool", "get")))
    assert "what it can do now is more severe" in page
    assert "<strong>Destructive, critical</strong> in place of Read, low" in page
    accept = place(added, "accept", "get")
    fingerprint = stored(added, "get").pending_fingerprint
    wrong = {"fingerprint": fingerprint, "verdict": "Read low"}
    assert "changed meanwhile" in text(client.post(accept, wrong, follow=True))
    client.post(accept, {"fingerprint": fingerprint, "verdict": "Destructive critical"})
    row = stored(added, "get")
    assert (row.held_at, row.category) == (None, "Destructive")


def test_holding_what_becomes_more_severe_can_be_switched_off(
    added: Server, alice: Membership, upstream: Upstream, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    edit = place(added, "edit")
    assert re.search(r'name="hold_raised"[^>]*checked', text(client.get(edit)))
    client.post(
        edit,
        {
            "url": upstream.url,
            "name": "Files",
            "credentials": "keep",
            "hold_seconds": "45",
        },
    )
    added.refresh_from_db()
    assert not added.hold_raised
