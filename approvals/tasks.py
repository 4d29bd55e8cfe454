"""What the workers do for approvals; other apps start it by name.

Each may run at any time, many times, and side by side: the rows say what is to be done.
"""

from celery import shared_task
from django.utils import timezone

from approvals import hooks, sending


@shared_task(name="approvals.deliver")  # type: ignore[untyped-decorator]
def deliver() -> None:
    sending.deliver_due()


@shared_task(name="approvals.deliver_hooks")  # type: ignore[untyped-decorator]
def deliver_hooks() -> None:
    hooks.deliver_due(timezone.now())
