"""An approved call runs once; what gives it back, and what ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connections

from accounts.models import Organization
from approvals import asking, running
from approvals.models import Approval, Delivery, Hook, State
from audit.ids import uuid7
from policies.models import Grant
from tests.approvals.desk import Desk


def consume(row: Approval, call: UUID | None = None) -> bool:
    return running.consume(row.organization_id, row.pk, call or uuid7())


def test_it_is_consumed_once_and_says_by_which_call(desk: Desk):
    row, call = desk.approved(), uuid7()

    assert consume(row, call)
    assert not consume(row, call)
    assert not consume(row)
    after = desk.row(row)
    assert (after.state, after.used_call) == (State.USED, call)
    assert after.used_at is not None


def test_only_what_is_approved_and_in_time_runs(desk: Desk, other: Organization):
    waiting, denied, late = desk.asked(1), desk.asked(2), desk.approved(3)
    desk.vote(denied, desk.anna, approves=False)
    desk.pass_time(late, 16)

    assert not consume(waiting) and not consume(denied) and not consume(late)
    foreign = desk.approved(4)
    assert not running.consume(other.pk, foreign.pk, uuid7())
    assert consume(foreign)


class TestGivenBack:
    def used(self, desk: Desk) -> tuple[Approval, UUID]:
        row, call = desk.approved(), uuid7()
        assert consume(row, call)
        return row, call

    def release(self, row: Approval, call: UUID) -> bool:
        return running.release(row.organization_id, row.pk, call)

    def test_it_can_run_again_once(self, desk: Desk):
        row, call = self.used(desk)

        assert self.release(row, call)
        after = desk.row(row)
        assert after.state == State.APPROVED
        assert (after.used_call, after.used_at, after.told_at) == (None, None, None)
        assert consume(row) and not consume(row)

    def test_by_the_very_call_only_and_once(self, desk: Desk, other: Organization):
        row, call = self.used(desk)

        assert not self.release(row, uuid7())
        assert not running.release(other.pk, row.pk, call)
        assert self.release(row, call)
        assert not self.release(row, call)

    def test_of_a_call_that_waits_or_is_approved_there_is_nothing_to_give_back(
        self, desk: Desk
    ):
        waiting, approved = desk.asked(1), desk.approved(2)

        assert not self.release(waiting, waiting.first_call)
        assert not self.release(approved, approved.first_call)

    def test_after_its_time_it_is_over(self, desk: Desk):
        row, call = self.used(desk)
        desk.pass_time(row, 16)

        assert not self.release(row, call)
        assert desk.state(row) == State.EXPIRED
        assert desk.row(row).used_call is None
        assert desk.ask(desk.question()).new

    def test_a_question_asked_meanwhile_is_answered_by_it(self, desk: Desk):
        row, call = self.used(desk)
        assert desk.ask(desk.question()).kind == "ran"
        asked = desk.ask(desk.question())

        assert self.release(row, call)
        assert desk.state(asked) == State.CANCELLED
        assert asking.find(desk.question()).id == row.pk

    def test_what_was_approved_meanwhile_stands_alone(self, desk: Desk):
        """Two approvals, and still one run each at most: here one in all."""
        row, call = self.used(desk)
        assert desk.ask(desk.question()).kind == "ran"
        anew = desk.approved()

        assert self.release(row, call)
        assert desk.state(row) == State.VOID
        assert asking.find(desk.question()).id == anew.pk
        assert not consume(row) and consume(anew)

    def test_what_has_expired_meanwhile_does_not_stand(self, desk: Desk):
        row, call = self.used(desk)
        assert desk.ask(desk.question()).kind == "ran"
        asked = desk.row(desk.ask(desk.question()))
        Approval.objects.for_organization(desk.acme).filter(pk=asked.pk).update(
            expires_at=row.created_at
        )

        assert self.release(row, call)
        assert desk.state(asked) == State.EXPIRED
        assert desk.state(row) == State.APPROVED


ENDS: dict[str, Callable[[Desk], Approval]] = {
    "waiting": lambda desk: desk.asked(),
    "approved": lambda desk: desk.approved(),
}


@pytest.mark.parametrize("name", ENDS)
def test_void(desk: Desk, name: str):
    row = ENDS[name](desk)

    assert running.void(desk.acme.pk, row.pk, "The rules differ now.")
    assert not running.void(desk.acme.pk, row.pk, "again")
    assert not consume(row)
    said = running.look(desk.acme.pk, row.pk)
    assert (said.kind, said.reason) == ("none", "The rules differ now.")


def test_what_ran_cannot_be_made_void(desk: Desk):
    row = desk.approved()
    consume(row)

    assert not running.void(desk.acme.pk, row.pk, "late")
    assert desk.state(row) == State.USED


def test_cancelling_ends_the_waiting_only(desk: Desk):
    waiting, approved = desk.asked(1), desk.approved(2)

    assert running.cancel(desk.acme.pk, waiting.pk, "The client went away.")
    assert not running.cancel(desk.acme.pk, approved.pk, "The client went away.")
    assert desk.state(waiting) == State.CANCELLED
    assert consume(approved)


def test_looking_at_one_approval(desk: Desk, other: Organization):
    row = desk.asked()

    def look() -> tuple[str, str]:
        said = running.look(desk.acme.pk, row.pk)
        return said.kind, said.reason

    assert running.look(desk.acme.pk, uuid7()).kind == "none"
    assert running.look(other.pk, row.pk).kind == "none"
    assert look() == ("pending", "")
    desk.vote(row, desk.anna)
    assert look() == ("approved", "")
    consume(row)
    desk.ask(desk.question())
    desk.pass_time(row, 60)
    assert look() == ("ran", "")


def test_looking_at_what_is_over_in_time(desk: Desk):
    waiting, approved = desk.asked(1), desk.approved(2)
    desk.pass_time(waiting, 11)
    desk.pass_time(approved, 16)

    assert "Nobody decided" in running.look(desk.acme.pk, waiting.pk).reason
    assert "not called again" in running.look(desk.acme.pk, approved.pk).reason


def test_each_change_is_told_to_hooks_once(desk: Desk, acme: Organization):
    Hook.objects.create(
        organization=acme, name="h", url="http://127.0.0.1:1/", format="json"
    )
    row, call = desk.approved(), uuid7()
    consume(row, call)
    consume(row, call)
    running.release(acme.pk, row.pk, call)
    running.void(acme.pk, row.pk, "over")

    told = Delivery.objects.for_organization(acme).order_by("created_at")
    events = [each.event for each in told]
    assert events == [
        f"approval.{event}"
        for event in ("requested", "approved", "used", "approved", "void")
    ]


@pytest.mark.django_db(transaction=True)
def test_of_gateways_at_one_time_one_runs_it(desk: Desk):
    rows = [desk.approved(n) for n in range(5)]
    ready, ran = threading.Barrier(8), list[UUID]()

    def gateway() -> None:
        try:
            ready.wait(10)
            for row in rows:
                if consume(row):
                    ran.append(row.pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=gateway) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(ran) == sorted(row.pk for row in rows)


def test_a_grant_that_moved_between_finding_and_running(desk: Desk):
    row = desk.approved()
    Grant.objects.for_organization(desk.acme).update(membership=desk.anna)

    assert not consume(row)
    assert desk.state(row) == State.APPROVED
