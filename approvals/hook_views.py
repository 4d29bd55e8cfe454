"""Settings > Webhooks: whom an organization's own systems are told by, and the log."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.db import IntegrityError
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts import access
from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from approvals import hook_log, hooks
from approvals.hook_form import HookForm
from approvals.models import Delivery, Hook

OFF = "“{}” is switched off: switch it on first."


@sensitive_post_parameters("url")
@never_cache
@membership_required(Role.ADMIN)
def list_hooks(request: MemberRequest) -> HttpResponse:
    """And adds one: the answer to its form is the one page that shows its key."""
    form = HookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        added = _added(request, form)
        if added is not None:
            return added
    rows = Hook.objects.for_organization(request.organization).order_by("name")
    # Subqueries know no tenant: their hook is of one.
    newest = Delivery.objects.across_organizations().filter(hook=OuterRef("pk"))
    done = newest.filter(attempts__gt=0).order_by("-created_at")
    last = {
        f"last_{name}": Subquery(done.values(name)[:1])
        for name in ("created_at", "delivered_at", "error")
    }
    context = {"form": form, "hooks": list(rows.annotate(**last)), "most": _most()}
    status = 422 if form.errors else 200
    return render(request, "approvals/hooks.html", context, status=status)


def _most() -> int:
    return hooks.MOST_HOOKS


def _added(request: MemberRequest, form: HookForm) -> HttpResponse | None:
    given = form.cleaned_data
    try:
        hook, key = hooks.add(
            request.organization, given["name"], given["url"], given["format"]
        )
    except hooks.TooMany:
        form.add_error(None, f"There are {_most()} webhooks: delete one of them first.")
        return None
    except IntegrityError:
        form.add_error("name", "Another webhook of this organization has this name.")
        return None
    if not key:
        messages.success(request, f"“{hook.name}” is added.")
        return redirect("approvals:hook", hook.pk)
    return render(request, "approvals/hook_added.html", {"hook": hook, "key": key})


@membership_required(Role.ADMIN)
@require_safe
def hook(request: MemberRequest, hook_id: UUID) -> HttpResponse:
    found = access.get(request, Hook, pk=hook_id)
    state = request.GET.get("state", "")
    log = hook_log.page(found, state, request.GET.get("before", ""))
    states = {name: word for name, (word, _) in hook_log.STATES.items()}
    context = {"hook": found, "log": log, "states": states, "state": state}
    return render(request, "approvals/hook.html", context)


@require_POST
@membership_required(Role.ADMIN)
def switch(request: MemberRequest, hook_id: UUID) -> HttpResponse:
    found = access.get(request, Hook, pk=hook_id)
    wanted = {"yes": True, "no": False}.get(request.POST.get("enabled", ""))
    if wanted is None:
        raise Http404
    found.enabled = wanted
    found.save(update_fields=["enabled"])
    messages.success(
        request, f"“{found.name}” is switched {'on' if wanted else 'off'}."
    )
    return redirect("approvals:hook", found.pk)


@membership_required(Role.ADMIN)
def delete(request: MemberRequest, hook_id: UUID) -> HttpResponse:
    """GET says what goes with it and asks."""
    found = access.get(request, Hook, pk=hook_id)
    if request.method != "POST":
        rows = Delivery.objects.for_organization(request.organization)
        context = {"hook": found, "count": rows.filter(hook=found).count()}
        return render(request, "approvals/hook_delete.html", context)
    found.delete()
    messages.success(request, f"“{found.name}” is deleted.")
    return redirect("approvals:hooks")


@require_POST
@membership_required(Role.ADMIN)
def test(request: MemberRequest, hook_id: UUID) -> HttpResponse:
    found = access.get(request, Hook.objects.select_related("organization"), pk=hook_id)
    if not found.enabled:
        messages.error(request, OFF.format(found.name))
        return redirect("approvals:hook", found.pk)
    sent = hooks.test(found)
    return redirect("approvals:delivery", sent.pk)


@membership_required(Role.ADMIN)
@require_safe
def delivery(request: MemberRequest, delivery_id: UUID) -> HttpResponse:
    row = _delivery(request, delivery_id)
    badge = hook_log.badge_of(row)
    context = {
        "delivery": row,
        "badge": badge,
        "moving": badge in (hook_log.WAITING, hook_log.SENDING),
        "payload": json.dumps(json.loads(row.payload), indent=2, ensure_ascii=False),
        "most": hooks.MOST_ATTEMPTS,
    }
    return render(request, "approvals/delivery.html", context)


@require_POST
@membership_required(Role.ADMIN)
def resend(request: MemberRequest, delivery_id: UUID) -> HttpResponse:
    row = _delivery(request, delivery_id)
    if not row.hook.enabled:
        messages.error(request, OFF.format(row.hook.name))
        return redirect("approvals:delivery", row.pk)
    return redirect("approvals:delivery", hooks.resend(row).pk)


def _delivery(request: MemberRequest, delivery_id: UUID) -> Delivery:
    rows = Delivery.objects.select_related("hook", "approval")
    return access.get(request, rows, pk=delivery_id)
