"""Publishing, the versions of a policy, and going back to one."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts import generation
from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from policies import comparing, editor, publishing
from policies.forms import CommentForm
from policies.models import Grant, Policy, PolicyVersion
from policies.spots import Spots
from policies.views import get_policy

MOST_LISTED = 200


@membership_required(Role.POLICY_MANAGER)
def publish(request: MemberRequest, policy_id: uuid.UUID) -> HttpResponse:
    """GET shows what would change; POST makes it so."""
    policy = get_policy(request, policy_id)
    form = CommentForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _review(request, policy, form)
    revision = request.POST.get("revision", "")
    if not revision.isdecimal() or len(revision) > 9:
        raise BadRequest("The form was not sent whole: its revision is missing.")
    try:
        version = publishing.publish(
            policy,
            request.user,
            form.cleaned_data["comment"],
            revision=int(revision),
        )
    except publishing.DraftChanged:
        form.add_error(None, "The draft was changed meanwhile: look at it again.")
    except publishing.NotPublishable as error:
        form.add_error(None, f"It cannot be published: {error}.")
    else:
        messages.success(request, f"Version {version.number} is published.")
        return redirect("policies:version", policy.pk, version.number)
    return _review(request, get_policy(request, policy_id), form)


@membership_required(Role.VIEWER)
def versions(request: MemberRequest, policy_id: uuid.UUID) -> HttpResponse:
    policy = get_policy(request, policy_id)
    rows = publishing.versions(policy).select_related("published_by").defer("text")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 9:
        rows = rows.filter(number__lt=int(before))
    found = list(rows[: MOST_LISTED + 1])
    context = {
        "policy": policy,
        "versions": found[:MOST_LISTED],
        "more": found[MOST_LISTED - 1].number if len(found) > MOST_LISTED else None,
    }
    return render(request, "policies/versions.html", context)


@membership_required(Role.VIEWER)
def version(request: MemberRequest, policy_id: uuid.UUID, number: int) -> HttpResponse:
    policy = get_policy(request, policy_id)
    shown = _version(policy, number)
    before = publishing.versions(policy).filter(number__lt=number).first()
    names = (f"version {before.number}" if before else "", f"version {number}")
    pointer = request.GET.get("pointer", "")[:2000]
    context = {
        "policy": policy,
        "version": shown,
        "before": before,
        "lines": _numbered(shown.text, pointer),
        "pointer": pointer,
        "diff": comparing.text_difference(
            before.text if before else "", shown.text, names
        )
        if before
        else [],
        "in_force": generation.in_force(request.organization),
        "current": policy.current_id == shown.pk,
    }
    return render(request, "policies/version.html", context)


@require_POST
@membership_required(Role.POLICY_MANAGER)
def restore(request: MemberRequest, policy_id: uuid.UUID, number: int) -> HttpResponse:
    policy = get_policy(request, policy_id)
    _version(policy, number)
    try:
        made = publishing.rollback(policy, number, request.user)
    except (publishing.NotPublishable, ValidationError) as error:
        messages.error(request, f"Version {number} cannot be published again: {error}.")
        return redirect("policies:version", policy.pk, number)
    messages.success(
        request, f"Version {made.number} is published, with the text of {number}."
    )
    return redirect("policies:version", policy.pk, made.number)


def _review(request: MemberRequest, policy: Policy, form: CommentForm) -> HttpResponse:
    current = policy.current
    grants = Grant.objects.for_organization(request.organization)
    names = (f"version {current.number}" if current else "", "draft")
    context: dict[str, Any] = {
        "policy": policy,
        "form": form,
        "sides": editor.sides(policy, policy.draft, request.user),
        "same": current is not None and current.text == policy.draft,
        "diff": comparing.text_difference(current.text, policy.draft, names)
        if current
        else [],
        "grants": grants.filter(policy=policy, revoked_at=None).count(),
    }
    status = 422 if form.errors else 200
    return render(request, "policies/review.html", context, status=status)


def _version(policy: Policy, number: int) -> PolicyVersion:
    rows = publishing.versions(policy).select_related("published_by")
    found = rows.filter(number=number).first()
    if found is None:
        raise Http404
    return found


def _numbered(text: str, pointer: str) -> list[tuple[int, str, bool]]:
    """Lines with their numbers, and whether the pointer's value is on them."""
    spots = Spots(text)
    spot = spots.find(pointer) if pointer else None
    first, last = (spot.line, spot.last_line) if spot else (0, -1)
    return [
        (number, line, first <= number <= last)
        for number, line in enumerate(text.splitlines(), 1)
    ]
