"""The page at "/": what PolicyLayer is, or where the organization stands.

It lives here because it counts what every app has.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from policies.models import Grant, Policy
from servers.models import Server


def home(request: HttpRequest) -> HttpResponseBase:
    if request.user.is_authenticated:
        return overview(request)
    return render(request, "accounts/landing.html")


@membership_required(Role.VIEWER)
def overview(request: MemberRequest) -> HttpResponse:
    counts = {
        model._meta.model_name: model.objects.for_organization(
            request.organization
        ).count()
        for model in (Server, Policy, Grant)
    }
    return render(request, "accounts/overview.html", {"counts": counts})
