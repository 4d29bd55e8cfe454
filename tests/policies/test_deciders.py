"""A rule that nobody but the requester can decide: refused, or warned about."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Membership, Organization, Role
from policies import deciders, granting, publishing
from policies.compile import compile_document
from policies.document import parse
from policies.models import Grant, Policy
from servers.models import Server
from tests.conftest import member
from tests.waiting import meanwhile

RULE = "/tools/pay/action"
LIMIT = {"counter": "c", "window": "day", "max": 1, "over": "require_approval"}


def text(entry: dict[str, Any] | None = None, **keys: Any) -> str:
    tools = {"pay": {"action": "require_approval"} | (entry or {})}
    return json.dumps({"version": "1", "default": "allow", "tools": tools} | keys)


def asks(**approval: Any) -> str:
    return text({"approval": approval})


@pytest.fixture
def server(acme: Organization, valkey: object) -> Server:
    return Server.objects.create(organization=acme, name="s", url="http://127.0.0.1:1/")


@pytest.fixture
def policy(server: Server) -> Policy:
    return publishing.create(server, "p", "", None)


def minted(policy: Policy, holder: Membership, label: str = "ci", **more: Any) -> Grant:
    given: dict[str, Any] = {"policy": policy, "label": label, **more}
    return granting.mint(None, holder=holder, server=policy.server, **given).grant


def refusal(policy: Policy, written: str, by: Membership | None = None) -> str:
    """Empty where it is published."""
    try:
        publishing.publish_text(policy, written, by.user if by else None)
    except publishing.NotPublishable as error:
        return str(error)
    return ""


def test_a_lone_owner_is_refused_with_the_two_ways_out(policy, alice):
    minted(policy, alice)

    said = refusal(policy, text())

    assert said == (
        "/tools/pay/action asks about calls of the grant “ci”, and nobody but"
        " alice@example.com can decide: invite somebody, or set self_approval"
    )
    policy.refresh_from_db()
    assert policy.current is None


@pytest.mark.parametrize(
    ("role", "published"),
    [(Role.VIEWER, False), (Role.APPROVER, True), (Role.OWNER, True)],
)
def test_inviting_somebody_who_can_is_a_way_out(policy, acme, alice, role, published):
    minted(policy, alice)
    member(acme, "bob", role)

    assert (refusal(policy, text()) == "") is published


def test_self_approval_is_the_other(policy, alice):
    minted(policy, alice)

    assert refusal(policy, asks(self_approval=True)) == ""


def test_who_is_no_active_member_decides_nothing(policy, acme, alice, other):
    minted(policy, alice)
    member(other, "charlie", Role.OWNER)
    gone = member(acme, "gone", Role.OWNER)
    gone.user.is_active = False
    gone.user.save(update_fields=["is_active"])

    assert "nobody but alice@example.com" in refusal(policy, text())
    said = refusal(policy, asks(approvers=["charlie@example.com"]))
    assert "and nobody can decide: invite somebody who can" in said


@pytest.mark.parametrize(
    ("approval", "published"),
    [
        ({"quorum": 2}, False),
        ({"quorum": 2, "self_approval": True}, True),
        ({"quorum": 3, "self_approval": True}, False),
        ({"approvers": ["Bob@Example.com"]}, True),
        ({"approvers": ["role:admin"]}, False),
        ({"approvers": ["role:admin", "bob@example.com"]}, True),
        ({"approvers": ["alice@example.com"]}, False),
        ({"approvers": ["bob@example.com"], "quorum": 2}, False),
    ],
)
def test_a_quorum_needs_as_many_others(policy, alice, bob, approval, published):
    """Alice asks; bob manages policies."""
    minted(policy, alice)

    said = refusal(policy, asks(**approval))

    assert (said == "") is published, said
    assert published or RULE in said


ASKING: dict[str, tuple[dict[str, Any], str]] = {
    "a condition": (
        {"tools": {"pay": {"approve_if": [{"conditions": []}]}}},
        "/tools/pay/approve_if/0",
    ),
    "a full limit": ({"tools": {"pay": {"limits": [LIMIT]}}}, "/tools/pay/limits/0"),
    "all tools": (
        {"tools": {}, "all_tools": {"approve_if": [{"conditions": []}]}},
        "/all_tools/approve_if/0",
    ),
    "a limit of all tools": (
        {"tools": {}, "all_tools": {"limits": [LIMIT]}},
        "/all_tools/limits/0",
    ),
    "a read": ({"tools": {}, "resources": {"limits": [LIMIT]}}, "/resources/limits/0"),
}


@pytest.mark.parametrize("name", ASKING)
def test_all_that_asks_is_looked_at(policy, alice, name):
    minted(policy, alice)
    keys, rule = ASKING[name]

    assert refusal(policy, text(**keys)).startswith(f"{rule} asks about calls")


def test_a_read_has_no_self_approval_to_set(policy, alice):
    minted(policy, alice)
    keys, _ = ASKING["a read"]

    assert "invite somebody, or let the limit deny" in refusal(policy, text(**keys))


def test_an_entry_and_all_tools_are_looked_at_together(policy, alice, bob):
    """Each alone can be decided: bob for the one, alice herself for the other."""
    minted(policy, alice)
    general = {
        "approve_if": [{"conditions": []}],
        "approval": {"approvers": ["alice@example.com"], "self_approval": True},
    }

    said = refusal(policy, text(all_tools=general))

    assert said.startswith(
        "/tools/pay/action together with /all_tools/approve_if/0 asks about calls"
    )
    assert refusal(policy, text(tools={}, all_tools=general)) == ""


def test_every_active_grant_is_looked_at(policy, acme, alice, bob):
    """Bob's calls can be decided by alice, hers by him; dora's by both."""
    minted(policy, alice, "one")
    minted(policy, bob, "two")
    only_alice = asks(approvers=["alice@example.com"])

    assert "“one”" in refusal(policy, only_alice)
    granting.revoke(None, Grant.objects.for_organization(acme).get(label="one"))
    assert refusal(policy, only_alice) == ""


def test_an_expired_grant_asks_nobody_until_it_lives_again(policy, acme, alice):
    grant = minted(policy, alice)
    rows = Grant.objects.for_organization(acme).filter(pk=grant.pk)
    rows.update(expires_at=timezone.now() - timedelta(minutes=1))

    assert refusal(policy, text()) == ""
    with pytest.raises(ValidationError, match="nobody but alice"):
        granting.change(None, rows.get(), expires_at=None)
    assert granting.change(None, rows.get(), label="other") == ["label"]


def test_minting_and_moving_are_refused_as_publishing_is(policy, acme, alice, bob):
    only_bob = asks(approvers=["bob@example.com"])
    assert refusal(policy, only_bob) == ""

    with pytest.raises(ValidationError) as caught:
        minted(policy, bob)
    assert list(caught.value.message_dict) == ["policy"]
    assert not Grant.objects.for_organization(acme).exists()

    grant = minted(policy, alice)
    with pytest.raises(ValidationError, match="nobody but bob@example.com"):
        granting.change(None, grant, holder=bob)
    free = granting.mint(
        None, holder=bob, server=policy.server, policy=None, label="free"
    ).grant
    with pytest.raises(ValidationError, match="nobody but bob@example.com"):
        granting.change(None, free, policy=policy)


def test_who_published_it_may_not_be_the_one_who_decides(policy, acme, alice, bob):
    minted(policy, alice)
    acme.publishers_decide = False
    acme.save(update_fields=["publishers_decide"])
    policy.refresh_from_db()

    assert RULE in refusal(policy, text(), by=bob)
    assert refusal(policy, text(), by=alice) == ""
    with pytest.raises(ValidationError, match="can decide"):
        minted(policy, bob, "second")
    # The machine's operator is nobody who decides.
    assert refusal(policy, text(), by=None) == ""
    minted(policy, bob, "second")


def test_going_back_is_checked_like_publishing(policy, acme, alice):
    assert refusal(policy, text()) == ""
    assert refusal(policy, asks(self_approval=True)) == ""
    minted(policy, alice)

    with pytest.raises(publishing.NotPublishable, match="invite somebody"):
        publishing.rollback(policy, 1, None)


def test_without_a_grant_it_is_published_and_warned_about(policy, acme, alice):
    def warned() -> list[str]:
        found = publishing.check(text(), policy, alice.user).warnings
        return [each.pointer for each in found if "one member only" in each.message]

    assert refusal(policy, text()) == ""
    assert warned() == [RULE]
    member(acme, "dora", Role.VIEWER)
    assert warned() == []


def test_the_editor_is_told_all_of_it_at_once(policy, alice):
    minted(policy, alice)
    two = {"pay": {"action": "require_approval"}, "b": {"action": "require_approval"}}

    checked = publishing.check(text(tools=two), policy, alice.user)

    assert [one.rule for one in checked.undecidable] == [RULE, "/tools/b/action"]
    assert not checked.publishable and checked.problems == ()


def test_many_rules_and_grants_are_checked_in_little_time(policy, acme, alice):
    """The whole document is looked at at every keystroke."""
    for number in range(20):
        minted(policy, member(acme, f"m{number}", Role.APPROVER), f"grant {number}")
    tools = {f"t{n}": {"action": "require_approval"} for n in range(2000)}
    compiled = compile_document(parse(text(tools=tools)))

    began = timezone.now()
    assert deciders.undecidable(policy, compiled, None) == []
    assert timezone.now() - began < timedelta(seconds=1)


class TestLeaving:
    @pytest.fixture
    def grant(self, policy: Policy, alice: Membership, bob: Membership) -> Grant:
        assert refusal(policy, text()) == ""
        return minted(policy, alice)

    def test_the_last_who_could_decide(self, acme, policy, grant, bob):
        left = deciders.left_without(acme, without=bob)

        assert left == [(policy, RULE, grant)]

    def test_one_of_two(self, acme, grant, bob):
        member(acme, "anna", Role.APPROVER)

        assert deciders.left_without(acme, without=bob) == []

    @pytest.mark.parametrize(
        ("role", "count"), [(Role.VIEWER, 1), (Role.APPROVER, 0), (Role.OWNER, 0)]
    )
    def test_another_role(self, acme, grant, bob, role, count):
        assert len(deciders.left_without(acme, without=bob, role=role)) == count

    def test_a_requester_takes_the_grant_along(self, acme, grant, alice):
        assert deciders.left_without(acme, without=alice) == []

    def test_what_was_undecidable_before_is_not_told(self, acme, grant, alice, bob):
        dora = member(acme, "dora", Role.VIEWER)
        bob.role = Role.VIEWER
        bob.save(update_fields=["role"])

        assert deciders.left_without(acme, without=dora) == []


def test_drafts_allow_self_approval_while_there_is_one_approver(acme, alice, dora):
    assert deciders.drafts_self_approval(acme)
    member(acme, "anna", Role.APPROVER)
    assert not deciders.drafts_self_approval(acme)


@pytest.mark.django_db(transaction=True)
def test_a_grant_waits_for_a_version_that_is_being_published(policy, acme, alice):
    """It is checked against that version: neither sees the other before its commit."""
    publishes = meanwhile(lambda: publishing.publish_text(policy, text(), None))
    with publishes, pytest.raises(ValidationError, match="nobody but alice"):
        minted(policy, alice)

    assert not Grant.objects.for_organization(acme).exists()


@pytest.mark.django_db(transaction=True)
def test_a_version_waits_for_a_grant_that_is_being_minted(policy, acme, alice):
    with meanwhile(lambda: minted(policy, alice)):
        assert "nobody but alice@example.com" in refusal(policy, text())
