"""`kill -9` of a worker while it tells hooks: each is told of everything, and what was
under way at that moment comes twice, as the same delivery."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction
from django.utils import timezone

from approvals import hook_sending, hooks
from approvals.models import Delivery, Hook
from tests.approvals.receiver import receiving
from tests.run.made import ROOT
from tests.world import make_world

MESSAGES = 6
# A worker that kills itself where the named function is called for the `nth` time.
DIES = """
import os, signal, sys
import django
django.setup()
from approvals import hook_sending, tasks
name, nth = sys.argv[1], int(sys.argv[2])
real, seen = getattr(hook_sending, name), []
def dies(*args, **kwargs):
    seen.append(1)
    if len(seen) == nth:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **kwargs)
setattr(hook_sending, name, dies)
tasks.deliver_hooks()
"""
STEPS = [
    # (where it dies, at which call, whether it had sent something by then)
    ("forget", 1, False),
    ("take", 1, False),
    ("_dropped", 1, False),
    ("_send", 1, False),
    ("settle", 1, True),
    ("settle", 2, True),
    ("take", 2, True),
]


def worker(place: str, nth: int) -> int:
    parts = urlsplit(os.environ["DATABASE_URL"])
    database = parts._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    env = os.environ | {
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    command = [sys.executable, "-c", DIES, place, str(nth)]
    return subprocess.run(command, cwd=ROOT, env=env, timeout=60).returncode


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("place", "nth", "sent"), STEPS)
def test_dying_between_two_steps_loses_nothing(valkey, place, nth, sent):
    world = make_world()
    Hook.objects.for_organization(world.acme).delete()
    rows = Delivery.objects.for_organization(world.acme)
    with receiving() as receiver:
        hooks.add(world.acme, "ours", receiver.url(), "json")
        for _ in range(MESSAGES):
            with transaction.atomic():
                hooks.enqueue(world.asked.approval, "requested")
        assert worker(place, nth) == -signal.SIGKILL
        assert bool(receiver.received) is sent
        assert 0 < valkey.ttl(hook_sending.LOCK) <= hook_sending.LOCK_SECONDS
        # The lock and the leases end by themselves.
        valkey.delete(hook_sending.LOCK)
        rows.filter(due_at__isnull=False).update(due_at=timezone.now())
        assert worker("settle", 0) == 0
        told = [got.headers["policylayer-delivery"] for got in receiver.received]
    assert set(told) == {str(row.pk) for row in rows}
    assert len(rows) == MESSAGES and all(row.delivered_at for row in rows)
    assert len(told) - MESSAGES <= (hook_sending.AT_ONE_HOOK if sent else 0)
