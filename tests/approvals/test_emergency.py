"""Kill switches and break-glass: who may, what it says, when it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.models import GenerationChange, Organization, Role
from approvals import openings, switches
from approvals.models import BreakGlass, Notice
from approvals.standing import open_now
from policies.models import Grant
from servers.models import Server
from tests.approvals.conftest import FRESH, STALE, signed_in
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(kept_world: World) -> World:
    BreakGlass.objects.across_organizations().all().delete()
    return kept_world


def targets(world: World) -> dict[str, Organization | Server | Grant]:
    return {"organization": world.acme, "server": world.server, "grant": world.grant}


@pytest.mark.parametrize("kind", ["organization", "server", "grant"])
def test_a_switch_stops_and_lets_run(world, kind):
    target = targets(world)[kind]
    url = reverse("approvals:switch", args=[kind, target.pk])
    client = signed_in(world.people["adam"], FRESH)
    before = GenerationChange.objects.count()

    assert "Stop every call" in client.get(url).content.decode()
    client.post(url, {"killed": "yes"})
    target.refresh_from_db()
    assert target.killed_at is not None
    stopped = target.killed_at

    client.post(url, {"killed": "yes"})
    target.refresh_from_db()
    assert target.killed_at == stopped
    assert GenerationChange.objects.count() == before + 1

    client.post(url, {"killed": "no"})
    target.refresh_from_db()
    assert target.killed_at is None
    assert GenerationChange.objects.count() == before + 2


def test_a_switch_of_nothing_is_not_found(world):
    client = signed_in(world.people["adam"], FRESH)
    for kind, key in (
        ("grant", world.server.pk),
        ("organization", world.people["charlie"].organization_id),
        ("planet", world.grant.pk),
    ):
        url = reverse("approvals:switch", args=[kind, key])
        assert client.post(url, {"killed": "yes"}).status_code == 404
    url = reverse("approvals:switch", args=["grant", world.grant.pk])
    assert client.post(url, {"killed": "perhaps"}).status_code == 404
    assert not Grant.objects.across_organizations().exclude(killed_at=None).exists()


def given(**more):
    return {"tool": "tool_1", "minutes": "30", "reason": "Payments are stuck"} | more


def test_an_owner_opens_a_tool(world, mailoutbox):
    client = signed_in(world.people["alice"], FRESH)
    url = reverse("approvals:open_tool", args=[world.grant.pk])
    before = GenerationChange.objects.count()

    answer = client.post(url, given())

    assert answer.status_code == 302
    opening = BreakGlass.objects.for_organization(world.acme).get()
    left = opening.expires_at - timezone.now()
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)
    assert opening.by_email == "alice@example.com"
    assert GenerationChange.objects.count() == before + 1
    told = Notice.objects.for_organization(world.acme).filter(opening=opening)
    assert [notice.user.email for notice in told] == ["alice@example.com"]


def test_every_page_shows_what_is_open(world):
    opened(world)
    page = signed_in(world.people["dora"], STALE).get(reverse("servers:list"))
    assert "Break-glass" in page.content.decode()
    assert "tool_1" in page.content.decode()
    other = signed_in(world.people["charlie"], STALE).get(reverse("servers:list"))
    assert "Break-glass" not in other.content.decode()


def opened(world: World, minutes: int = 30) -> BreakGlass:
    return openings.open_tool(
        world.people["alice"],
        world.grant,
        "tool_1",
        minutes=minutes,
        reason="Stuck",
        fresh=True,
    )


def test_it_ends_by_the_clock_and_by_hand(world):
    first, second = opened(world), opened(world)
    past = timezone.now() - timedelta(seconds=1)
    rows = BreakGlass.objects.for_organization(world.acme)
    rows.filter(pk=first.pk).update(expires_at=past)
    assert list(open_now(world.acme)) == [second]

    url = reverse("approvals:close_opening", args=[second.pk])
    before = GenerationChange.objects.count()
    assert signed_in(world.people["alice"], STALE).post(url).status_code == 302
    assert not open_now(world.acme).exists()
    assert GenerationChange.objects.count() == before + 1
    assert not openings.close(world.people["alice"], second)


def test_a_stale_sign_in_opens_nothing(world):
    client = signed_in(world.people["alice"], STALE)
    url = reverse("approvals:open_tool", args=[world.grant.pk])
    for answer in (client.get(url), client.post(url, given())):
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert not BreakGlass.objects.for_organization(world.acme).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": "61"},
        {"minutes": "0"},
        {"reason": "  "},
        {"reason": "x" * 1001},
        {"tool": "not_listed"},
    ],
    ids=str,
)
def test_what_is_missing_is_said(world, wrong):
    client = signed_in(world.people["alice"], FRESH)
    url = reverse("approvals:open_tool", args=[world.grant.pk])
    assert client.post(url, given(**wrong)).status_code == 422
    assert not BreakGlass.objects.for_organization(world.acme).exists()


@pytest.mark.parametrize("minutes", [0, -1, 61])
def test_the_bound_holds_without_the_form(world, minutes):
    with pytest.raises(ValidationError):
        opened(world, minutes)


def test_only_owners_open_and_close(world):
    adam = world.people["adam"]
    assert adam.role == Role.ADMIN
    with pytest.raises(PermissionDenied):
        openings.open_tool(
            adam, world.grant, "tool_1", minutes=5, reason="x", fresh=True
        )
    with pytest.raises(PermissionDenied):
        openings.close(adam, opened(world))


def test_switching_says_whether_anything_changed(world):
    assert switches.kill(world.grant)
    assert not switches.kill(world.grant)
    assert switches.release(world.grant)
    assert not switches.release(world.grant)
