"""Tokens of members: shown once, bounded by scopes, and never more than the member."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts import api_tokens
from accounts.api_tokens import DECIDE, READ
from accounts.models import ApiToken, Membership, Role
from tests.conftest import member

pytestmark = pytest.mark.django_db


def mint(by: Membership, *scopes: str, label: str = "ci", **more):
    given = {"expires_at": None, "fresh": True} | more
    return api_tokens.mint(by, label, scopes or (READ,), **given)


def refused(by: Membership, *scopes: str, **more) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        mint(by, *scopes, **more)
    assert not ApiToken.objects.across_organizations().exists()
    return caught.value.message_dict


def test_only_its_hash_is_kept(alice):
    row, token = mint(alice)
    assert re.fullmatch(r"plm_[0-9A-Za-z]{40}", token)
    stored = ApiToken.objects.across_organizations().values_list().get()
    assert token not in repr(stored)
    assert row.token_prefix == token[:12]
    assert mint(alice, label="two").token != token


def test_it_is_found_with_its_member(alice, bob):
    row, token = mint(alice)
    mint(bob)
    found = api_tokens.find(token)
    assert found is not None
    assert (found.pk, found.membership.user.email) == (row.pk, "alice@example.com")


@pytest.mark.parametrize("wrong", ["", "plm_", "pl_abc", "plm_" + "a" * 40, "\0" * 44])
def test_others_are_not_found(alice, wrong):
    mint(alice)
    assert api_tokens.find(wrong) is None


def test_a_malformed_one_costs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert api_tokens.find("plm_short") is None


def test_revoked_or_expired_it_is_not_found(alice):
    row, token = mint(alice, expires_at=timezone.now() + timedelta(days=1))
    assert api_tokens.find(token)
    rows = ApiToken.objects.across_organizations()
    rows.update(expires_at=timezone.now())
    assert api_tokens.find(token) is None
    rows.update(expires_at=None)
    assert api_tokens.find(token)
    assert api_tokens.revoke(alice, row)
    assert api_tokens.find(token) is None
    assert not api_tokens.revoke(alice, row)


def test_it_ends_with_the_account(alice):
    _, token = mint(alice)
    alice.user.is_active = False
    alice.user.save()
    assert api_tokens.find(token) is None


def test_it_ends_with_the_membership(alice):
    _, token = mint(alice)
    alice.left_at = timezone.now()
    alice.save()
    assert api_tokens.find(token) is None


def test_use_is_noted_at_most_once_a_minute(alice):
    row, token = mint(alice)
    api_tokens.find(token)
    row.refresh_from_db()
    first = row.last_used_at
    assert first is not None
    api_tokens.find(token)
    row.refresh_from_db()
    assert row.last_used_at == first
    before = first - timedelta(seconds=61)
    ApiToken.objects.across_organizations().update(last_used_at=before)
    api_tokens.find(token)
    row.refresh_from_db()
    assert row.last_used_at > first


def test_deciding_needs_the_organization_the_role_and_a_fresh_sign_in(acme, alice):
    dora = member(acme, "dora", Role.VIEWER)
    assert "takes no decisions" in refused(alice, DECIDE)["scopes"][0]
    acme.api_decisions = True
    acme.save()
    alice.organization.refresh_from_db()
    dora.organization.refresh_from_db()
    assert "fresh sign-in" in refused(alice, DECIDE, fresh=False)["scopes"][0]
    assert "role" in refused(dora, DECIDE)["scopes"][0]
    row, _ = mint(alice, DECIDE, READ)
    assert row.scopes == [READ, DECIDE]
    # Reading alone asks for none of that.
    mint(dora, fresh=False)


def test_a_scope_is_no_right(acme, alice):
    acme.api_decisions = True
    acme.save()
    alice.organization.refresh_from_db()
    row, token = mint(alice, DECIDE)
    assert api_tokens.allows(row, DECIDE)
    assert not api_tokens.allows(row, READ)
    acme.api_decisions = False
    acme.save()
    found = api_tokens.find(token)
    assert found and not api_tokens.allows(found, DECIDE)
    acme.api_decisions = True
    acme.save()
    alice.role = Role.VIEWER
    alice.save()
    found = api_tokens.find(token)
    assert found and not api_tokens.allows(found, DECIDE)


def test_what_is_given_is_checked(alice):
    assert "label" in refused(alice, label="")
    assert "label" in refused(alice, label=" ci")
    assert "label" in refused(alice, label="a\u202eb")
    assert "label" in refused(alice, label="a" * 101)
    assert "scopes" in refused(alice, "approvals:all")
    assert "expires_at" in refused(alice, expires_at=timezone.now())


def test_a_label_is_there_once_for_each_member(alice, bob):
    mint(alice)
    mint(bob)
    with pytest.raises(ValidationError):
        mint(alice)


def test_there_is_an_end_to_them(alice, monkeypatch):
    monkeypatch.setattr(api_tokens, "MOST", 2)
    row, _ = mint(alice, label="a")
    mint(alice, label="b")
    with pytest.raises(ValidationError):
        mint(alice, label="c")
    api_tokens.revoke(alice, row)
    mint(alice, label="c")


def test_admins_revoke_everybodys_and_others_their_own(acme, alice, bob, dora):
    row, token = mint(bob)
    with pytest.raises(PermissionDenied):
        api_tokens.revoke(dora, row)
    assert api_tokens.find(token)
    assert api_tokens.revoke(member(acme, "adam", Role.ADMIN), row)
    assert api_tokens.find(token) is None
