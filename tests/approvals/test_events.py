"""What happens to an approval leaves rows for mail and hooks, in its transaction."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from celery import current_app
from django.db import transaction
from kombu.connection import Connection

from accounts.models import Role
from approvals import events, links
from approvals.models import Approval, Delivery, Kind, Notice, State, Via, Vote
from approvals.starting import DELIVER, DELIVER_HOOKS
from tests.conftest import member
from tests.world import World, make_approval

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(kept_world: World) -> World:
    Notice.objects.across_organizations().all().delete()
    kept_world.asked.delegation.delete()
    return kept_world


@pytest.fixture
def asked(world: World) -> Approval:
    made = make_approval(world.grant, State.PENDING)
    made.save()
    return made


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sent: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **_: sent.append(name))
    return sent


def emit(approval: Approval, event: str) -> None:
    with transaction.atomic():
        events.emit(approval, event)


def mailed(**only: object) -> set[str]:
    rows = Notice.objects.across_organizations().filter(**only)
    return {row.user.email.partition("@")[0] for row in rows}


def test_approvers_are_mailed_and_the_requester_is_not(asked: Approval) -> None:
    emit(asked, "requested")
    assert mailed(kind=Kind.REQUEST, approval=asked) == {"adam", "bob", "anna"}


def test_once_each(asked: Approval) -> None:
    emit(asked, "requested")
    emit(asked, "requested")
    emit(asked, "reminder")
    rows = Notice.objects.across_organizations()
    assert rows.filter(kind=Kind.REQUEST).count() == 3
    assert rows.filter(kind=Kind.REMINDER).count() == 3


def test_who_has_answered_is_not_reminded(world: World, asked: Approval) -> None:
    for voter, place in (("anna", ""), ("dora", "bob@example.com")):
        person = world.people[voter]
        Vote.objects.create(
            organization=world.acme,
            approval=asked,
            user=person.user,
            email=person.user.email,
            for_email=place,
            role=person.role,
            approves=True,
            via=Via.PAGE,
        )
    emit(asked, "reminder")
    assert mailed() == {"adam"}


def test_escalation_goes_to_whom_the_policy_names(
    world: World, asked: Approval
) -> None:
    asked.escalate_to = ["role:admin", "dora@example.com", "nobody@example.com"]
    emit(asked, "escalated")
    assert mailed(kind=Kind.ESCALATION) == {"adam", "dora"}


@pytest.mark.parametrize(
    "event", ["approved", "denied", "expired", "cancelled", "void", "used"]
)
def test_other_events_are_for_hooks_only(asked: Approval, event: str) -> None:
    Delivery.objects.across_organizations().all().delete()
    emit(asked, event)
    assert mailed() == set()
    (delivery,) = Delivery.objects.across_organizations()
    assert delivery.event == f"approval.{event}"


def test_an_unknown_event_is_refused(world: World, asked: Approval) -> None:
    with pytest.raises(ValueError, match="no event"):
        emit(asked, "granted")
    with pytest.raises(ValueError, match="no event"), transaction.atomic():
        events.emit_opening(world.asked.opening, "closed")


@pytest.mark.django_db(transaction=True)
def test_it_belongs_into_a_transaction(world: World) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        events.emit(world.asked.approval, "requested")
    with pytest.raises(transaction.TransactionManagementError):
        events.emit_opening(world.asked.opening, "opened")


def test_every_owner_hears_of_break_glass(world: World) -> None:
    member(world.acme, "olga", Role.OWNER)
    with transaction.atomic():
        events.emit_opening(world.asked.opening, "opened")
    assert mailed(kind=Kind.BREAK_GLASS) == {"alice", "olga"}


def test_each_notice_of_a_request_has_a_link_of_its_own(asked: Approval) -> None:
    emit(asked, "requested")
    rows = Notice.objects.across_organizations().all()
    hashes = {bytes(row.nonce_hash or b"") for row in rows}
    assert hashes == {links.nonce_hash(row.pk) for row in rows}
    assert len(hashes) == 3


def test_tasks_start_after_the_commit(
    asked: Approval, tasks: list[str], django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        emit(asked, "requested")
        assert tasks == []
    assert tasks == [DELIVER_HOOKS, DELIVER]


@contextmanager
def silent() -> Iterator[int]:
    """The port of a broker that accepts connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@contextmanager
def closed() -> Iterator[int]:
    with silent() as port:
        pass
    yield port


@pytest.mark.parametrize("broker", [silent, closed])
def test_a_broker_that_does_not_answer_costs_little_and_loses_nothing(
    asked: Approval, broker, monkeypatch, caplog, django_capture_on_commit_callbacks
) -> None:
    with broker() as port:
        away = Connection(f"redis://127.0.0.1:{port}/0")
        monkeypatch.setattr(current_app, "connection_for_write", lambda: away)
        began = time.monotonic()
        with django_capture_on_commit_callbacks(execute=True):
            emit(asked, "requested")
        assert time.monotonic() - began < 5
    assert "approvals.deliver_hooks, approvals.deliver: left to the beat" in caplog.text
    assert mailed() == {"adam", "bob", "anna"}
