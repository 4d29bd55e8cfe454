"""`kill -9` of the worker in the middle of its mail: none is lost, and only a mail that
was under way at that moment comes twice, under the same Message-ID."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Organization
from approvals import events
from approvals.models import Approval, Notice, State
from config.run.parts import PARTS
from tests.approvals.smtp import MailServer, mail_server
from tests.run.forks import forking
from tests.system.forking import Workers
from tests.system.running import until
from tests.world import World, make_approval, make_world

REQUESTS, APPROVERS = 17, 3
MAILS = REQUESTS * APPROVERS
# Seconds that the mail server takes for a mail: some are under way at any moment.
SLOW = 0.1
COMMANDS = {part.name: part.command for part in PARTS}
# A worker's processes, each with one mail in hand at most.
PROCESSES = 2
CELERY = """
from config import beat, celery
celery.app.loader.import_default_modules()

def child(name, *options):
    {"worker": celery, "beat": beat}[name].app.start((name, *options))
"""


def environment(server: MailServer) -> dict[str, str]:
    parts = urlsplit(os.environ["DATABASE_URL"])
    database = parts._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return os.environ | {
        "DATABASE_URL": database,
        "EMAIL_URL": server.url,
        "MAILBOX_SECRET": "",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def command(name: str, folder: Path) -> list[str]:
    """What `make run` gives to Celery for this part."""
    words = [word.format_map({"DATA_DIR": folder}) for word in COMMANDS[name]]
    return words[words.index(name) :]


def ask(world: World, count: int) -> None:
    Notice.objects.across_organizations().all().delete()
    Approval.objects.across_organizations().all().delete()
    world.asked.delegation.delete()
    Organization.objects.filter(pk=world.acme.pk).update(mails_most=1000)
    made = [make_approval(world.grant, State.PENDING) for _ in range(count)]
    for approval in Approval.objects.bulk_create(made):
        with transaction.atomic():
            events.emit(approval, "requested")


def notices(**only: object) -> list[Notice]:
    return list(Notice.objects.across_organizations().filter(**only))


def lapse() -> None:
    """The leases of dead workers are over, as after a minute."""
    leased = Notice.objects.across_organizations().filter(sent_at=None)
    leased.update(due_at=timezone.now())


def links_of(server: MailServer) -> Counter[str]:
    """How often the link of each notice came, without its time and signature."""
    texts = [mail.get_body(("plain",)) for mail in server.mails]
    words = [word for text in texts if text for word in text.get_content().split()]
    return Counter(word.split(":")[2] for word in words if "/approvals/link/" in word)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.xdist_group("system")
@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_loses_no_mail(valkey: redis.Redis, tmp_path: Path) -> None:
    world = make_world()
    ask(world, REQUESTS)
    valkey.flushdb()  # nobody is told: the beat must find them
    kills = (5, 20, 35)
    with mail_server() as server:
        server.slow = SLOW
        env = environment(server)
        beat, worker = (command(name, tmp_path) for name in ("beat", "worker"))
        with forking(CELERY, env) as parts, parts.one(*beat):
            for count in kills:
                with parts.one(*worker):
                    until(lambda count=count: len(server.mails) >= count, 60)
                assert len(notices(sent_at=None)) > 0, "killed too late to tell"
                lapse()
            with parts.one(*worker):
                until(lambda: not notices(sent_at=None), 60)

        sent = links_of(server)
        assert len(sent) == MAILS, "a mail was lost"
        again = {link for link, count in sent.items() if count > 1}
        assert len(again) <= PROCESSES * len(kills), "more came twice than were in hand"
        assert sum(sent.values()) - MAILS <= PROCESSES * len(kills)
        ids = Counter(server.ids())
        assert len(ids) == MAILS, "a mail that came twice had another Message-ID"
        assert {each.dropped_at for each in notices()} == {None}


STEPS = [
    # (where it dies, at which call, mails sent by then, mails that come twice)
    ("approvals.notices._letter", 1, 0, 0),
    ("approvals.notices._leased", 1, 0, 0),
    ("approvals.mailing.message", 1, 0, 0),
    ("approvals.mailing._headers", 2, 1, 0),
    ("approvals.notices.sent", 1, 1, 1),
    ("approvals.notices.sent", 2, 2, 1),
    ("approvals.notices.take", 2, 1, 0),
    ("approvals.notices.take", 4, 3, 0),
]


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("place", "nth", "before", "twice"), STEPS)
def test_dying_between_two_steps_loses_no_mail(
    workers: Workers, place: str, nth: int, before: int, twice: int
) -> None:
    world = make_world()
    ask(world, 1)
    with mail_server() as server:
        died = workers.run(place, nth, "deliver", server.url)
        assert died == -signal.SIGKILL
        assert len(server.mails) == before
        lapse()
        assert workers.run("approvals.notices.take", 0, "deliver", server.url) == 0
        assert len(links_of(server)) == APPROVERS
        assert len(server.mails) == APPROVERS + twice
        assert len(set(server.ids())) == APPROVERS
        assert all(each.sent_at for each in notices())
