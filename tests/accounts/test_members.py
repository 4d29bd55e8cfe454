"""Who may change whose role, remove whom, and what ends with a membership."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone

from accounts import access, api_tokens, leaving, members
from accounts.keys import generation_key
from accounts.models import ApiToken, Membership, Organization, Role
from approvals.models import Approval, Delegation, State, Vote
from policies import granting, publishing
from policies.models import Grant
from servers.models import Server
from tests.conftest import member
from tests.world import World, make_approval, make_world

OWNER, ADMIN, MANAGER, V = Role.OWNER, Role.ADMIN, Role.POLICY_MANAGER, Role.VIEWER


@pytest.fixture
def second(acme: Organization, alice: Membership) -> Membership:
    """Another owner beside alice."""
    return member(acme, "olga", OWNER)


def role_of(membership: Membership) -> str:
    return type(membership)._base_manager.get(pk=membership.pk).role


# -- roles -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "of", "role", "may"),
    [
        (OWNER, V, OWNER, True),
        (OWNER, ADMIN, V, True),
        (OWNER, OWNER, ADMIN, True),
        (ADMIN, V, ADMIN, True),
        (ADMIN, ADMIN, V, True),
        (ADMIN, V, OWNER, False),
        (ADMIN, OWNER, V, False),
        (MANAGER, V, MANAGER, False),
        (V, V, V, False),
    ],
)
def test_who_may_give_which_role(acme, alice, by, of, role, may):
    acting, changed = member(acme, "mia", by), member(acme, "max", of)
    if may:
        assert members.change_role(acting, changed, role)
    else:
        with pytest.raises(PermissionDenied):
            members.change_role(acting, changed, role)
    assert role_of(changed) == (role if may else of)


@pytest.mark.parametrize("own", Role.values)
@pytest.mark.parametrize("wished", Role.values)
def test_nobody_raises_themselves(acme, alice, own, wished):
    mia = member(acme, "mia", own)
    with suppress(PermissionDenied):
        members.change_role(mia, mia, wished)
    widest_first = Role.values
    assert widest_first.index(role_of(mia)) >= widest_first.index(own)


def test_the_role_that_counts_is_that_of_this_moment(acme, alice, second, bob):
    """A request that began before the right was gone."""
    before = Membership.objects.for_organization(acme).get(pk=second.pk)
    members.change_role(alice, second, V)
    with pytest.raises(PermissionDenied):
        members.change_role(before, bob, OWNER)
    with pytest.raises(PermissionDenied):
        members.remove(before, bob)
    assert role_of(bob) == MANAGER


def test_a_stranger_handles_nobody(alice, second, charlie):
    with pytest.raises(PermissionDenied):
        members.remove(charlie, alice)
    with pytest.raises(PermissionDenied):
        members.change_role(charlie, alice, V)
    assert {role_of(alice), role_of(second)} == {OWNER}


def test_the_last_owner_stays(alice, second):
    assert members.change_role(alice, alice, V)
    with pytest.raises(ValidationError):
        members.change_role(second, second, ADMIN)
    with pytest.raises(ValidationError):
        members.remove(second, second)
    assert (role_of(second), second.left_at) == (OWNER, None)


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_demote_each_other_leave_one(valkey, acme, alice, second):
    started = threading.Barrier(2)

    def demote(by: Membership, other: Membership) -> None:
        started.wait(10)
        members.change_role(by, other, V)

    in_threads(lambda: demote(alice, second), lambda: demote(second, alice))
    assert sorted([role_of(alice), role_of(second)]) == [OWNER, V]


@pytest.mark.django_db(transaction=True)
def test_a_role_is_in_force_on_the_next_call(valkey, acme, alice, bob):
    key = generation_key(acme.shard, acme.pk)
    members.change_role(alice, bob, V)
    first = valkey.get(key)
    assert first
    assert not members.change_role(alice, bob, V)
    assert valkey.get(key) == first
    members.remove(alice, bob)
    assert valkey.get(key) != first


# -- leaving -----------------------------------------------------------------------


@pytest.fixture
def world(db: None, valkey: Any) -> World:
    return make_world()


def test_what_a_member_carried_ends_and_what_was_decided_stays(world):
    alice, adam = world.people["alice"], world.people["adam"]
    olga = member(world.acme, "olga", OWNER)
    Delegation.objects.create(
        organization=world.acme,
        giver=adam,
        to=alice,
        ends_at=timezone.now() + timedelta(days=1),
    )
    said = " ".join(leaving.said(alice))
    assert "13 grants are revoked" in said
    assert "2 requests of theirs that are open end" in said
    assert "2 delegations end" in said
    assert "1 API token stops working" in said
    votes = Vote.objects.for_organization(world.acme).count()
    approvals = Approval.objects.for_organization(world.acme).count()
    assert votes and approvals

    members.remove(olga, alice)

    grants = Grant.objects.for_organization(world.acme)
    assert not grants.filter(membership=alice, revoked_at=None).exists()
    tokens = ApiToken.objects.for_organization(world.acme)
    assert not tokens.filter(membership=alice, revoked_at=None).exists()
    current = Delegation.objects.for_organization(world.acme).filter(ended_at=None)
    assert not current.exists()
    world.asked.approval.refresh_from_db()
    assert world.asked.approval.state == State.CANCELLED
    world.asked.waiver.refresh_from_db()
    assert world.asked.waiver.ended_at
    assert Vote.objects.for_organization(world.acme).count() == votes
    assert Approval.objects.for_organization(world.acme).count() == approvals
    assert access.memberships_of(alice.user) == []


def test_what_was_approved_but_not_run_is_void(world):
    approved = make_approval(world.grant, State.APPROVED)
    approved.usable_until = timezone.now() + timedelta(minutes=5)
    approved.save()
    members.remove(member(world.acme, "olga", OWNER), world.people["alice"])
    approved.refresh_from_db()
    assert approved.state == State.VOID


def test_others_keep_what_is_theirs(world):
    adam = world.people["adam"]
    theirs = make_token(world.people["bob"])
    members.remove(world.people["alice"], adam)
    assert api_tokens.find(theirs)
    grants = Grant.objects.for_organization(world.acme)
    assert grants.filter(revoked_at=None).count() == 13


def make_token(by: Membership) -> str:
    return api_tokens.mint(by, "ci", [api_tokens.READ], None, False).token


def test_who_is_alone_in_deciding_is_told_of(acme, alice, bob, valkey):
    """bob's calls ask approvers; alice is the only other one."""
    server = Server.objects.create(organization=acme, name="s", url="http://a/mcp")
    policy = publishing.create(server, "p", "", None)
    text = (
        '{"version": "1", "default": "deny", "tools": {"pay": {"action":'
        ' "require_approval", "approval": {"approvers": ["role:approver"]}}}}'
    )
    publishing.publish_text(policy, text, None)
    granting.mint(None, holder=bob, server=server, policy=policy, label="bot")
    olga = member(acme, "olga", OWNER)
    assert leaving.warned(alice, None) == []
    members.remove(alice, olga)
    [told] = leaving.warned(alice, None)
    assert "“p”" in told
    assert "“bot”" in told
    assert leaving.warned(alice, V) == [told]
    assert leaving.warned(alice, ADMIN) == []


# -- races: who leaves takes all along, also what is being made ----------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("made", ["grant", "token"])
def test_nothing_is_minted_for_who_is_leaving(valkey, acme, alice, bob, made):
    server = Server.objects.create(organization=acme, name="s", url="http://a/mcp")
    refused: list[Exception] = []

    def mint() -> None:
        try:
            if made == "grant":
                late(bob, server)
            else:
                make_token(bob)
        except (ValidationError, PermissionDenied) as error:
            refused.append(error)

    with transaction.atomic():
        members.remove(alice, bob)
        thread = threading.Thread(target=in_thread, args=[mint])
        thread.start()
        wait_for(lambda: waits_for_a_lock() or not thread.is_alive())
    thread.join(20)
    assert refused
    assert not Grant.objects.for_organization(acme).filter(revoked_at=None).exists()
    assert not ApiToken.objects.for_organization(acme).exists()


def late(bob: Membership, server: Server) -> None:
    granting.mint(None, holder=bob, server=server, policy=None, label="late")


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        # Not pg_stat_activity, which stays the same within a transaction.
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
        return cursor.fetchone() is not None


def wait_for(true: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "nobody waits for the lock"
        time.sleep(0.01)


def in_thread(work: Callable[[], None]) -> None:
    with suppress(ValidationError, PermissionDenied):
        work()
    connection.close()


def in_threads(*works: Callable[[], None]) -> None:
    """Runs them at once; what is refused is no failure."""
    threads = [threading.Thread(target=in_thread, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
