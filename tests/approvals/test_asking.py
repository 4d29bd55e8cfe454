"""Identical calls are one question; what ends it; how many may wait."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from accounts.models import Membership, Organization, Role
from approvals import asking, running
from approvals.binding import canonical
from approvals.models import Approval, Notice, State
from audit.ids import uuid7
from policies.approving import DEFAULT, Terms
from policies.decision import Ask
from policies.models import Grant
from servers.models import Origin, Severity
from tests.approvals.desk import RULE, Desk
from tests.cases import cases
from tests.conftest import member
from tests.waiting import meanwhile


def test_a_new_question_holds_all_that_people_are_shown(desk: Desk):
    q = desk.question(20000, policy_version=3)

    said = desk.ask(q)

    row = desk.row(said)
    assert (said.kind, said.new, said.rules) == ("pending", True, frozenset({RULE}))
    assert (row.state, row.requester_id) == (State.PENDING, desk.alice.pk)
    assert row.arguments == '{"amount":20000}'
    assert row.rules == [{"rule": RULE, "reason": "Moves money"}]
    (terms,) = row.terms
    assert terms == {"approvers": ["role:approver"], "quorum": 1, "escalate_to": []}
    assert (row.category, row.severity, row.critical) == ("Financial", "high", False)
    assert (row.first_call, row.client, row.policy_version) == (q.call, "robot", 3)
    lasts = row.expires_at - row.created_at
    assert lasts == timedelta(minutes=10) and row.use_within == 900
    assert row.remind_at - row.created_at == lasts / 2
    assert row.escalate_at - row.created_at == lasts * 3 / 4


def test_those_who_may_decide_are_told_once(desk: Desk):
    row = desk.asked()
    desk.asked()

    told = Notice.objects.for_organization(desk.acme).filter(approval=row)
    people = told.order_by("user__email").values_list("user__email", flat=True)
    assert list(people) == ["adam@example.com", "anna@example.com"]


def test_the_identical_call_joins(desk: Desk):
    first = desk.ask(desk.question(1))

    again = desk.ask(desk.question(1, client="another", call=uuid7()))

    assert again == first._replace(new=False)
    assert asking.find(desk.question(1)).id == first.id
    assert Approval.objects.for_organization(desk.acme).count() == 1


OTHERS: dict[str, dict[str, Any]] = {
    "arguments": {"arguments": b'{"amount":2}'},
    "method": {"method": "prompts/get"},
    "name": {"name": "pay2"},
    "definition": {"fingerprint": "a" * 64},
    "entry": {"entry_digest": "a" * 64},
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_call_is_another_question(desk: Desk, name: str):
    row = desk.approved(1)

    other = desk.question(1, **OTHERS[name])

    assert asking.find(other).kind == "none"
    assert desk.ask(other).id != row.pk


def test_another_grant_or_server_is_another_question(desk: Desk):
    desk.approved(1)
    other = desk.make_grant("other")

    assert asking.find(desk.question(1, grant_id=other.pk)).kind == "none"
    assert asking.find(desk.question(1, server_id=uuid7())).kind == "none"


def test_another_organization_finds_nothing(desk: Desk, other: Organization):
    desk.approved(1)

    assert asking.find(desk.question(1, organization_id=other.pk)).kind == "none"


def test_a_grant_that_moved_does_not_take_its_approvals_along(
    desk: Desk, acme: Organization
):
    """Anna approved a call of alice's; the grant is hers now."""
    row = desk.approved(1)
    desk.grant.membership = desk.anna
    desk.grant.save(update_fields=["membership"])

    assert asking.find(desk.question(1)).kind == "none"
    assert not running.consume(acme.pk, row.pk, uuid7())
    assert desk.ask(desk.question(1)).new
    assert (desk.state(row), desk.row(row).reason) == (State.VOID, asking.MOVED)


WRITTEN = {
    '{"b": 1, "a": [1.0, 10, 1e2, -0.0]}': '{"a":[1,10,100,0],"b":1}',
    '{"n": 9007199254740993}': '{"n":9007199254740993}',
    '{"n": 9007199254740992}': '{"n":9007199254740992}',
    '{"n": 9007199254740993.0}': '{"n":9007199254740993}',
    '{"n": 0.10000000000000000001}': '{"n":0.10000000000000000001}',
    '{"n": 1e400}': '{"n":1e400}',
    '{"n": 10e399}': '{"n":1e400}',
    '{"n": -12.5e-330}': '{"n":-125e-331}',
    # RFC 8785 would shorten the first, which is another number.
    "[333333333.33333329, 1E30, 4.50, 2e-3]": ("[333333333.33333329,1e+30,4.5,0.002]"),
    '{"\\u20ac": "\\u0000\\n\\u001f\\u007f\\"\\\\/"}': (
        '{"€":"\\u0000\\n\\u001f\x7f\\"\\\\/"}'
    ),
    # By UTF-16 code units, not by code points.
    '{"\\ufb33": 1, "\\ud83d\\ude00": 2}': '{"\U0001f600":2,"\ufb33":1}',
    '[null, true, false, {}, [], ""]': '[null,true,false,{},[],""]',
}


@cases("text", WRITTEN)
def test_canonical_arguments(text: str):
    assert canonical(text.encode()) == WRITTEN[text]


def test_numbers_that_a_double_would_make_one_are_two_calls(desk: Desk):
    one = desk.question(arguments=b'{"account":9007199254740992}')
    two = desk.question(arguments=b'{"account":9007199254740993}')

    assert desk.ask(one).id != desk.ask(two).id


def test_a_name_with_a_nul_is_asked_about_and_known_again(desk: Desk):
    prompt = {"method": "prompts/get", "name": "a\x00b", "client": "x\x00" * 400}

    said = desk.ask(desk.question(**prompt))

    assert desk.row(said).name == "a\ufffdb" and len(desk.row(said).client) == 256
    assert asking.find(desk.question(**prompt)).id == said.id
    assert asking.find(desk.question(**prompt | {"name": "a\ufffdb"})).kind == "none"


class TestRules:
    MORE = (Ask(RULE, None), Ask("/tools/pay/limits/0", "Over 100 a day"))

    def test_fewer_rules_than_shown_join(self, desk: Desk):
        first = desk.ask(desk.question(asks=self.MORE))

        assert desk.ask(desk.question()).id == first.id

    def test_a_rule_that_was_not_shown_asks_anew(self, desk: Desk):
        first = desk.ask(desk.question())

        second = desk.ask(desk.question(asks=self.MORE))

        assert second.new and second.rules == {rule.rule for rule in self.MORE}
        assert desk.state(first) == State.VOID
        assert desk.row(first).reason == asking.MORE_RULES

    def test_what_is_approved_says_which_rules_it_covers(self, desk: Desk):
        row = desk.approved()

        said = desk.ask(desk.question(asks=self.MORE))

        assert (said.kind, said.id) == ("approved", row.pk)
        assert said.rules == {RULE}


class TestTime:
    def test_nobody_decided(self, desk: Desk):
        first = desk.ask(desk.question())
        desk.pass_time(first, 11)

        assert asking.find(desk.question()).kind == "none"
        assert desk.ask(desk.question()).new
        assert desk.state(first) == State.EXPIRED

    def test_nobody_used_it(self, desk: Desk):
        row = desk.approved()
        desk.pass_time(row, 14)
        assert asking.find(desk.question()).kind == "approved"
        desk.pass_time(row, 2)

        assert asking.find(desk.question()).kind == "none"
        assert desk.ask(desk.question()).new
        assert desk.state(row) == State.EXPIRED

    def test_a_denial_answers_for_ten_minutes_at_least(self, desk: Desk):
        row = desk.asked(expires_in=60)
        desk.vote(row, desk.anna, approves=False, reason="Not today.")

        desk.pass_time(row, 9)
        said = desk.ask(desk.question())
        assert (said.kind, said.reason, said.id) == ("denied", "Not today.", row.pk)
        desk.pass_time(row, 2)
        assert asking.find(desk.question()).kind == "none"
        assert desk.ask(desk.question()).new

    def test_and_for_as_long_as_one_could_have_decided(self, desk: Desk):
        row = desk.asked(expires_in=3600)
        desk.vote(row, desk.anna, approves=False)

        desk.pass_time(row, 59)
        assert desk.ask(desk.question()).kind == "denied"
        desk.pass_time(row, 2)
        assert desk.ask(desk.question()).new


class TestAfterTheRun:
    def ran(self, desk: Desk) -> Approval:
        row = desk.approved()
        self.call = uuid7()
        assert running.consume(desk.acme.pk, row.pk, self.call)
        return row

    def test_the_first_identical_call_is_told_and_the_next_asks(self, desk: Desk):
        row = self.ran(desk)

        told = desk.ask(desk.question())
        after = desk.ask(desk.question())

        assert (told.kind, told.id, told.used_call) == ("ran", row.pk, self.call)
        assert told.used_at == desk.row(row).used_at
        assert after.kind == "pending" and after.new and after.id != row.pk

    def test_looking_is_not_being_told(self, desk: Desk):
        self.ran(desk)

        assert [asking.find(desk.question()).kind for _ in range(3)] == ["ran"] * 3

    def test_after_ten_minutes_nobody_is_told(self, desk: Desk):
        desk.pass_time(self.ran(desk), 10)

        assert asking.find(desk.question()).kind == "none"
        assert desk.ask(desk.question()).new


@pytest.mark.parametrize("end", [running.cancel, running.void])
def test_what_was_cancelled_or_void_may_be_asked_again(desk: Desk, end: Any):
    first = desk.ask(desk.question())
    assert first.id and end(desk.acme.pk, first.id, "because")

    assert asking.find(desk.question()).kind == "none"
    assert desk.ask(desk.question()).new


def test_a_grant_has_so_many_waiting_and_no_more(desk: Desk, acme: Organization):
    acme.pending_most = 2
    acme.save(update_fields=["pending_most"])
    first = desk.ask(desk.question(1))
    desk.ask(desk.question(2))

    assert desk.ask(desk.question(3)).kind == "too_many"
    assert desk.ask(desk.question(2)).kind == "pending"
    other = desk.make_grant("other")
    assert desk.ask(desk.question(3, grant_id=other.pk)).new
    desk.vote(desk.row(first), desk.anna)
    assert desk.ask(desk.question(3)).new


def test_what_has_expired_does_not_count(desk: Desk, acme: Organization):
    acme.pending_most = 1
    acme.save(update_fields=["pending_most"])
    desk.pass_time(desk.ask(desk.question(1)), 11)

    assert desk.ask(desk.question(2)).new


VERDICTS = [
    (Severity.CRITICAL, Origin.PERSON, True),
    (Severity.LOW, Origin.UNSET, True),
    (Severity.HIGH, Origin.PERSON, False),
    (Severity.LOW, Origin.CLASSIFIER, False),
]


@pytest.mark.parametrize(("severity", "origin", "critical"), VERDICTS)
def test_a_verdict_of_nobody_counts_as_critical(desk, severity, origin, critical):
    desk.tool.severity, desk.tool.verdict_origin = severity, origin
    desk.tool.save(update_fields=["severity", "verdict_origin"])

    assert desk.asked().critical is critical


def test_an_unknown_tool_is_critical_and_a_read_is_not(desk: Desk):
    assert desk.asked(name="unheard").critical
    assert not desk.asked(method="resources/read", name="file:///a").critical


WORDS = [
    ([(["role:approver"], 1)], "an approver of Acme"),
    ([(["role:policy_manager"], 1)], "a policy manager of Acme"),
    ([(["role:approver"], 2)], "2 approvers of Acme"),
    ([(["bob@example.com"], 1)], "a named person of Acme"),
    (
        [(["role:admin", "a@b.c", "d@e.f"], 1)],
        "an admin or one of 2 named people of Acme",
    ),
    (
        [(["role:owner", "a@b.c"], 3)],
        "3 people (owners or a named person) of Acme",
    ),
    (
        [(["role:approver"], 2), (["role:owner"], 1)],
        "2 approvers, and an owner of Acme",
    ),
]


@pytest.mark.parametrize(("terms", "words"), WORDS)
def test_whose_word_is_needed_names_nobody(desk: Desk, terms: Any, words: str):
    asked = DEFAULT._replace(terms=tuple(Terms(tuple(w), n) for w, n in terms))

    said = desk.ask(desk.question(asked=asked))

    assert said.waiting_for == words and "@" not in said.waiting_for


@pytest.mark.django_db(transaction=True)
def test_of_calls_at_one_time_one_asks(desk: Desk, acme: Organization):
    """Eight threads, four different calls, three of which may wait."""
    acme.pending_most = 3
    acme.save(update_fields=["pending_most"])
    ready, found = threading.Barrier(8), []

    def one(amount: int) -> None:
        try:
            ready.wait(10)
            found.append((amount, asking.ask(desk.question(amount))))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(n % 4,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(found) == 8
    assert sum(said.new for _, said in found) == 3
    assert sum(said.kind == "too_many" for _, said in found) == 2
    for amount in range(4):
        assert len({said.id for asked, said in found if asked == amount}) == 1
    rows = Approval.objects.for_organization(acme)
    assert rows.filter(state=State.PENDING).count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_call_waits_for_its_grant_to_be_moved(desk: Desk):
    """Then it is its new member's."""
    rows = Grant.objects.for_organization(desk.acme)

    with meanwhile(lambda: rows.update(membership=desk.anna)):
        said = desk.ask(desk.question())

    assert said.new and desk.row(said).requester_id == desk.anna.pk


def test_who_joins_later_may_decide_too(desk: Desk, acme: Organization):
    row = desk.asked(terms=[(["zoe@example.com"], 1)])

    zoe: Membership = member(acme, "zoe", Role.VIEWER)

    assert desk.vote(row, zoe).state == State.APPROVED
