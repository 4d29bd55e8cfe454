"""Pages of one's own account and organizations."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts import access, organizations
from accounts.forms import OrganizationForm
from accounts.models import Role, User

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "theme"
YEAR = 365 * 24 * 3600


@login_required
def create_organization(request: HttpRequest) -> HttpResponse:
    """Open to everybody signed in: the first step after the sign-up."""
    form = OrganizationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        membership = organizations.found(cast(User, request.user), **form.cleaned_data)
        request.session[access.SESSION_KEY] = str(membership.organization_id)
        return redirect("home")
    status = 422 if form.errors else 200
    return render(
        request, "accounts/create_organization.html", {"form": form}, status=status
    )


@require_POST
@access.membership_required(Role.VIEWER)
def switch_organization(request: access.MemberRequest) -> HttpResponse:
    chosen = request.POST.get("organization", "")
    mine = {str(each.organization_id) for each in request.memberships}
    if chosen not in mine:
        raise Http404
    request.session[access.SESSION_KEY] = chosen
    return redirect("home")


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """For everybody: a cookie of this browser, read when the page is rendered."""
    theme = request.POST.get("theme", "")
    if theme not in THEMES:
        return HttpResponseBadRequest("The theme is auto, light or dark.")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = "/"
    answer = redirect(back)
    answer.set_cookie(
        THEME_COOKIE, theme, YEAR, secure=request.is_secure(), samesite="Lax"
    )
    return answer
