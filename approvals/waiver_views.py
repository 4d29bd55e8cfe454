"""Time-limited approvals: those that hold now, and ending one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import access, generation
from accounts.access import MemberRequest, membership_required
from accounts.models import Organization, Role
from accounts.tenancy import TenantQuerySet
from approvals.headers import private
from approvals.models import Waiver

MOST_LISTED = 200
HOLDS = Q(ended_at=None, expires_at__gt=Now())


@private
@membership_required(Role.VIEWER)
@require_safe
def list_waivers(request: MemberRequest) -> HttpResponse:
    holding = holding_now(request.organization).select_related(
        "grant__server", "approval", "by"
    )
    if grant := request.GET.get("grant", "")[:200].replace("\0", ""):
        holding = holding.filter(grant__label=grant)
    context = {
        "waivers": list(holding.order_by("expires_at")[:MOST_LISTED]),
        "grant": grant,
        "now": timezone.now(),
        "in_force": generation.in_force(request.organization),
    }
    return render(request, "approvals/waivers.html", context)


@require_POST
@private
@membership_required(Role.APPROVER)
def end_waiver(request: MemberRequest, waiver_id: UUID) -> HttpResponse:
    waiver = access.get(request, Waiver, pk=waiver_id)
    if end(waiver, request.organization):
        messages.success(request, "Ended: the next such call asks again.")
    else:
        messages.info(request, "It had ended before.")
    return redirect("approvals:waivers")


def holding_now(organization: Organization) -> TenantQuerySet[Waiver]:
    return Waiver.objects.for_organization(organization).filter(HOLDS)


@transaction.atomic
def end(waiver: Waiver, organization: Organization) -> bool:
    """False where it is over already."""
    ended = holding_now(organization).filter(pk=waiver.pk).update(ended_at=Now())
    if ended:
        generation.changed(organization)
    return bool(ended)
