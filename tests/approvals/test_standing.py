"""What every page shows of calls that wait and of tools that are open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import timezone

from accounts.models import Organization
from approvals import standing
from approvals.models import Approval, BreakGlass, State
from approvals.standing import Opening, Seen
from tests.world import World, make_approval


@pytest.fixture
def world(kept_world: World) -> World:
    return kept_world


def asked_by(organization: Organization) -> Any:
    request: Any = RequestFactory().get("/")
    request.organization = organization
    return request


def seen(organization: Organization) -> Seen:
    return standing.seen(asked_by(organization))


def test_it_is_of_one_organization(world):
    opening = world.asked.opening
    shown = Opening(
        opening.tool, world.grant.label, opening.by_email, opening.expires_at
    )
    assert seen(world.acme) == Seen(1, (shown,))
    assert seen(world.people["charlie"].organization) == Seen(0, ())
    assert standing.seen(RequestFactory().get("/")) == Seen(0, ())


def test_what_is_over_does_not_wait(world):
    waiting = Approval.objects.for_organization(world.acme).filter(state=State.PENDING)
    waiting.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert seen(world.acme).waiting == 0


@pytest.mark.parametrize("ended", ["ended_at", "expires_at"])
def test_what_has_ended_is_not_open(world, ended):
    past = timezone.now() - timedelta(seconds=1)
    BreakGlass.objects.for_organization(world.acme).update(**{ended: past})
    assert seen(world.acme) == Seen(1, ())


def test_it_counts_so_far(world, monkeypatch):
    monkeypatch.setattr(standing, "MOST_COUNTED", 3)
    Approval.objects.bulk_create(
        make_approval(world.grant, State.PENDING) for _ in range(4)
    )
    assert seen(world.acme).waiting == 3


def test_it_is_asked_once_a_page(world, django_assert_num_queries):
    request = asked_by(world.acme)
    with django_assert_num_queries(1):
        assert standing.seen(request) == standing.seen(request)
        assert [*standing.Standing(request)] == [*standing.seen(request).openings]


def test_the_last_to_end_is_the_first(world):
    first = world.asked.opening
    soon = first.expires_at - timedelta(minutes=1)
    BreakGlass.objects.create(
        organization=world.acme,
        grant=world.grant,
        tool="other",
        by_email="alice@example.com",
        expires_at=soon,
    )
    assert [each.tool for each in seen(world.acme).openings] == [first.tool, "other"]
    assert seen(world.acme).waiting == 1
    opened = standing.open_now(world.acme)
    assert [each.tool for each in opened] == [first.tool, "other"]
