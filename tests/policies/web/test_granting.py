from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.models import GenerationChange, Role
from policies import granting, tokens
from policies.models import Grant, Policy
from servers.models import Server
from tests.conftest import member


def mint(by, payments, policy=None, **more):
    given = {"holder": by, "server": payments, "policy": policy, "label": "bot"}
    return granting.mint(by, **given | more)


def test_a_minted_token_is_stored_as_its_hash_only(bob, payments, support):
    grant, token = mint(bob, payments, support, tags=["prod"])
    stored = Grant.objects.for_organization(bob.organization).get()
    assert bytes(stored.token_hash) == tokens.digest(token)
    assert token.startswith(stored.token_prefix)
    assert token not in str(vars(stored))
    assert (stored.label, stored.tags, stored.policy) == ("bot", ["prod"], support)


def test_who_may_handle_whose_grants(acme, alice, bob, dora):
    admin = member(acme, "erin", Role.ADMIN)
    approver = member(acme, "frank", Role.APPROVER)
    everybody = [alice, admin, bob, approver, dora]
    allowed = {
        (by.role, holder.role)
        for by in everybody
        for holder in everybody
        if granting.may_handle(by, holder)
    }
    every_role = [each.role for each in everybody]
    assert allowed == {
        *(("owner", role) for role in every_role),
        *(("admin", role) for role in every_role),
        ("policy_manager", "policy_manager"),
    }
    assert granting.may_handle(None, dora)


def test_a_policy_manager_cannot_touch_another_members_grant(alice, bob, payments):
    with pytest.raises(PermissionDenied):
        mint(bob, payments, holder=alice)
    grant, _ = mint(alice, payments)
    with pytest.raises(PermissionDenied):
        granting.revoke(bob, grant)
    with pytest.raises(PermissionDenied):
        granting.change(bob, grant, tags=["x"])
    mine, _ = mint(bob, payments, label="mine")
    with pytest.raises(PermissionDenied):
        granting.change(bob, mine, holder=alice)


def test_a_grants_policy_is_one_of_its_server(bob, payments, support):
    crm = Server.objects.create(organization=bob.organization, name="crm", url="x")
    with pytest.raises(ValidationError) as refused:
        mint(bob, crm, support)
    assert list(refused.value.message_dict) == ["policy"]
    grant, _ = mint(bob, crm)
    with pytest.raises(ValidationError):
        granting.change(bob, grant, policy=support)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label", ""),
        ("label", "   "),
        ("label", "x" * 101),
        ("label", "a\u202eb"),
        ("label", "a\x00b"),
        ("tags", ["a"] * 2),
        ("tags", [str(number) for number in range(21)]),
        ("tags", [""]),
        ("tags", [" a"]),
        ("tags", ["x" * 51]),
        ("tags", "prod"),
        ("tags", [1]),
        ("expires_at", timezone.now() - timedelta(seconds=1)),
    ],
)
def test_bad_values_are_refused_by_field(bob, payments, field, value):
    with pytest.raises(ValidationError) as refused:
        mint(bob, payments, **{field: value})
    assert list(refused.value.message_dict) == [field]
    assert not Grant.objects.for_organization(bob.organization).exists()


def test_a_label_is_there_once_also_after_revoking(bob, payments):
    grant, _ = mint(bob, payments)
    granting.revoke(bob, grant)
    with pytest.raises(ValidationError, match="Another grant"):
        mint(bob, payments)


def test_a_lost_race_for_a_label_is_told_as_such(bob, payments, monkeypatch):
    mint(bob, payments)
    answers = iter([False, True])
    monkeypatch.setattr(granting, "_taken", lambda grant: next(answers))
    with pytest.raises(ValidationError, match="Another grant"):
        mint(bob, payments)


def changes(organization) -> int:
    return GenerationChange.objects.filter(organization=organization).count()


def test_what_decides_sets_the_generation_anew_and_minting_does_not(
    bob, payments, support
):
    counts = [changes(bob.organization)]
    grant, _ = mint(bob, payments)
    counts.append(changes(bob.organization))
    for wanted in (
        {"policy": support},
        {"tags": ["prod"]},
        {"label": "other"},
        {"expires_at": timezone.now() + timedelta(days=1)},
    ):
        assert granting.change(bob, grant, **wanted) == list(wanted)
        counts.append(changes(bob.organization))
    granting.revoke(bob, grant)
    counts.append(changes(bob.organization))
    assert [b - a for a, b in pairwise(counts)] == [0, 1, 1, 1, 1, 1]


def test_a_change_to_the_same_is_none(bob, payments):
    grant, _ = mint(bob, payments, tags=["prod"])
    assert granting.change(bob, grant, tags=["prod"], label="bot") == []
    assert changes(bob.organization) == 0


def test_an_expired_grant_may_be_changed_without_a_new_expiry(bob, payments):
    grant, _ = mint(bob, payments)
    past = timezone.now() - timedelta(hours=1)
    Grant.objects.for_organization(bob.organization).update(expires_at=past)
    grant.refresh_from_db()
    assert granting.change(bob, grant, tags=["a"], expires_at=past) == ["tags"]


def test_revoked_is_for_good(bob, payments, support: Policy):
    grant, _ = mint(bob, payments)
    assert granting.revoke(bob, grant)
    first = grant.revoked_at
    assert not granting.revoke(bob, grant)
    grant.refresh_from_db()
    assert grant.revoked_at == first
    with pytest.raises(ValidationError, match="revoked"):
        granting.change(bob, grant, policy=support)
