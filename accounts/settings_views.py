"""Settings > General: the organization's name, its zone, and how approvals go."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts import generation, organizations
from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from accounts.settings_forms import SettingsForm


@membership_required(Role.VIEWER)
def settings(request: MemberRequest) -> HttpResponse:
    """All members read; admins change."""
    may_change = request.membership.at_least(Role.ADMIN)
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    form = SettingsForm(request.organization, request.POST or None)
    if request.method == "POST" and form.is_valid():
        wanted = {name: form.cleaned_data[name] for name in form.changed_data}
        organizations.change(request.organization, **wanted)
        messages.success(request, "Saved." if wanted else "Nothing was changed.")
        return redirect("accounts:settings")
    context = {
        "form": form,
        "may_change": may_change,
        "in_force": generation.in_force(request.organization),
    }
    status = 422 if form.errors else 200
    return render(request, "accounts/settings.html", context, status=status)
