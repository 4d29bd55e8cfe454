"""Settings > Emergency: kill switches and break-glass."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import access, fresh, generation
from accounts.access import MemberRequest, membership_required
from accounts.models import Organization, Role
from accounts.tenancy import TenantQuerySet
from approvals import openings, switches
from approvals.models import BreakGlass
from approvals.opening_form import OpeningForm
from approvals.switches import Switched
from policies.models import Grant
from servers.models import Server

PAST = 20


@membership_required(Role.VIEWER)
def emergency(request: MemberRequest) -> HttpResponse:
    organization = request.organization
    past = BreakGlass.objects.for_organization(organization).select_related("grant")
    killed = {"killed_at__isnull": False}
    grants = Grant.objects.for_organization(organization).filter(**killed)
    servers = Server.objects.for_organization(organization).filter(**killed)
    context = {
        "openings": past.order_by("-created_at")[:PAST],
        "killed_grants": grants.order_by("label"),
        "killed_servers": servers.order_by("name"),
        "now": timezone.now(),
        "in_force": generation.in_force(organization),
    }
    return render(request, "approvals/emergency.html", context)


@membership_required(Role.ADMIN)
def switch(request: MemberRequest, kind: str, target_id: uuid.UUID) -> HttpResponse:
    """GET says what will happen; POST stops calls, or lets them run again."""
    target = _target(request, kind, target_id)
    if request.method != "POST":
        return render(request, "approvals/switch.html", _about(kind, target))
    if request.POST.get("killed") == "yes":
        switches.kill(target)
        messages.success(
            request, f"“{_name(target)}” is stopped: every call is denied."
        )
    elif request.POST.get("killed") == "no":
        switches.release(target)
        messages.success(request, f"“{_name(target)}” runs again.")
    else:
        raise Http404
    return redirect("approvals:emergency")


def _target(request: MemberRequest, kind: str, target_id: uuid.UUID) -> Switched:
    if kind == "organization" and target_id == request.organization.pk:
        return request.organization
    if kind == "server":
        return access.get(
            request, Server.objects.select_related("organization"), pk=target_id
        )
    if kind == "grant":
        return access.get(
            request, Grant.objects.select_related("organization"), pk=target_id
        )
    raise Http404


def _name(target: Switched) -> str:
    return target.label if isinstance(target, Grant) else target.name


def _about(kind: str, target: Switched) -> dict[str, object]:
    """How many grants are stopped by it."""
    count = 1
    if isinstance(target, Organization):
        count = _grants(target).count()
    elif isinstance(target, Server):
        count = _grants(target.organization).filter(server=target.pk).count()
    return {"kind": kind, "target": target, "name": _name(target), "count": count}


def _grants(organization: Organization) -> TenantQuerySet[Grant]:
    return Grant.objects.for_organization(organization).filter(revoked_at=None)


@membership_required(Role.OWNER)
def open_tool(request: MemberRequest, grant_id: uuid.UUID) -> HttpResponseBase:
    rows = Grant.objects.select_related("organization", "server")
    grant = access.get(request, rows, pk=grant_id)
    if not fresh.is_fresh(request):
        # Before anything is typed, so that nothing is lost on the way.
        return fresh.to_reauthenticate(request, request.path)
    form = OpeningForm(grant, request.POST or None, initial={"tool": _tool(request)})
    if request.method == "POST" and form.is_valid() and _opened(request, grant, form):
        return redirect("approvals:emergency")
    context = {"form": form, "grant": grant}
    status = 422 if form.errors else 200
    return render(request, "approvals/open_tool.html", context, status=status)


def _tool(request: MemberRequest) -> str:
    return request.GET.get("tool", "")[:1000]


def _opened(request: MemberRequest, grant: Grant, form: OpeningForm) -> bool:
    try:
        opening = openings.open_tool(
            request.membership, grant, **form.cleaned_data, fresh=True
        )
    except ValidationError as error:
        form.add_error(None, error)
        return False
    messages.success(request, f"“{opening.tool}” is open. Every owner is mailed.")
    return True


@require_POST
@membership_required(Role.OWNER)
def close_opening(request: MemberRequest, opening_id: uuid.UUID) -> HttpResponse:
    rows = BreakGlass.objects.select_related("organization")
    opening = access.get(request, rows, pk=opening_id)
    if openings.close(request.membership, opening):
        messages.success(request, f"“{opening.tool}” is closed again.")
    return redirect("approvals:emergency")
