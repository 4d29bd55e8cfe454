"""What time does: reminders, escalation, the end; by any number of workers."""

from __future__ import annotations

import threading

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import Organization
from approvals import due, ending
from approvals.models import Approval, Delivery, Hook, Notice, State
from policies import granting
from tests.approvals.desk import Desk


@pytest.fixture
def hook(acme: Organization) -> Hook:
    return Hook.objects.create(
        organization=acme, name="h", url="http://127.0.0.1:1/", format="json"
    )


def told(acme: Organization, row: Approval) -> list[str]:
    rows = Delivery.objects.for_organization(acme).filter(approval=row)
    events = rows.order_by("created_at").values_list("event", flat=True)
    return [event.removeprefix("approval.") for event in events][1:]


def mailed(acme: Organization, row: Approval, kind: str) -> list[str]:
    rows = Notice.objects.for_organization(acme).filter(approval=row, kind=kind)
    emails = rows.values_list("user__email", flat=True)
    return sorted(email.removesuffix("@example.com") for email in emails)


def test_nothing_is_due_before_its_time(desk: Desk, hook: Hook):
    row = desk.asked(escalate_to=("role:admin",))
    desk.pass_time(row, 4.9)

    assert (due.remind(), due.escalate(), due.expire()) == (0, 0, 0)
    assert told(desk.acme, row) == []


def test_at_half_time_people_are_reminded_once(desk: Desk, hook: Hook):
    row = desk.asked(escalate_to=("role:admin",))
    desk.pass_time(row, 5.1)

    assert [due.remind(), due.remind(), due.escalate()] == [1, 0, 0]
    assert told(desk.acme, row) == ["reminder"]
    assert mailed(desk.acme, row, "reminder") == ["adam", "anna"]


def test_at_three_quarters_it_escalates_once(desk: Desk, hook: Hook):
    row = desk.asked(escalate_to=("role:admin",))
    desk.pass_time(row, 7.6)

    assert [due.escalate(), due.escalate()] == [1, 0]
    assert told(desk.acme, row) == ["escalated"]
    assert mailed(desk.acme, row, "escalation") == ["adam"]


def test_to_nobody_nothing_escalates(desk: Desk, hook: Hook):
    row = desk.asked()
    desk.pass_time(row, 7.6)

    assert due.escalate() == 0
    assert told(desk.acme, row) == []


def test_what_nobody_decided_ends_once(desk: Desk, hook: Hook):
    row = desk.asked()
    desk.pass_time(row, 10.1)

    assert [due.remind(), due.escalate()] == [0, 0]
    assert [due.expire(), due.expire()] == [1, 0]
    assert desk.state(row) == State.EXPIRED
    assert told(desk.acme, row) == ["expired"]


def test_what_nobody_used_ends(desk: Desk, hook: Hook):
    row = desk.approved()
    desk.pass_time(row, 14)
    assert due.expire() == 0
    desk.pass_time(row, 1.1)

    assert [due.expire(), due.expire()] == [1, 0]
    assert desk.state(row) == State.EXPIRED
    assert told(desk.acme, row) == ["approved", "expired"]


@pytest.mark.parametrize("approves", [True, False])
def test_what_is_decided_is_not_reminded_of(desk: Desk, hook: Hook, approves: bool):
    row = desk.asked(escalate_to=("role:admin",))
    desk.vote(row, desk.anna, approves=approves)
    desk.pass_time(row, 9)

    assert (due.remind(), due.escalate(), due.expire()) == (0, 0, 0)


def test_what_a_revoked_grant_asked_is_cancelled(desk: Desk, hook: Hook):
    row, approved = desk.asked(1), desk.approved(2)
    granting.revoke(None, desk.grant)

    assert [due.expire(), due.expire()] == [1, 0]
    after = desk.row(row)
    assert (after.state, after.reason) == (State.CANCELLED, due.REVOKED)
    assert told(desk.acme, row) == ["cancelled"]
    assert desk.state(approved) == State.APPROVED


def test_the_clock_may_be_given(desk: Desk):
    row = desk.asked()

    assert due.expire(row.expires_at) == 1


def test_all_organizations_are_served(desk: Desk, charlie):
    other = Desk(charlie.organization, charlie, people=("zoe", "yann"))
    for each in (desk, other):
        each.pass_time(each.asked(), 11)

    assert due.expire() == 2


def test_one_that_fails_holds_up_no_other(desk: Desk, monkeypatch):
    """Neither those that end after it, nor what a revoked grant asked."""
    rows = [desk.asked(n) for n in range(3)]
    for minutes, row in enumerate(reversed(rows)):
        desk.pass_time(row, 11 + minutes)
    other = desk.make_grant("other")
    asked = desk.asked(9, grant_id=other.pk)
    granting.revoke(None, other)
    spoiled, real = rows[0].pk, ending.change_row

    def change(row, *args, **more):
        if row.pk == spoiled:
            raise RuntimeError("this one cannot be told")
        return real(row, *args, **more)

    monkeypatch.setattr(due, "change_row", change)
    with pytest.raises(ExceptionGroup) as caught:
        due.expire()
    assert [str(each) for each in caught.value.exceptions] == [
        "this one cannot be told"
    ]
    expired = [State.PENDING, State.EXPIRED, State.EXPIRED]
    assert [desk.state(row) for row in rows] == expired
    assert desk.state(asked) == State.CANCELLED

    monkeypatch.undo()
    assert due.expire() == 1


@pytest.mark.django_db(transaction=True)
def test_several_workers_do_it_once(desk: Desk, hook: Hook):
    rows = [desk.asked(n) for n in range(6)]
    for row in rows:
        desk.pass_time(row, 5.1)
    ready, counts = threading.Barrier(4), list[int]()

    def worker() -> None:
        try:
            ready.wait(10)
            counts.append(due.remind(timezone.now()))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sum(counts) == len(rows)
    assert [told(desk.acme, row) for row in rows] == [["reminder"]] * len(rows)
