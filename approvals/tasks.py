"""What the workers do for approvals; other apps start it by name.

Each may run at any time, many times, and side by side: the rows say what is to be done.
"""

from __future__ import annotations

from contextlib import ExitStack

from celery import shared_task
from django.utils import timezone

from approvals import due, hooks, sending


@shared_task(name="approvals.deliver")  # type: ignore[untyped-decorator]
def deliver() -> None:
    sending.deliver_due()


@shared_task(name="approvals.run_due")  # type: ignore[untyped-decorator]
def run_due() -> None:
    # One that fails keeps none of the others back: all are called, the last first.
    with ExitStack() as steps:
        for step in (due.escalate, due.remind, due.expire):
            steps.callback(step)


@shared_task(name="approvals.deliver_hooks")  # type: ignore[untyped-decorator]
def deliver_hooks() -> None:
    hooks.deliver_due(timezone.now())
