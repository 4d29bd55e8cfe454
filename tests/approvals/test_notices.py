"""The outbox of mail: who gets how many mails, when, and what is dropped instead."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Membership, Role
from approvals import events, notices
from approvals.models import Approval, BreakGlass, Kind, Notice, State, Via, Vote
from approvals.notices import Letter
from tests.conftest import member
from tests.world import World, make_approval

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(kept_world: World) -> World:
    """Alice's grant asks; of her organization adam, bob and anna may answer."""
    Notice.objects.across_organizations().all().delete()
    Vote.objects.across_organizations().all().delete()
    kept_world.asked.delegation.delete()
    return kept_world


@pytest.fixture
def anna(world: World) -> Membership:
    """The only one asked."""
    for name in ("adam", "bob"):
        world.people[name].role = Role.VIEWER
        world.people[name].save(update_fields=["role"])
    return world.people["anna"]


def ask(world: World, count: int = 1, event: str = "requested") -> list[Approval]:
    made = [make_approval(world.grant, State.PENDING) for _ in range(count)]
    for approval in Approval.objects.bulk_create(made):
        with transaction.atomic():
            events.emit(approval, event)
    return made


def rows(**only: object) -> list[Notice]:
    found = Notice.objects.across_organizations().filter(**only)
    return list(found.order_by("created_at", "pk"))


def pass_time(span: timedelta) -> None:
    """As if everything so far had been so much earlier; requests last on."""
    for each in rows():
        moved = {
            name: at - span
            for name in ("created_at", "due_at", "sent_at")
            if (at := getattr(each, name)) is not None
        }
        Notice.objects.across_organizations().filter(pk=each.pk).update(**moved)


def all_letters() -> Iterator[Letter]:
    """What goes out now; each is sent."""
    while letter := notices.take():
        notices.sent(letter)
        yield letter


def sizes() -> list[int]:
    return [len(letter.notices) for letter in all_letters()]


def test_each_approver_gets_one_mail(world: World) -> None:
    ask(world)
    letters = list(all_letters())
    asked = {"adam@example.com", "bob@example.com", "anna@example.com"}
    assert {letter.to.user.email for letter in letters} == asked
    assert len(letters) == 3
    assert all(row.sent_at and row.attempts == 1 for row in rows())
    assert notices.take() is None


def test_a_taken_mail_is_leased_and_comes_back_as_the_same(
    world: World, anna: Membership
) -> None:
    ask(world)
    first = notices.take()
    assert first
    assert notices.take() is None
    pass_time(notices.LEASE)
    again = notices.take()
    assert again
    assert (again.id, again.notices) == (first.id, first.notices)
    notices.sent(first)  # by the worker that was thought dead
    pass_time(notices.LEASE)
    assert notices.take() is None


def test_a_failure_waits_longer_each_time_and_says_why(
    world: World, anna: Membership
) -> None:
    ask(world)
    waits = []
    for _ in range(12):
        letter = notices.take()
        assert letter
        notices.failed(letter, "it said no " + "x" * 1000)
        (row,) = rows()
        assert row.error.startswith("it said no x")
        assert len(row.error) == notices.LONGEST_ERROR
        waits.append(round((row.due_at - timezone.now()).total_seconds()))
        assert notices.take() is None
        pass_time(timedelta(seconds=waits[-1] + 1))
    assert waits == [10, 20, 40, 80, 160, 320, *[600] * 6]


def test_a_late_failure_does_not_undo_another_workers_attempt(
    world: World, anna: Membership
) -> None:
    ask(world)
    slow = notices.take()
    pass_time(notices.LEASE)
    quick = notices.take()
    assert slow and quick
    notices.failed(slow, "too slow")
    assert rows()[0].error == ""
    notices.sent(quick)
    notices.failed(quick, "no")
    assert rows()[0].error == ""


def test_a_request_that_ended_is_not_mailed(world: World, anna: Membership) -> None:
    for state in State:
        (approval,) = ask(world)
        Approval.objects.across_organizations().filter(pk=approval.pk).update(
            state=state
        )
    assert sizes() == [1]
    dropped = {row.error for row in rows(sent_at=None) if row.dropped_at}
    assert len(dropped) == len(State) - 1
    assert "The request had ended by then: denied." in dropped


def test_a_request_past_its_time_is_not_mailed(world: World, anna: Membership) -> None:
    (approval,) = ask(world)
    letter = notices.take()
    assert letter
    notices.failed(letter, "no answer")
    Approval.objects.across_organizations().filter(pk=approval.pk).update(
        expires_at=timezone.now()
    )
    pass_time(notices.LEASE)
    assert notices.take() is None
    (row,) = rows()
    assert row.dropped_at
    assert row.error == ("The request had expired by then. The last attempt: no answer")


def test_who_answered_meanwhile_is_not_mailed(world: World, anna: Membership) -> None:
    (approval,) = ask(world)
    Vote.objects.create(
        organization=world.acme,
        approval=approval,
        user=anna.user,
        email=anna.user.email,
        role=anna.role,
        approves=True,
        via=Via.PAGE,
    )
    assert sizes() == []
    assert rows()[0].error == "They had answered by then."


@pytest.mark.parametrize("leaves", [True, False])
def test_who_may_not_answer_any_more_is_not_mailed(
    world: World, anna: Membership, leaves: bool
) -> None:
    ask(world)
    if leaves:
        anna.left_at = timezone.now()
    else:
        anna.role = Role.VIEWER
    anna.save()
    assert sizes() == []
    (row,) = rows()
    assert row.dropped_at
    assert "any more" in row.error


def test_what_is_beyond_the_rate_is_gathered(world: World, anna: Membership) -> None:
    world.acme.mails_most = 3
    world.acme.save()
    ask(world, 7)
    assert sizes() == [1, 1, 1]
    assert [row.attempts for row in rows(sent_at=None)] == [0] * 4

    pass_time(notices.GATHERING)
    assert sizes() == [4]
    gathered = rows(gathered=True)
    assert len({row.mail for row in gathered}) == 1
    assert len(gathered) == 4

    ask(world, 2)
    pass_time(notices.GATHERING)
    assert sizes() == []  # two minutes between two digests
    pass_time(notices.BETWEEN_DIGESTS)
    assert sizes() == [2]


def test_a_digest_of_one_counts_as_a_digest(world: World, anna: Membership) -> None:
    world.acme.mails_most = 1
    world.acme.save()
    ask(world, 2)
    assert sizes() == [1]
    pass_time(notices.GATHERING)
    assert sizes() == [1]
    ask(world)
    pass_time(notices.GATHERING)
    assert sizes() == []


def test_after_ten_minutes_there_is_room_again(world: World, anna: Membership) -> None:
    world.acme.mails_most = 2
    world.acme.save()
    ask(world, 2)
    assert sizes() == [1, 1]
    pass_time(notices.RATE_WINDOW)
    ask(world, 2)
    assert sizes() == [1, 1]


def test_the_rate_is_each_persons_own(world: World) -> None:
    world.acme.mails_most = 1
    world.acme.save()
    ask(world, 2)
    assert sizes() == [1, 1, 1]


def test_a_digest_that_was_taken_is_the_same_again(
    world: World, anna: Membership
) -> None:
    world.acme.mails_most = 0
    world.acme.save()
    made = ask(world, 3)
    assert notices.take() is None
    pass_time(notices.GATHERING)
    first = notices.take()
    assert first and len(first.notices) == 3
    ask(world)
    Approval.objects.across_organizations().filter(pk=made[0].pk).update(
        state=State.DENIED
    )
    pass_time(notices.LEASE)
    again = notices.take()
    assert again
    assert again.id == first.id
    left = {each.approval_id for each in again.notices}
    assert left == {made[1].pk, made[2].pk}


def test_a_digest_is_not_without_bounds(world: World, anna: Membership) -> None:
    world.acme.mails_most = 0
    world.acme.save()
    ask(world, notices.MOST_GATHERED + 1)
    assert notices.take() is None
    pass_time(notices.GATHERING)
    assert sizes() == [notices.MOST_GATHERED]
    pass_time(notices.BETWEEN_DIGESTS)
    assert sizes() == [1]


def test_a_flood_does_not_hold_back_break_glass(world: World) -> None:
    world.acme.mails_most = 0
    world.acme.save()
    opening = world.asked.opening
    alice = world.people["alice"]
    Approval.objects.across_organizations().update(self_approval=True)
    for approval in (make_approval(world.grant, State.PENDING) for _ in range(3)):
        approval.self_approval = True
        approval.save()
        with transaction.atomic():
            events.emit(approval, "requested")
    with transaction.atomic():
        events.emit_opening(opening, "opened")
    letters = list(all_letters())
    assert [letter.to for letter in letters] == [alice]
    assert letters[0].notices[0].opening == opening


def test_break_glass_is_told_though_it_is_over(world: World) -> None:
    opening = world.asked.opening
    with transaction.atomic():
        events.emit_opening(opening, "opened")
    over = BreakGlass.objects.across_organizations().filter(pk=opening.pk)
    over.update(expires_at=timezone.now() - timedelta(hours=1))
    assert notices.take()
    over.update(expires_at=timezone.now() - timedelta(days=1))
    pass_time(notices.LEASE)
    assert notices.take() is None
    assert rows()[0].dropped_at


def test_only_owners_are_told_of_break_glass(world: World) -> None:
    member(world.acme, "olga", Role.OWNER)
    with transaction.atomic():
        events.emit_opening(world.asked.opening, "opened")
    alice = world.people["alice"]
    alice.role = Role.ADMIN
    alice.save()
    assert [letter.to.user.email for letter in all_letters()] == ["olga@example.com"]


def test_an_escalation_reaches_who_may_not_decide(
    world: World, anna: Membership
) -> None:
    dora = world.people["dora"]
    made = make_approval(world.grant, State.PENDING)
    made.escalate_to = [dora.user.email]
    made.save()
    with transaction.atomic():
        events.emit(made, "escalated")
    (letter,) = all_letters()
    assert letter.to == dora
    assert letter.notices[0].kind == Kind.ESCALATION


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_send_each_once_and_keep_the_rate(
    world: World,
) -> None:
    made = ask(world, 12)
    for name in ("adam", "bob", "anna"):
        assert len(rows(user=world.people[name].user)) == len(made)

    def work(_: int) -> list[Letter]:
        try:
            return list(all_letters())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = [letter for part in pool.map(work, range(4)) for letter in part]
    found += all_letters()
    told = [notice.pk for letter in found for notice in letter.notices]
    assert len(told) == len(set(told))
    people = [letter.to.user.email for letter in found]
    assert {people.count(person) for person in people} == {world.acme.mails_most}
