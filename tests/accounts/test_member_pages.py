"""Pages of members: the list, and what is said before a role or a membership ends."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest

from accounts import invitations
from accounts.models import Membership, Role
from policies import granting, publishing
from policies.models import Grant
from servers.models import Server
from tests.conftest import member

pytestmark = pytest.mark.django_db
LIST = "/settings/members/"
ALONE, BOTH = (
    {"approvers": ["anna@example.com"]},
    {
        "approvers": ["role:admin"],
        "quorum": 2,
    },
)


@pytest.fixture(autouse=True)
def with_valkey(valkey):
    pass


def people(page: str) -> list[str]:
    return re.findall(r'class="name"><bdi>([\w.]+@example.com)', page)


def asked_for_bob(bob: Membership, approval: Mapping[str, object]) -> Grant:
    """A grant of bob's whose calls ask for this."""
    acme = bob.organization
    server = Server.objects.create(organization=acme, name="s", url="http://a/mcp")
    policy = publishing.create(server, "refunds", "", None)
    asks = {"action": "require_approval", "approval": approval}
    text = {"version": "1", "default": "deny", "tools": {"pay": asks}}
    publishing.publish_text(policy, json.dumps(text), None)
    return granting.mint(
        None, holder=bob, server=server, policy=policy, label="bot"
    ).grant


def test_all_members_see_the_list_and_admins_handle_it(acme, alice, bob, sign_in):
    invitations.invite(alice, "erin@example.com", "viewer")
    mine = sign_in(bob).get(LIST).content.decode()
    assert people(mine) == ["alice@example.com", "bob@example.com"]
    assert "erin@example.com" not in mine
    assert "/role/" not in mine
    assert "/remove/" not in mine
    assert "/settings/members/leave/" in mine
    hers = sign_in(alice).get(LIST).content.decode()
    assert "erin@example.com" in hers
    assert f"{LIST}{bob.pk}/remove/" in hers


def test_an_admin_is_not_offered_what_only_owners_may(acme, alice, bob, sign_in):
    invitations.invite(alice, "erin@example.com", "owner")
    page = sign_in(member(acme, "adam", Role.ADMIN)).get(LIST).content.decode()
    assert f"{LIST}{alice.pk}/" not in page
    assert f"{LIST}{bob.pk}/role/" in page
    assert "/withdraw/" not in page
    assert 'value="owner"' not in page.partition("<dialog")[2]
    for name in ("role", "remove"):
        place = f"{LIST}{alice.pk}/{name}/"
        client = sign_in(member(acme, f"adam{name}", Role.ADMIN))
        assert client.get(place).status_code == 403
        assert client.post(place, {"role": "viewer"}).status_code == 403


def test_it_is_searched_filtered_and_paged(acme, alice, sign_in, monkeypatch):
    for number in range(5):
        member(acme, f"m{number}", Role.VIEWER)
    monkeypatch.setattr("accounts.member_views.PAGE", 4)
    client = sign_in(alice)
    first = client.get(LIST).content.decode()
    following = re.search(r'rel="next" href="(\?[^"]+)"', first)
    assert following
    rest = client.get(LIST + following[1]).content.decode()
    names = [f"m{number}@example.com" for number in range(5)]
    assert people(first) + people(rest) == ["alice@example.com", *names]
    found = client.get(LIST, {"q": "m3"}).content.decode()
    assert people(found) == ["m3@example.com"]
    owners = client.get(LIST, {"role": "owner"}).content.decode()
    assert people(owners) == ["alice@example.com"]
    assert client.get(LIST, {"role": "king", "q": "\0"}).status_code == 200


def test_a_role_is_changed(acme, alice, bob, sign_in):
    place = f"{LIST}{bob.pk}/role/"
    answer = sign_in(alice).post(place, {"role": "admin"}, follow=True)
    assert "bob@example.com is now admin." in answer.content.decode()
    bob.refresh_from_db()
    assert bob.role == Role.ADMIN


def test_the_last_owner_is_told_why(acme, alice, sign_in):
    client = sign_in(alice)
    answer = client.post(f"{LIST}{alice.pk}/role/", {"role": "admin"})
    assert answer.status_code == 422
    assert "An organization has an owner" in answer.content.decode()
    page = client.get(f"{LIST}leave/").content.decode()
    assert "You are the last owner" in page
    assert "<button class" not in page.partition("<main")[2].partition("<dialog")[0]
    assert client.post(f"{LIST}leave/").status_code == 409


def test_a_rule_that_is_left_alone_is_told_before(acme, alice, bob, dora, sign_in):
    anna = member(acme, "anna", Role.VIEWER)
    asked_for_bob(bob, ALONE)
    client = sign_in(alice)
    page = client.get(f"{LIST}{dora.pk}/remove/").content.decode()
    assert "Nobody could decide" not in page
    page = client.get(f"{LIST}{anna.pk}/remove/").content.decode()
    assert "Nobody could decide" in page
    assert "“refunds”" in page
    assert "Nobody could" in sign_in(anna).get(f"{LIST}leave/").content.decode()


def test_a_role_that_leaves_a_rule_alone_takes_another_click(acme, alice, bob, sign_in):
    adam = member(acme, "adam", Role.ADMIN)
    asked_for_bob(bob, BOTH)
    client, place = sign_in(alice), f"{LIST}{adam.pk}/role/"
    told = client.post(place, {"role": "viewer"})
    assert told.status_code == 200
    assert "Nobody could decide" in told.content.decode()
    adam.refresh_from_db()
    assert adam.role == Role.ADMIN
    assert client.post(place, {"role": "viewer", "anyway": "1"}).status_code == 302
    adam.refresh_from_db()
    assert adam.role == Role.VIEWER


def test_removing_says_what_ends(acme, alice, bob, sign_in):
    member(acme, "anna", Role.VIEWER)
    grant = asked_for_bob(bob, ALONE)
    client = sign_in(alice)
    place = f"{LIST}{bob.pk}/remove/"
    page = client.get(place).content.decode()
    assert "1 grant is revoked for good" in page
    for _ in range(3):
        client.get(place)
        client.head(place)
    grant.refresh_from_db()
    assert grant.revoked_at is None
    gone = client.post(place, follow=True)
    assert "bob@example.com" not in people(gone.content.decode())
    grant.refresh_from_db()
    assert grant.revoked_at
    assert client.get(place).status_code == 404
    assert sign_in(bob).get(LIST)["Location"] == "/organizations/new/"


def test_one_leaves_oneself_and_lands_elsewhere(acme, other, alice, bob, sign_in):
    Membership.objects.create(organization=other, user=bob.user, role=Role.VIEWER)
    client = sign_in(bob)
    client.post("/organizations/switch/", {"organization": str(acme.pk)})
    answer = client.post(f"{LIST}leave/", follow=True)
    assert "You have left “Acme”." in answer.content.decode()
    assert answer.wsgi_request.organization == other
