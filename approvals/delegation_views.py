"""Delegation: somebody else decides in one's place until a date."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts import access
from accounts.access import MemberRequest, membership_required
from accounts.models import Organization, Role
from accounts.tenancy import TenantQuerySet
from approvals.forms import DelegationForm
from approvals.headers import private
from approvals.models import Delegation

MOST_LISTED = 200
LASTS = Q(ended_at=None, ends_at__gt=Now())


@private
@membership_required(Role.VIEWER)
def delegations(request: MemberRequest) -> HttpResponse:
    """One's own on top: given, taken; then those of others."""
    form = DelegationForm(request.membership, request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = Delegation.objects.create(
            organization=request.organization,
            giver=request.membership,
            **form.cleaned_data,
        )
        messages.success(request, f"{given.to.user.email} decides in your place.")
        return redirect("approvals:delegations")
    rows = lasting(request.organization).select_related("giver__user", "to__user")
    context = {
        "form": form,
        "delegations": list(rows.order_by("ends_at", "pk")[:MOST_LISTED]),
    }
    status = 422 if form.errors else 200
    return render(request, "approvals/delegations.html", context, status=status)


@require_POST
@private
@membership_required(Role.VIEWER)
def end_delegation(request: MemberRequest, delegation_id: UUID) -> HttpResponse:
    """By either of the two, or by an admin."""
    row = access.get(request, Delegation, pk=delegation_id)
    member = request.membership
    mine = member.pk in {row.giver_id, row.to_id}
    if not mine and not member.at_least(Role.ADMIN):
        raise PermissionDenied
    if lasting(request.organization).filter(pk=row.pk).update(ended_at=Now()):
        messages.success(request, "The delegation is ended.")
    return redirect("approvals:delegations")


def lasting(organization: Organization) -> TenantQuerySet[Delegation]:
    return Delegation.objects.for_organization(organization).filter(LASTS)
