"""Settings > API tokens: one's own, and for admins everybody's."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from accounts import access, api_tokens, fresh
from accounts.access import MemberRequest, membership_required
from accounts.models import ApiToken, Role
from accounts.tenancy import TenantQuerySet
from accounts.token_forms import MintTokenForm

PAGE = 50
KEPT = ("label", "scopes", "lasts")


@membership_required(Role.VIEWER)
def list_tokens(request: MemberRequest) -> HttpResponse:
    query = request.GET.get("q", "")[:200].replace("\0", "")
    rows = _matching(_visible(request), query)
    found = list(_page(rows, request.GET.get("before", ""))[: PAGE + 1])
    last = found[PAGE - 1] if len(found) > PAGE else None
    context = {
        "tokens": found[:PAGE],
        "q": query,
        "filtered": bool(query or request.GET.get("before")),
        "all": request.membership.at_least(Role.ADMIN),
        "now": timezone.now(),
        "older": f"{last.created_at.isoformat()}_{last.pk}" if last else "",
    }
    return render(request, "accounts/tokens.html", context)


@never_cache
@membership_required(Role.VIEWER)
def mint(request: MemberRequest) -> HttpResponseBase:
    first = {"scopes": request.GET.getlist("scopes")} | {
        name: request.GET[name] for name in ("label", "lasts") if name in request.GET
    }
    initial = {name: value for name, value in first.items() if value}
    form = MintTokenForm(request.membership, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        if api_tokens.DECIDE in form.cleaned_data["scopes"] and not fresh.is_fresh(
            request
        ):
            return fresh.to_reauthenticate(request, _with_entries(request))
        try:
            return _minted(request, form)
        except ValidationError as error:
            form.add_error(None, error)
    status = 422 if form.errors else 200
    return render(request, "accounts/mint_token.html", {"form": form}, status=status)


@membership_required(Role.VIEWER)
def revoke(request: MemberRequest, token_id: uuid.UUID) -> HttpResponse:
    """GET says what will end and asks."""
    rows = ApiToken.objects.select_related("membership__user")
    row = access.get(request, rows, pk=token_id)
    if not api_tokens.may_revoke(request.membership, row):
        raise PermissionDenied
    if request.method != "POST":
        return render(request, "accounts/revoke_token.html", {"token": row})
    if api_tokens.revoke(request.membership, row):
        messages.success(request, f"“{row.label}” is revoked.")
    return redirect("accounts:tokens")


def _minted(request: MemberRequest, form: MintTokenForm) -> HttpResponse:
    """The one page that ever shows the token: the answer to the form itself, as a page
    to be fetched again would have to keep it somewhere."""
    given = form.cleaned_data
    row, token = api_tokens.mint(
        request.membership,
        given["label"],
        given["scopes"],
        form.expires_at(),
        fresh.is_fresh(request),
    )
    context = {"row": row, "token": token}
    return render(request, "accounts/token_minted.html", context)


def _with_entries(request: MemberRequest) -> str:
    """This page with what was typed, which is no secret, for the way back to it."""
    kept = {name: request.POST.getlist(name) for name in KEPT}
    return f"{request.path}?{urlencode(kept, doseq=True)}"


def _visible(request: MemberRequest) -> TenantQuerySet[ApiToken]:
    rows = ApiToken.objects.for_organization(request.organization)
    if request.membership.at_least(Role.ADMIN):
        return rows
    return rows.filter(membership=request.membership)


def _matching(rows: TenantQuerySet[ApiToken], query: str) -> TenantQuerySet[ApiToken]:
    if not query:
        return rows
    return rows.filter(
        Q(label__icontains=query)
        | Q(token_prefix__startswith=query)
        | Q(membership__user__email__icontains=query)
    )


def _page(rows: TenantQuerySet[ApiToken], before: str) -> TenantQuerySet[ApiToken]:
    """Newest first, after the token that `before` names by its time and id."""
    after: Any = Q()
    try:
        moment, _, key = before.partition("_")
        at, last = datetime.fromisoformat(moment), uuid.UUID(key)
        after = Q(created_at__lt=at) | Q(created_at=at, pk__lt=last)
    except ValueError:
        pass
    rows = rows.select_related("membership__user")
    return rows.filter(after).order_by("-created_at", "-pk")
