"""One person's word: quorum, denial, fresh sign-ins, the API, and rights of now."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connections

from accounts.generation import in_force
from accounts.models import GenerationChange, Membership, Organization, Role
from approvals import clock, deciding, running, waking
from approvals.deciding import Refused, Wish
from approvals.models import Approval, Delivery, Hook, State, Via, Vote, Waiver
from audit.ids import uuid7
from policies.models import Policy, PolicyVersion
from servers.models import Severity
from tests.approvals.desk import RULE, Desk
from tests.conftest import member
from tests.waiting import meanwhile

TWO = [(["role:approver"], 2)]
LIKE = Wish(15, {"/amount": {"max": 5}})


def refused(desk: Desk, row: Approval, by: Membership, **more: Any) -> str:
    """The code with which the word was not taken."""
    mine = Vote.objects.for_organization(desk.acme).filter(user=by.user)
    before = mine.count()
    with pytest.raises(Refused) as caught:
        desk.vote(row, by, **more)
    assert mine.count() == before
    assert caught.value.text.endswith(".")
    return caught.value.code


def test_one_word_approves_and_starts_the_time_to_run(desk: Desk):
    row = desk.asked(use_within=120)
    opened = clock.now()

    said = desk.vote(row, desk.anna, reason="Seen", via=Via.INBOX, opened_at=opened)

    after = desk.row(row)
    assert said.state == after.state == State.APPROVED
    assert after.decided_at and after.usable_until
    assert (after.usable_until - after.decided_at).total_seconds() == 120
    (vote,) = Vote.objects.for_organization(desk.acme)
    assert (vote.email, vote.role, vote.approves) == (
        "anna@example.com",
        Role.APPROVER,
        True,
    )
    assert (vote.reason, vote.via, vote.opened_at) == ("Seen", Via.INBOX, opened)
    assert (vote.own, vote.fresh, vote.for_email) == (False, False, "")


def test_a_denial_ends_it_and_keeps_the_reason(desk: Desk):
    row = desk.asked(terms=TWO)
    desk.vote(row, desk.anna)

    desk.vote(row, desk.adam, approves=False, reason="Wrong account.")

    after = desk.row(row)
    assert (after.state, after.reason) == (State.DENIED, "Wrong account.")
    assert after.usable_until is None
    assert not running.consume(desk.acme.pk, row.pk, uuid7())
    assert refused(desk, row, member(desk.acme, "zoe", Role.OWNER)) == "decided"


class TestQuorum:
    def test_so_many_different_people(self, desk: Desk):
        row = desk.asked(terms=TWO)

        assert desk.vote(row, desk.anna).state == State.PENDING
        assert refused(desk, row, desk.anna) == "decided"
        assert desk.vote(row, desk.adam).state == State.APPROVED

    def test_a_person_may_count_for_the_entry_and_for_all_tools(self, desk: Desk):
        both = [(["role:approver"], 1), (["role:admin"], 1)]
        assert desk.vote(desk.asked(1, terms=both), desk.adam).state == State.APPROVED
        apart = desk.asked(2, terms=both)
        assert desk.vote(apart, desk.anna).state == State.PENDING
        assert desk.vote(apart, desk.adam).state == State.APPROVED

    def test_the_requester_counts_as_one_where_the_policy_says_so(self, desk: Desk):
        row = desk.asked(terms=TWO, self_approval=True)

        assert desk.vote(row, desk.alice, fresh=True).state == State.PENDING
        assert desk.vote(row, desk.anna).state == State.APPROVED
        own = Vote.objects.for_organization(desk.acme).get(own=True)
        assert own.email == "alice@example.com" and own.fresh

    def test_giver_and_delegate_are_one_person(self, desk: Desk, dora: Membership):
        desk.delegate(desk.anna, dora)
        row = desk.asked(terms=TWO)

        assert desk.vote(row, dora).state == State.PENDING
        (vote,) = Vote.objects.for_organization(desk.acme)
        assert (vote.email, vote.for_email) == ("dora@example.com", "anna@example.com")
        assert desk.vote(row, desk.anna).state == State.PENDING
        assert desk.vote(row, desk.adam).state == State.APPROVED

    def test_two_delegates_of_one_giver_are_one_person(self, desk, bob, dora):
        bob.role = Role.VIEWER
        bob.save(update_fields=["role"])
        desk.delegate(desk.anna, bob)
        desk.delegate(desk.anna, dora)
        row = desk.asked(terms=TWO)
        desk.vote(row, bob)

        assert refused(desk, row, dora) == "decided"

    def test_who_decided_for_another_has_no_second_word(self, desk: Desk, dora):
        desk.delegate(desk.anna, dora)
        row = desk.asked(terms=[(["role:approver"], 3)])
        desk.vote(row, dora)
        desk.delegate(desk.adam, dora)

        assert refused(desk, row, dora) == "decided"

    @pytest.mark.parametrize("how", ["role", "left", "inactive", "delegate left"])
    def test_a_word_counts_no_more_without_the_right(self, desk: Desk, dora, how: str):
        """Anna decided first; before adam does, she has lost it."""
        row, first = desk.asked(terms=TWO), desk.anna
        if how == "delegate left":
            desk.delegate(desk.anna, dora)
            first = dora
        desk.vote(row, first)
        if how == "role":
            desk.anna.role = Role.VIEWER
            desk.anna.save(update_fields=["role"])
        elif how == "inactive":
            desk.anna.user.is_active = False
            desk.anna.user.save(update_fields=["is_active"])
        else:
            first.left_at = clock.now()
            first.save(update_fields=["left_at"])

        assert desk.vote(row, desk.adam).state == State.PENDING
        third = member(desk.acme, "zoe", Role.APPROVER)
        assert desk.vote(row, third).state == State.APPROVED

    def test_nor_once_who_published_it_may_not_decide(self, desk, acme, published):
        row = desk.asked(terms=TWO, policy_id=published.pk, policy_version=1)
        desk.vote(row, desk.anna)
        acme.publishers_decide = False
        acme.save(update_fields=["publishers_decide"])

        assert desk.vote(row, desk.adam).state == State.PENDING


@pytest.fixture
def published(desk: Desk, acme: Organization) -> Policy:
    """Its first version is anna's."""
    policy = Policy.objects.create(organization=acme, server=desk.server, name="p")
    PolicyVersion.objects.create(
        organization=acme,
        policy=policy,
        number=1,
        text="{}",
        digest="0" * 64,
        published_by=desk.anna.user,
    )
    return policy


class TestRights:
    def test_they_are_those_of_now(self, desk: Desk):
        """The membership in hand is older than the row."""
        row, stale = (
            desk.asked(),
            Membership.objects.for_organization(desk.acme).get(pk=desk.anna.pk),
        )
        desk.anna.role = Role.VIEWER
        desk.anna.save(update_fields=["role"])

        assert refused(desk, row, stale) == "not_approver"
        assert refused(desk, row, stale, approves=False) == "not_approver"

    def test_of_another_organization_it_does_not_exist(self, desk, charlie):
        with pytest.raises(Approval.DoesNotExist):
            desk.vote(desk.asked(), charlie)

    def test_the_requester(self, desk: Desk):
        assert refused(desk, desk.asked(1), desk.alice, fresh=True) == "own"
        allowed = desk.asked(2, self_approval=True)
        assert refused(desk, allowed, desk.alice) == "fresh"
        assert desk.vote(allowed, desk.alice, fresh=True).state == State.APPROVED

    def test_the_publisher(self, desk: Desk, acme: Organization, published: Policy):
        row = desk.asked(policy_id=published.pk, policy_version=1)
        acme.publishers_decide = False
        acme.save(update_fields=["publishers_decide"])

        assert refused(desk, row, desk.anna) == "publisher"
        assert desk.vote(row, desk.adam).state == State.APPROVED

    def test_a_critical_tool_asks_for_a_fresh_sign_in(self, desk: Desk):
        desk.tool.severity = Severity.CRITICAL
        desk.tool.save(update_fields=["severity"])
        row = desk.asked()

        assert refused(desk, row, desk.anna) == "fresh"
        assert refused(desk, row, desk.anna, approves=False) == "fresh"
        assert desk.vote(row, desk.anna, fresh=True).state == State.APPROVED
        (vote,) = Vote.objects.for_organization(desk.acme)
        assert vote.fresh


class TestTooLate:
    def test_after_its_time_though_nobody_has_marked_it_yet(self, desk: Desk):
        row = desk.asked()
        desk.pass_time(row, 11)

        assert refused(desk, row, desk.anna) == "expired"
        assert desk.state(row) == State.PENDING

    def test_marked_as_over(self, desk: Desk):
        row = desk.asked()
        Approval.objects.for_organization(desk.acme).update(state=State.EXPIRED)

        assert refused(desk, row, desk.anna) == "expired"

    @pytest.mark.parametrize("how", ["approved", "cancelled", "void", "used"])
    def test_over_otherwise(self, desk: Desk, how: str):
        row = desk.asked()
        if how in ("approved", "used"):
            desk.vote(row, desk.adam)
        if how == "used":
            running.consume(desk.acme.pk, row.pk, uuid7())
        if how == "cancelled":
            running.cancel(desk.acme.pk, row.pk, "gone")
        if how == "void":
            running.void(desk.acme.pk, row.pk, "void")

        assert refused(desk, row, desk.anna) == "decided"
        assert refused(desk, row, desk.anna, approves=False) == "decided"
        assert desk.state(row) == how


class TestOverTheApi:
    @pytest.fixture
    def row(self, desk: Desk, acme: Organization) -> Approval:
        acme.api_decisions = True
        acme.save(update_fields=["api_decisions"])
        return desk.asked(self_approval=True)

    def test_where_the_organization_allows_it(self, desk: Desk, row: Approval):
        assert desk.vote(row, desk.anna, via=Via.API).state == State.APPROVED

    def test_not_otherwise(self, desk: Desk, acme: Organization, row: Approval):
        acme.api_decisions = False
        acme.save(update_fields=["api_decisions"])

        assert refused(desk, row, desk.anna, via=Via.API, fresh=True) == "api"
        assert desk.vote(row, desk.anna).state == State.APPROVED

    def test_never_ones_own_grants(self, desk: Desk, row: Approval):
        assert refused(desk, row, desk.alice, via=Via.API, fresh=True) == "api"

    def test_never_critical_tools(self, desk: Desk, acme: Organization, row: Approval):
        critical = desk.asked(2, name="unheard")

        assert refused(desk, critical, desk.anna, via=Via.API, fresh=True) == "api"

    def test_rights_come_first(self, desk: Desk, row: Approval, dora: Membership):
        assert refused(desk, row, dora, via=Via.API, fresh=True) == "not_approver"


class TestWaivers:
    def test_it_covers_the_rules_shown_for_this_tool_and_grant(self, desk: Desk):
        row = desk.asked(3)

        desk.vote(row, desk.anna, waiver=LIKE)

        (waiver,) = Waiver.objects.for_organization(desk.acme)
        after = desk.row(row)
        assert (waiver.approval_id, waiver.grant_id) == (row.pk, desk.grant.pk)
        assert (waiver.tool, waiver.rules) == ("pay", [RULE])
        assert waiver.fingerprint == row.fingerprint
        assert waiver.entry_digest == row.entry_digest
        assert (waiver.arguments, waiver.by) == (LIKE.arguments, desk.anna.user)
        assert after.decided_at
        assert (waiver.expires_at - after.decided_at).total_seconds() == 15 * 60

    def test_it_holds_from_the_next_call_on(
        self, desk: Desk, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks():
            desk.vote(desk.asked(3), desk.anna)
        assert not GenerationChange.objects.exists()
        desk.vote(desk.asked(4), desk.anna, waiver=LIKE)
        assert GenerationChange.objects.count() == 1 and not in_force(desk.acme)

    def test_a_denial_makes_none(self, desk: Desk):
        desk.vote(desk.asked(3), desk.anna, approves=False, waiver=LIKE)

        assert not Waiver.objects.for_organization(desk.acme).exists()

    REFUSED: dict[str, tuple[str, dict[str, Any], Wish]] = {
        "a critical tool": ("critical", {"name": "unheard"}, LIKE),
        "a read": ("critical", {"method": "resources/read"}, LIKE),
        "a quorum": ("quorum", {"terms": TWO}, LIKE),
        "too long": ("arguments", {}, Wish(1440, LIKE.arguments)),
        "not the call shown": ("arguments", {}, Wish(15, {"/amount": {"max": 2}})),
        "an argument left out": ("arguments", {}, Wish(15, {})),
        "another argument": (
            "arguments",
            {},
            Wish(15, {**LIKE.arguments, "/x": {"any": True}}),
        ),
        "no such rule": ("arguments", {}, Wish(15, {"/amount": {"min": 1}})),
    }

    @pytest.mark.parametrize("name", REFUSED)
    def test_what_is_never_waived(self, desk: Desk, name: str):
        code, more, wish = self.REFUSED[name]
        row = desk.asked(3, **more)

        assert refused(desk, row, desk.anna, waiver=wish, fresh=True) == code
        assert desk.state(row) == State.PENDING
        assert not Waiver.objects.for_organization(desk.acme).exists()

    def test_two_people_on_two_terms_are_more_than_one(self, desk: Desk):
        apart = [(["role:approver"], 1), (["adam@example.com"], 1)]
        first = desk.asked(3, terms=apart)

        assert refused(desk, first, desk.anna, waiver=LIKE) == "quorum"
        desk.vote(first, desk.anna)
        assert refused(desk, first, desk.adam, waiver=LIKE) == "quorum"
        alone = desk.asked(4, terms=apart)
        assert desk.vote(alone, desk.adam, waiver=LIKE).state == State.APPROVED


class TestWhatFollows:
    def test_hooks_are_told(self, desk: Desk, acme: Organization):
        Hook.objects.create(
            organization=acme, name="h", url="http://127.0.0.1:1/", format="json"
        )
        row = desk.asked(terms=TWO)
        desk.vote(row, desk.anna)
        desk.vote(row, desk.adam)
        desk.vote(desk.asked(2), desk.adam, approves=False)

        told = Delivery.objects.for_organization(acme).order_by("created_at")
        assert [each.event.removeprefix("approval.") for each in told] == [
            "requested",
            "approved",
            "requested",
            "denied",
        ]

    def test_who_waits_is_woken_after_the_commit(
        self, desk: Desk, valkey, django_capture_on_commit_callbacks
    ):
        row = desk.asked()
        listener = valkey.pubsub(ignore_subscribe_messages=True)
        listener.subscribe(waking.WAKE)
        listener.get_message(timeout=5)

        with django_capture_on_commit_callbacks(execute=True):
            desk.vote(row, desk.anna)
            assert listener.get_message(timeout=0.05) is None

        message = listener.get_message(timeout=5)
        assert message and message["data"].decode() == row.pk.hex

    def test_without_valkey_it_is_decided_all_the_same(
        self, desk: Desk, monkeypatch, caplog, django_capture_on_commit_callbacks
    ):
        import redis

        nobody = redis.Redis(port=1, socket_connect_timeout=0.2)
        monkeypatch.setattr(waking, "client", lambda: nobody)
        row = desk.asked()

        with django_capture_on_commit_callbacks(execute=True):
            desk.vote(row, desk.anna)

        assert desk.state(row) == State.APPROVED
        assert "nobody was woken" in caplog.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deny", [False, True])
def test_words_at_one_time_all_count(desk: Desk, deny: bool):
    """Six people, five of whom are needed: without the lock the last two would each
    find four."""
    people = [member(desk.acme, f"m{n}", Role.APPROVER) for n in range(6)]
    row = desk.asked(terms=[(["role:approver"], 5)])
    ready, codes = threading.Barrier(len(people)), list[str]()

    def one(number: int) -> None:
        try:
            ready.wait(10)
            approves = not (deny and number == 0)
            deciding.vote(
                row.pk, people[number], approves=approves, via=Via.PAGE, fresh=False
            )
        except Refused as error:
            codes.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    words = list(Vote.objects.for_organization(desk.acme).filter(approval=row))
    denied = any(not word.approves for word in words)
    assert desk.state(row) == (State.DENIED if denied else State.APPROVED)
    assert len(words) + len(codes) == len(people) and set(codes) <= {"decided"}
    assert denied or len(words) == 5


@pytest.mark.django_db(transaction=True)
def test_a_word_waits_for_another_and_for_the_settings_of_then(desk: Desk):
    """While adam's word is taken, the organization ends decisions over the API."""
    row = desk.asked(terms=TWO)
    Organization.objects.update(api_decisions=True)

    def other() -> None:
        desk.vote(row, desk.adam)
        Organization.objects.update(api_decisions=False)

    with meanwhile(other):
        assert refused(desk, row, desk.anna, via=Via.API) == "api"


@pytest.mark.django_db(transaction=True)
def test_one_person_at_two_places_has_one_word(desk: Desk):
    row = desk.asked(terms=TWO)
    ready, done = threading.Barrier(4), list[str]()

    def one() -> None:
        try:
            ready.wait(10)
            done.append(desk.vote(row, desk.anna).state)
        except Refused as error:
            done.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(done) == ["decided", "decided", "decided", "pending"]
