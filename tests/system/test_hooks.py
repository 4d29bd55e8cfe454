"""`kill -9` of a worker while it tells hooks: each is told of everything, and what was
under way at that moment comes twice, as the same delivery."""

from __future__ import annotations

import signal

import pytest
from django.db import transaction
from django.utils import timezone

from approvals import hook_sending, hooks
from approvals.models import Delivery, Hook
from tests.approvals.receiver import receiving
from tests.world import make_world

MESSAGES = 6
TASK = "deliver_hooks"
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


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("place", "nth", "sent"), STEPS)
def test_dying_between_two_steps_loses_nothing(valkey, workers, place, nth, sent):
    world = make_world()
    Hook.objects.for_organization(world.acme).delete()
    rows = Delivery.objects.for_organization(world.acme)
    with receiving() as receiver:
        hooks.add(world.acme, "ours", receiver.url(), "json")
        for _ in range(MESSAGES):
            with transaction.atomic():
                hooks.enqueue(world.asked.approval, "requested")
        assert (
            workers.run(f"approvals.hook_sending.{place}", nth, TASK) == -signal.SIGKILL
        )
        assert bool(receiver.received) is sent
        assert 0 < valkey.ttl(hook_sending.LOCK) <= hook_sending.LOCK_SECONDS
        # The lock and the leases end by themselves.
        valkey.delete(hook_sending.LOCK)
        rows.filter(due_at__isnull=False).update(due_at=timezone.now())
        assert workers.run("approvals.hook_sending.settle", 0, TASK) == 0
        told = [got.headers["policylayer-delivery"] for got in receiver.received]
    assert set(told) == {str(row.pk) for row in rows}
    assert len(rows) == MESSAGES and all(row.delivered_at for row in rows)
    assert len(told) - MESSAGES <= (hook_sending.AT_ONE_HOOK if sent else 0)
