"""What a membership carries here: open requests, delegations, openings."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from accounts.leaving import counted
from accounts.models import Membership
from accounts.tenancy import TenantQuerySet
from approvals import running
from approvals.models import OPEN, Approval, BreakGlass, Delegation, Waiver

LEFT = "The person whose grant asked is no member any more."


def said(member: Membership) -> list[str]:
    return [
        counted(
            _open(member).count(),
            "request of theirs that is open ends: it cannot run any more.",
            "requests of theirs that are open end: they cannot run any more.",
        ),
        counted(_delegations(member).count(), "delegation ends.", "delegations end."),
    ]


def warned(member: Membership, role: str | None) -> list[str]:
    """Nothing here: who is left to decide is known from memberships alone."""
    return []


def end(member: Membership) -> None:
    """What they decided stays, and so does what waits for others."""
    organization_id, now = member.organization_id, timezone.now()
    for approval in _open(member):
        if not running.cancel(organization_id, approval.pk, LEFT):
            running.void(organization_id, approval.pk, LEFT)
    _delegations(member).update(ended_at=now)
    of_grants = {"grant__membership": member, "ended_at": None, "expires_at__gt": now}
    for model in (Waiver, BreakGlass):
        rows = model.objects.for_organization(organization_id)
        rows.filter(**of_grants).update(ended_at=now)


def _open(member: Membership) -> TenantQuerySet[Approval]:
    rows = Approval.objects.for_organization(member.organization_id)
    return rows.filter(requester=member, state__in=OPEN)


def _delegations(member: Membership) -> TenantQuerySet[Delegation]:
    rows = Delegation.objects.for_organization(member.organization_id)
    current = rows.filter(ended_at=None, ends_at__gt=timezone.now())
    return current.filter(Q(giver=member) | Q(to=member))
