"""Pages of grants: list, mint, the grant itself, connect, revoke."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import access, generation
from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from accounts.tenancy import TenantQuerySet
from policies import clients, granting
from policies.forms import EditGrantForm, MintForm
from policies.models import Grant
from servers.models import Server

PAGE = 50
STATES = {"active": "Active", "revoked": "Revoked", "expired": "Expired"}


@membership_required(Role.VIEWER)
def list_grants(request: MemberRequest) -> HttpResponse:
    asked = {
        name: request.GET.get(name, "")[:200].replace("\0", "")
        for name in ("q", "server", "state", "before")
    }
    rows = Grant.objects.for_organization(request.organization)
    found = list(_page(_filtered(rows, asked), asked["before"])[: PAGE + 1])
    servers = Server.objects.for_organization(request.organization).order_by("name")
    shown = found[:PAGE]
    context = {
        **asked,
        "grants": shown,
        "servers": list(servers),
        "states": STATES,
        "filtered": any(asked.values()),
        "now": timezone.now(),
        "older": _cursor(shown[-1]) if len(found) > PAGE else "",
    }
    return render(request, "grants/list.html", context)


@never_cache
@membership_required(Role.POLICY_MANAGER)
def mint(request: MemberRequest) -> HttpResponse:
    asked = request.GET.get("policy", "")[:200]
    first = {"policy": asked} if asked else {}
    form = MintForm(request.membership, request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            return _minted(request, form)
        except ValidationError as error:
            form.refuse(error)
    status = 422 if form.errors else 200
    return render(request, "grants/mint.html", {"form": form}, status=status)


@membership_required(Role.VIEWER)
def detail(request: MemberRequest, grant_id: uuid.UUID) -> HttpResponse:
    grant = _grant(request, grant_id)
    return _detail(request, grant, _form(grant, None))


@require_POST
@membership_required(Role.POLICY_MANAGER)
def edit(request: MemberRequest, grant_id: uuid.UUID) -> HttpResponse:
    grant = _handled(request, grant_id)
    form = _form(grant, request.POST)
    if form.is_valid():
        try:
            wanted = {name: form.cleaned_data[name] for name in form.changed_data}
            changed = granting.change(request.membership, grant, **wanted)
        except ValidationError as error:
            form.refuse(error)
            # What was refused must not stand on the page as if it were so.
            grant = _grant(request, grant_id)
        else:
            said = "Saved." if changed else "Nothing was changed."
            messages.success(request, said)
            return redirect("grants:detail", grant.pk)
    return _detail(request, grant, form, status=422)


@membership_required(Role.POLICY_MANAGER)
def revoke(request: MemberRequest, grant_id: uuid.UUID) -> HttpResponse:
    """GET says what will end and asks."""
    grant = _handled(request, grant_id)
    if request.method != "POST":
        return render(request, "grants/revoke.html", {"grant": grant})
    if granting.revoke(request.membership, grant):
        messages.success(request, f"“{grant.label}” is revoked.")
    return redirect("grants:detail", grant.pk)


@membership_required(Role.VIEWER)
def connect(request: MemberRequest, grant_id: uuid.UUID) -> HttpResponse:
    grant = _grant(request, grant_id)
    return render(request, "grants/connect.html", _connecting(grant, clients.NO_TOKEN))


def _minted(request: MemberRequest, form: MintForm) -> HttpResponse:
    """The one page that ever shows the token: the answer to the form itself, as a page
    to be fetched again would have to keep it somewhere."""
    given = form.cleaned_data
    server, policy = form.target()
    grant, token = granting.mint(
        request.membership,
        holder=given["member"],
        server=server,
        policy=policy,
        label=given["label"],
        tags=given["tags"],
        expires_at=given["expires_at"],
    )
    return render(request, "grants/minted.html", _connecting(grant, token))


def _connecting(grant: Grant, token: str) -> dict[str, Any]:
    endpoint = granting.endpoint(grant.server)
    return {
        "grant": grant,
        "token": token,
        "endpoint": endpoint,
        "instructions": clients.instructions(grant.server.name, endpoint, token),
        "checked_on": clients.CHECKED_ON,
    }


def _grant(request: MemberRequest, grant_id: uuid.UUID) -> Grant:
    rows = Grant.objects.select_related(
        "organization", "server", "policy__current", "membership__user"
    )
    return access.get(request, rows, pk=grant_id)


def _handled(request: MemberRequest, grant_id: uuid.UUID) -> Grant:
    grant = _grant(request, grant_id)
    if not granting.may_handle(request.membership, grant.membership):
        raise PermissionDenied
    return grant


def _form(grant: Grant, data: Any) -> EditGrantForm:
    names = ("label", "policy", "tags", "expires_at", "helper_tool")
    initial = {name: getattr(grant, name) for name in names}
    if grant.expires_at is not None:
        # To the minute, as the browser shows it: untouched, it is no change.
        initial["expires_at"] = grant.expires_at.replace(second=0, microsecond=0)
    return EditGrantForm(grant, data, initial=initial)


def _detail(
    request: MemberRequest, grant: Grant, form: EditGrantForm, status: int = 200
) -> HttpResponse:
    may = granting.may_handle(request.membership, grant.membership)
    context = {
        "grant": grant,
        "form": form,
        "endpoint": granting.endpoint(grant.server),
        "now": timezone.now(),
        "may_handle": may,
        "in_force": generation.in_force(request.organization),
    }
    return render(request, "grants/detail.html", context, status=status)


def _filtered(
    rows: TenantQuerySet[Grant], asked: dict[str, str]
) -> TenantQuerySet[Grant]:
    if query := asked["q"]:
        rows = rows.filter(
            Q(label__icontains=query)
            | Q(tags__icontains=query)
            | Q(token_prefix__startswith=query)
            | Q(membership__user__email__icontains=query)
            | Q(policy__name__icontains=query)
        )
    if asked["server"]:
        rows = rows.filter(server__public_id=asked["server"])
    now = timezone.now()
    lapsed = Q(expires_at__lte=now)
    states = {
        "active": Q(revoked_at=None) & ~lapsed,
        "revoked": Q(revoked_at__isnull=False),
        "expired": lapsed & Q(revoked_at=None),
    }
    return rows.filter(states.get(asked["state"], Q()))


def _page(rows: TenantQuerySet[Grant], before: str) -> TenantQuerySet[Grant]:
    """Newest first, after the grant that `before` names by its time and id."""
    rows = rows.select_related("server", "policy", "membership__user")
    try:
        moment, _, key = before.partition("_")
        at, last = datetime.fromisoformat(moment), uuid.UUID(key)
        after = Q(created_at__lt=at) | Q(created_at=at, pk__lt=last)
    except ValueError:
        after = Q()
    return rows.filter(after).order_by("-created_at", "-pk")


def _cursor(grant: Grant) -> str:
    return f"{grant.created_at.isoformat()}_{grant.pk}"
