"""What was sent to a hook and what came of it, page by page."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from accounts.templatetags.ui import Badge
from accounts.tenancy import TenantQuerySet
from approvals.models import Delivery, Hook

PAGE = 50
DELIVERED = Badge("delivered", "allowed", "green")
WAITING = Badge("waiting", "waiting", "")
SENDING = Badge("on its way", "refresh", "")
AGAIN = Badge("failed, again later", "history", "amber")
GIVEN_UP = Badge("given up", "denied", "red")
STATES = {
    "delivered": ("Delivered", Q(delivered_at__isnull=False)),
    "waiting": ("Waiting", Q(due_at__isnull=False)),
    "failed": ("Given up", Q(due_at=None, delivered_at=None)),
}


class Entry(NamedTuple):
    row: Delivery
    badge: Badge


class Page(NamedTuple):
    """`older` is what to ask for next; empty at the end."""

    entries: list[Entry]
    older: str
    moving: bool


def page(hook: Hook, state: str, before: str) -> Page:
    rows = _before(_of(hook, state), before).select_related("approval")
    found = list(rows.order_by("-created_at", "-pk")[: PAGE + 1])
    shown = [Entry(row, badge_of(row)) for row in found[:PAGE]]
    older = _cursor(found[PAGE - 1]) if len(found) > PAGE else ""
    moving = any(each.badge in (WAITING, SENDING) for each in shown)
    return Page(shown, older, moving)


def badge_of(row: Delivery) -> Badge:
    if row.delivered_at is not None:
        return DELIVERED
    if row.due_at is None:
        return GIVEN_UP
    if row.error:
        return AGAIN
    return SENDING if row.attempts else WAITING


def _of(hook: Hook, state: str) -> TenantQuerySet[Delivery]:
    rows = Delivery.objects.for_organization(hook.organization_id).filter(hook=hook)
    return rows.filter(STATES[state][1]) if state in STATES else rows


def _before(rows: TenantQuerySet[Delivery], before: str) -> TenantQuerySet[Delivery]:
    """Those after a page's last; from the newest on where the place is no place."""
    at, _, pk = before.partition("_")
    try:
        moment, last = datetime.fromisoformat(at), UUID(pk)
    except ValueError:
        return rows
    if moment.tzinfo is None:
        return rows
    return rows.filter(Q(created_at__lt=moment) | Q(created_at=moment, pk__lt=last))


def _cursor(row: Delivery) -> str:
    return f"{row.created_at.isoformat()}_{row.pk.hex}"
