"""Settings > Members: the list, changing a role, removing somebody, leaving."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts import access, invitations, leaving, members
from accounts.access import MemberRequest, membership_required
from accounts.member_forms import InviteForm, MemberFilter, RoleForm
from accounts.models import Invitation, Membership, Role
from accounts.tenancy import TenantQuerySet

PAGE = 50


@membership_required(Role.VIEWER)
def list_members(request: MemberRequest) -> HttpResponse:
    form = MemberFilter(request.GET)
    form.is_valid()
    asked = form.cleaned_data
    found = list(_matching(request, asked)[: PAGE + 1])
    may_invite = request.membership.at_least(Role.ADMIN)
    context = {
        "filter": form,
        "filtered": any(asked.get(name) for name in ("q", "role")),
        "rows": [_shown(request, member) for member in found[:PAGE]],
        "after": found[PAGE - 1].user.email if len(found) > PAGE else "",
        "invite_form": InviteForm(request.membership) if may_invite else None,
        "invitations": _invitations(request) if may_invite else [],
        "now": timezone.now(),
    }
    return render(request, "accounts/members.html", context)


@membership_required(Role.ADMIN)
def change_role(request: MemberRequest, membership_id: uuid.UUID) -> HttpResponse:
    """What nobody could decide afterwards is told first, and asks for another click."""
    member = _handled(request, membership_id)
    form = RoleForm(request.membership, member, request.POST or None)
    warned: list[str] = []
    if request.method == "POST" and form.is_valid():
        role = form.cleaned_data["role"]
        if role != member.role and "anyway" not in request.POST:
            warned = leaving.warned(member, role)
        if not warned and _changed(request, member, form):
            return redirect("accounts:members")
    context = {"member": member, "form": form, "warned": warned}
    status = 422 if form.errors else 200
    return render(request, "accounts/change_role.html", context, status=status)


@membership_required(Role.ADMIN)
def remove_member(request: MemberRequest, membership_id: uuid.UUID) -> HttpResponse:
    """GET says what will end and asks."""
    member = _handled(request, membership_id)
    if request.method == "POST" and _removed(request, member):
        messages.success(request, f"{member.user.email} is no member any more.")
        own = member.pk == request.membership.pk
        return redirect("home" if own else "accounts:members")
    return _asking(request, member)


@membership_required(Role.VIEWER)
def leave(request: MemberRequest) -> HttpResponse:
    """GET says what will end and asks."""
    member = request.membership
    if request.method == "POST" and _removed(request, member):
        messages.success(request, f"You have left “{request.organization.name}”.")
        return redirect("home")
    return _asking(request, member)


def _matching(
    request: MemberRequest, asked: dict[str, Any]
) -> TenantQuerySet[Membership]:
    """In the order of their addresses, after the one that `after` names."""
    rows = Membership.objects.for_organization(request.organization)
    rows = rows.select_related("user").order_by("user__email")
    if query := asked.get("q", ""):
        named = Q(user__email__icontains=query) | Q(user__name__icontains=query)
        rows = rows.filter(named)
    if asked.get("role"):
        rows = rows.filter(role=asked["role"])
    return rows.filter(user__email__gt=asked.get("after", ""))


def _shown(request: MemberRequest, member: Membership) -> dict[str, Any]:
    may_handle = members.may_handle(request.membership, member)
    own = member.pk == request.membership.pk
    return {"member": member, "own": own, "may_handle": may_handle}


def _invitations(request: MemberRequest) -> list[dict[str, Any]]:
    rows = invitations.pending(request.organization).select_related("invited_by")

    def shown(row: Invitation) -> dict[str, Any]:
        return {
            "row": row,
            "may_handle": members.may_give(request.membership, row.role),
        }

    return [shown(row) for row in rows.order_by("-created_at", "pk")]


def _handled(request: MemberRequest, membership_id: uuid.UUID) -> Membership:
    rows = Membership.objects.select_related("user", "organization")
    member = access.get(request, rows, pk=membership_id)
    if not members.may_handle(request.membership, member):
        raise PermissionDenied
    return member


def _changed(request: MemberRequest, member: Membership, form: RoleForm) -> bool:
    role = form.cleaned_data["role"]
    try:
        changed = members.change_role(request.membership, member, role)
    except ValidationError as error:
        form.add_error("role", error)
        return False
    word = Role(role).label.lower()
    said = f"{member.user.email} is now {word}." if changed else "Nothing was changed."
    messages.success(request, said)
    return True


def _removed(request: MemberRequest, member: Membership) -> bool:
    try:
        members.remove(request.membership, member)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return False
    if member.pk == request.membership.pk:
        request.session.pop(access.SESSION_KEY, None)
    return True


def _asking(request: MemberRequest, member: Membership) -> HttpResponse:
    context = {
        "member": member,
        "own": member.pk == request.membership.pk,
        "ends": leaving.said(member),
        "warned": leaving.warned(member, None),
        "last_owner": members.is_last_owner(member),
    }
    status = 409 if request.method == "POST" else 200
    return render(request, "accounts/remove_member.html", context, status=status)
