"""Break-glass: an owner opens one tool for one grant, for a while, with a reason.

It skips what hides, denies and asks (policy-format: Order); limits, argument schemas
and kill switches hold. Every owner is mailed, and every page shows it while it lasts.
The gateway ends it by the clock: nothing has to be written for that.
"""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from accounts import generation
from accounts.models import Membership, Role
from approvals import events
from approvals.models import BreakGlass
from approvals.standing import open_now
from policies.models import Grant
from servers.models import ToolDefinition

LONGEST_MINUTES = 60
REASON_LENGTH = 1000


class NotFresh(Exception):
    """The owner must sign in again first."""


@transaction.atomic
def open_tool(
    by: Membership, grant: Grant, tool: str, *, minutes: int, reason: str, fresh: bool
) -> BreakGlass:
    """Raises PermissionDenied, NotFresh, ValidationError."""
    if not by.at_least(Role.OWNER):
        raise PermissionDenied
    if not fresh:
        raise NotFresh
    _check(grant, tool, minutes, reason)
    now = timezone.now()
    opening = BreakGlass.objects.create(
        organization=grant.organization,
        grant=grant,
        tool=tool,
        reason=reason.strip(),
        by=by.user,
        by_email=by.user.email,
        created_at=now,
        expires_at=now + timedelta(minutes=minutes),
    )
    generation.changed(grant.organization)
    events.emit_opening(opening, "opened")
    return opening


@transaction.atomic
def close(by: Membership, opening: BreakGlass) -> bool:
    """Before its time; False where it is over already."""
    if not by.at_least(Role.OWNER):
        raise PermissionDenied
    closed = (
        open_now(opening.organization)
        .filter(pk=opening.pk)
        .update(ended_at=timezone.now())
    )
    if closed:
        generation.changed(opening.organization)
    return bool(closed)


def tools(grant: Grant) -> list[str]:
    """The names that can be opened for it."""
    rows = ToolDefinition.objects.for_organization(grant.organization_id)
    listed = rows.filter(server=grant.server_id, listed=True)
    return list(listed.order_by("name").values_list("name", flat=True))


def _check(grant: Grant, tool: str, minutes: int, reason: str) -> None:
    problems: dict[str, str] = {}
    if not 1 <= minutes <= LONGEST_MINUTES:
        problems["minutes"] = f"From 1 to {LONGEST_MINUTES} minutes."
    if not reason.strip():
        problems["reason"] = "Say why; every owner reads it."
    elif len(reason) > REASON_LENGTH:
        problems["reason"] = f"At most {REASON_LENGTH} characters."
    if tool not in tools(grant):
        problems["tool"] = "The server of this grant lists no such tool."
    if problems:
        raise ValidationError(problems)
    if grant.revoked_at is not None:
        raise ValidationError("This grant is revoked.")
