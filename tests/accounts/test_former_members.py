"""Who has left is met by no query for members, and what hangs on them stays."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import access
from accounts.models import Membership, Role
from policies import granting
from servers.models import Server

pytestmark = pytest.mark.django_db


def leave(membership: Membership) -> None:
    membership.left_at = timezone.now()
    membership.save(update_fields=["left_at"])


def test_no_query_finds_who_has_left(acme, alice, bob):
    leave(bob)
    assert list(Membership.objects.for_organization(acme)) == [alice]
    assert not bob.user.memberships.across_organizations().exists()
    assert access.memberships_of(bob.user) == []


def test_what_hangs_on_them_still_names_them(acme, bob):
    server = Server.objects.create(organization=acme, name="s", url="http://a/mcp")
    grant = granting.mint(None, holder=bob, server=server, policy=None, label="x").grant
    leave(bob)
    grant = type(grant).objects.for_organization(acme).get()
    assert grant.membership.user.email == "bob@example.com"


def test_a_person_is_a_member_once_but_may_come_back(acme, bob):
    again = {"organization": acme, "user": bob.user, "role": Role.VIEWER}
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(**again)
    leave(bob)
    assert Membership.objects.create(**again).pk != bob.pk
