"""The tasks against a real mail server: sent, refused, unreachable, and again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from approvals import due, events, mailing, notices, sending, starting, tasks
from approvals.models import Approval, Notice, State
from config.celery import app
from config.env import smtp
from tests.approvals.smtp import MailServer, mail_server
from tests.run.made import free_port
from tests.world import World, make_approval

pytestmark = pytest.mark.django_db
EVERYBODY = ["adam@example.com", "anna@example.com", "bob@example.com"]


@pytest.fixture
def world(kept_world: World) -> World:
    Notice.objects.across_organizations().all().delete()
    Approval.objects.across_organizations().all().delete()
    kept_world.asked.delegation.delete()
    return kept_world


@pytest.fixture
def server(settings) -> Iterator[MailServer]:
    with mail_server() as started:
        use(settings, started.url)
        yield started


def use(settings, url: str) -> None:
    for name, value in smtp(url).items():
        setattr(settings, name, value)


def ask(world: World) -> Approval:
    made = make_approval(world.grant, State.PENDING)
    made.save()
    with transaction.atomic():
        events.emit(made, "requested")
    return made


def rows() -> list[Notice]:
    return list(Notice.objects.across_organizations().order_by("user__email"))


def lapse() -> None:
    """All that waits is due, as if its time had come."""
    waiting = Notice.objects.across_organizations().filter(sent_at=None)
    waiting.update(due_at=timezone.now())


def change(approval: Approval, **values: object) -> None:
    Approval.objects.across_organizations().filter(pk=approval.pk).update(**values)


def test_everybody_asked_gets_one_mail(world: World, server: MailServer) -> None:
    ask(world)
    tasks.deliver()
    tasks.deliver()
    lapse()
    tasks.deliver()
    assert server.recipients() == EVERYBODY
    assert all(row.sent_at and not row.error for row in rows())
    mail = server.mails[0]
    assert mail["From"] == "PolicyLayer <policylayer@localhost>"
    assert mail.get_content_type() == "multipart/alternative"


def test_a_refused_mail_keeps_none_of_the_others(
    world: World, server: MailServer
) -> None:
    ask(world)
    server.refusal = "554 Not this\x1b one"
    tasks.deliver()
    assert server.mails == []
    assert [row.attempts for row in rows()] == [1, 1, 1]
    assert {row.sent_at for row in rows()} == {None}
    assert "SMTPDataError" in rows()[0].error
    assert "Not this" in rows()[0].error
    assert min(row.due_at for row in rows()) > timezone.now()

    server.refusal = ""
    tasks.deliver()
    assert server.mails == []  # not yet due
    lapse()
    tasks.deliver()
    assert server.recipients() == EVERYBODY


def test_a_server_that_is_down_is_tried_once_a_turn(world: World, settings) -> None:
    use(settings, f"smtp://127.0.0.1:{free_port()}")
    ask(world)
    tasks.deliver()
    assert sorted(row.attempts for row in rows()) == [0, 0, 1]
    tasks.deliver()
    tasks.deliver()
    assert sorted(row.attempts for row in rows()) == [1, 1, 1]
    assert all("ConnectionRefusedError" in row.error for row in rows())


def test_mails_go_out_once_the_server_is_back(
    world: World, settings, server: MailServer
) -> None:
    use(settings, f"smtp://127.0.0.1:{free_port()}")
    approval = ask(world)
    for _ in range(3):
        tasks.deliver()
    tried = {row.mail for row in rows()}
    use(settings, server.url)
    change(approval, expires_at=timezone.now() + timedelta(hours=1))
    lapse()
    tasks.deliver()
    assert server.recipients() == EVERYBODY
    assert {f"<{each.hex}@localhost>" for each in tried if each} == set(server.ids())


def test_it_gives_up_when_the_request_has_ended(
    world: World, settings, server: MailServer
) -> None:
    approval = ask(world)
    server.refusal = "451 Later"
    tasks.deliver()
    change(approval, state=State.APPROVED)
    server.refusal = ""
    lapse()
    tasks.deliver()
    assert server.mails == []
    assert all(row.dropped_at for row in rows())
    assert all("ended by then: approved" in row.error for row in rows())
    assert all("451" in row.error for row in rows())


def test_a_mail_that_cannot_be_written_keeps_none_of_the_others(
    world: World, server: MailServer, monkeypatch
) -> None:
    ask(world)
    write, broken = mailing.message, rows()[0].user_id

    def breaks(letter: notices.Letter) -> object:
        if letter.to.user_id == broken:
            raise KeyError("reason")
        return write(letter)

    monkeypatch.setattr(mailing, "message", breaks)
    tasks.deliver()
    assert server.recipients() == EVERYBODY[1:]
    assert rows()[0].error == "KeyError: 'reason'"
    assert rows()[0].due_at > timezone.now()


def test_a_turn_ends(world: World, server: MailServer, monkeypatch) -> None:
    monkeypatch.setattr(sending, "TURN_SECONDS", 0.0)
    ask(world)
    tasks.deliver()
    assert server.mails == []


def test_time_reminds_escalates_and_ends(world: World, server: MailServer) -> None:
    approval = ask(world)
    now = timezone.now()
    change(approval, escalate_to=["dora@example.com"])
    tasks.deliver()
    tasks.run_due()
    assert len(rows()) == 3

    change(approval, remind_at=now)
    for _ in range(2):
        tasks.run_due()
    tasks.deliver()
    assert server.recipients() == sorted(EVERYBODY * 2)

    change(approval, escalate_at=now)
    for _ in range(2):
        tasks.run_due()
    tasks.deliver()
    assert server.recipients() == sorted([*EVERYBODY * 2, "dora@example.com"])

    change(approval, expires_at=timezone.now())
    tasks.run_due()
    approval.refresh_from_db()
    assert approval.state == State.EXPIRED


def test_what_fails_keeps_none_of_the_others(world: World, monkeypatch) -> None:
    done = []

    def breaks() -> int:
        raise RuntimeError("broken")

    monkeypatch.setattr(due, "expire", breaks)
    monkeypatch.setattr(due, "remind", lambda: done.append("remind"))
    monkeypatch.setattr(due, "escalate", lambda: done.append("escalate"))
    with pytest.raises(RuntimeError, match="broken"):
        tasks.run_due()
    assert done == ["remind", "escalate"]


@pytest.mark.parametrize("name", ["run_due", "deliver", "deliver_hooks"])
def test_the_beat_starts_it_every_two_seconds(name: str) -> None:
    entry = app.conf.beat_schedule[f"approvals.{name}"]
    assert entry["task"] in app.tasks
    assert entry["schedule"] == 2.0
    assert entry["options"]["expires"] > 2
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost


def test_events_name_tasks_that_exist() -> None:
    assert {starting.DELIVER, starting.DELIVER_HOOKS} <= set(app.tasks)
