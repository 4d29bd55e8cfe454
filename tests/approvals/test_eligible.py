"""Who may decide: roles and addresses, requesters, publishers, delegates."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Membership, Organization, Role
from approvals import due, eligible
from approvals.models import Approval, State
from policies.approving import Terms
from policies.models import Policy, PolicyVersion
from tests.approvals.desk import Desk
from tests.conftest import member


def emails(members: list[Membership]) -> list[str]:
    return sorted(each.user.email.removesuffix("@example.com") for each in members)


def refused(row: Approval, by: Membership) -> str:
    """The code; empty where it is allowed."""
    said = eligible.standing_of(row, by)
    assert said.allowed is (said.code == "") and (said.why == "") is said.allowed
    return said.code


TERMS = {
    "role:approver": ["adam", "anna", "bob"],
    "role:policy_manager": ["adam", "bob"],
    "role:admin": ["adam"],
    "role:owner": [],
    "role:viewer": ["adam", "anna", "bob", "dora"],
    "dora@example.com": ["dora"],
    "DORA@Example.com": ["dora"],
    "nobody@example.com": [],
    # The requester.
    "alice@example.com": [],
}


@pytest.mark.parametrize("approver", TERMS)
def test_roles_include_wider_ones_and_addresses_are_members(
    desk: Desk, bob: Membership, dora: Membership, approver: str
):
    row = desk.asked(terms=[([approver], 1)])

    assert emails(eligible.approvers(row)) == TERMS[approver]
    for person in (desk.adam, desk.anna, bob, dora):
        name = person.user.email.removesuffix("@example.com")
        said = refused(row, person)
        assert said == ("" if name in TERMS[approver] else "not_approver")


def test_the_requester_decides_only_where_the_policy_says_so(desk: Desk):
    assert refused(desk.asked(1), desk.alice) == "own"
    allowed = desk.asked(2, self_approval=True)

    said = eligible.standing_of(allowed, desk.alice)

    assert said.allowed and said.needs_fresh
    assert not eligible.standing_of(allowed, desk.anna).needs_fresh
    named = desk.asked(3, self_approval=True, terms=[(["role:owner"], 1)])
    assert emails(eligible.approvers(named)) == ["alice"]


def test_self_approval_does_not_make_an_approver(desk: Desk):
    row = desk.asked(self_approval=True, terms=[(["anna@example.com"], 1)])

    assert refused(row, desk.alice) == "not_approver"


def test_a_critical_tool_asks_for_a_fresh_sign_in(desk: Desk):
    row = desk.asked(name="unheard")

    assert eligible.standing_of(row, desk.anna).needs_fresh


def test_a_foreigner_and_who_is_not_active_have_no_word(desk: Desk, charlie):
    row = desk.asked(terms=[(["role:viewer", "charlie@example.com"], 1)])
    desk.anna.user.is_active = False
    desk.anna.user.save(update_fields=["is_active"])

    assert refused(row, charlie) == "not_approver"
    assert refused(row, desk.anna) == "not_approver"
    assert emails(eligible.approvers(row)) == ["adam"]


def test_rights_are_those_of_now(desk: Desk):
    """The instance in hand is older than the row."""
    row, before = desk.asked(), desk.anna
    Membership.objects.for_organization(desk.acme).filter(pk=before.pk).update(
        role=Role.VIEWER
    )

    assert before.role == Role.APPROVER and refused(row, before) == "not_approver"


class TestPublishers:
    @pytest.fixture
    def row(self, desk: Desk, acme: Organization) -> Approval:
        """Anna published version 2, which asks; adam version 1 and 3."""
        policy = Policy.objects.create(
            organization=acme, server=desk.server, name="support"
        )
        for number, by in enumerate((desk.adam, desk.anna, desk.adam), 1):
            PolicyVersion.objects.create(
                organization=acme,
                policy=policy,
                number=number,
                text="{}",
                digest="0" * 64,
                published_by=by.user,
            )
        return desk.asked(policy_id=policy.pk, policy_version=2)

    def rule(self, acme: Organization) -> None:
        acme.publishers_decide = False
        acme.save(update_fields=["publishers_decide"])

    def test_they_decide_unless_the_organization_says_otherwise(self, desk, row):
        assert refused(row, desk.anna) == ""

    def test_who_published_the_version_that_asks_does_not(self, desk, acme, row):
        self.rule(acme)
        row = desk.row(row)

        assert refused(row, desk.anna) == "publisher"
        assert emails(eligible.approvers(row)) == ["adam"]

    def test_nor_in_the_place_of_others_nor_by_others(self, desk, acme, row, dora):
        self.rule(acme)
        desk.delegate(desk.adam, desk.anna)
        desk.delegate(desk.anna, dora)
        row = desk.row(row)

        assert refused(row, desk.anna) == "publisher"
        assert refused(row, dora) == "not_approver"


class TestDelegates:
    def test_they_act_in_the_place_of_the_giver(self, desk: Desk, dora: Membership):
        row = desk.asked(terms=[(["anna@example.com"], 1)])
        assert refused(row, dora) == "not_approver"
        desk.delegate(desk.anna, dora)

        said = eligible.standing_of(row, dora)

        assert said.allowed and said.for_member == desk.anna
        assert emails(eligible.approvers(row)) == ["anna", "dora"]

    def test_their_own_word_comes_first(self, desk: Desk):
        row = desk.asked()
        desk.delegate(desk.adam, desk.anna)

        assert eligible.standing_of(row, desk.anna).for_member is None

    def test_unless_it_would_count_for_nothing(self, desk: Desk):
        """Anna's own word is for terms that adam has met already."""
        row = desk.asked(
            terms=[(["role:approver"], 1), (["zoe@example.com"], 1)],
        )
        zoe = member(desk.acme, "zoe", Role.VIEWER)
        desk.delegate(zoe, desk.anna)
        desk.vote(row, desk.adam)

        assert eligible.standing_of(row, desk.anna).for_member == zoe
        assert desk.vote(row, desk.anna).state == State.APPROVED

    def test_never_the_requester_nor_in_their_place(self, desk: Desk, dora):
        desk.delegate(desk.anna, desk.alice)
        desk.delegate(desk.alice, dora)
        row = desk.asked(1)
        own = desk.asked(2, self_approval=True)

        assert refused(row, desk.alice) == "own"
        assert refused(row, dora) == "not_approver"
        assert refused(own, dora) == "not_approver"
        assert eligible.standing_of(own, desk.alice).for_member is None

    def test_while_it_lasts(self, desk: Desk, dora: Membership):
        row = desk.asked()
        over = desk.delegate(desk.anna, dora, minutes=-1)
        assert refused(row, dora) == "not_approver"
        over.ends_at = timezone.now() + timedelta(hours=1)
        over.save(update_fields=["ends_at"])
        assert refused(row, dora) == ""
        over.starts_at = timezone.now() + timedelta(minutes=30)
        over.save(update_fields=["starts_at"])
        assert refused(row, dora) == "not_approver"
        over.starts_at = over.created_at - timedelta(hours=1)
        over.ended_at = timezone.now()
        over.save(update_fields=["starts_at", "ended_at"])
        assert refused(row, dora) == "not_approver"

    def test_no_longer_than_the_giver_has_the_right(self, desk: Desk, dora):
        row = desk.asked()
        desk.delegate(desk.anna, dora)
        desk.anna.role = Role.VIEWER
        desk.anna.save(update_fields=["role"])

        assert refused(row, dora) == "not_approver"

    def test_rights_are_not_passed_on_twice(self, desk: Desk, bob, dora):
        row = desk.asked(terms=[(["anna@example.com"], 1)])
        desk.delegate(desk.anna, bob)
        desk.delegate(bob, dora)

        assert refused(row, bob) == "" and refused(row, dora) == "not_approver"

    def test_a_place_is_taken_once(self, desk: Desk, bob: Membership, dora):
        row = desk.asked(terms=[(["anna@example.com"], 1), (["role:owner"], 1)])
        desk.delegate(desk.anna, bob)
        desk.delegate(desk.anna, dora)
        desk.vote(row, bob)

        assert refused(row, dora) == "decided"


def test_whom_it_escalates_to_has_a_word_from_then_on(desk: Desk, dora: Membership):
    escalate_to = ("role:admin", "dora@example.com", "alice@example.com")
    terms = Terms(("anna@example.com",), 1, escalate_to)
    row = desk.asked(terms=[terms], escalate_to=escalate_to)
    assert refused(row, dora) == refused(row, desk.adam) == "not_approver"
    assert emails(eligible.approvers(row)) == ["anna"]

    desk.pass_time(row, 7.6)
    assert due.escalate() == 1
    row = desk.row(row)

    assert emails(eligible.of_escalation(row)) == ["adam", "dora"]
    assert emails(eligible.approvers(row)) == ["adam", "anna", "dora"]
    assert refused(row, desk.alice) == "own"
    assert desk.vote(row, dora).state == State.APPROVED


def test_they_have_none_on_terms_that_do_not_escalate_to_them(desk: Desk, dora):
    """The entry escalates to dora, `all_tools` to nobody."""
    own = Terms(("anna@example.com",), 1, ("dora@example.com",))
    general = Terms(("role:admin",), 1)
    row = desk.asked(terms=[own, general], escalate_to=own.escalate_to)
    desk.pass_time(row, 7.6)
    due.escalate()

    assert desk.vote(row, dora).state == State.PENDING
    assert desk.vote(row, desk.adam).state == State.APPROVED
