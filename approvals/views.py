"""The page of one request, and the signed link that leads to it.

Opening either changes nothing, whoever or whatever opens it: a person, a mail filter
that follows links, a browser that fetches ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import access, fresh
from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from approvals import chosen, eligible, links, opening_time, shown, unusual, waiving
from approvals.eligible import Eligible, Panel
from approvals.forms import DecisionForm
from approvals.headers import private
from approvals.likeness import Likeness
from approvals.mailed import mailed
from approvals.models import Approval, State, Waiver
from audit.passages import indented

NOBODY = Eligible(False, "")


@private
@membership_required(Role.VIEWER)
@require_safe
def detail(request: MemberRequest, approval_id: UUID) -> HttpResponse:
    approval = find(request, approval_id)
    return page(request, approval) if approval else _elsewhere(request, approval_id)


@private
@require_safe
def link(request: HttpRequest, signed: str) -> HttpResponseBase:
    """What a mail links to: leads its recipient to the request, and nobody else."""
    if not request.user.is_authenticated:
        return access.to_sign_in(request)
    member = cast(MemberRequest, request)
    try:
        approval = links.open(signed, member.user)
    except links.NotOurs:
        raise Http404 from None
    except links.NotYours:
        return _link_refused(member, status=403)
    except links.Expired as expired:
        return _link_refused(member, status=410, approval=expired.approval)
    return redirect("approvals:detail", approval.pk)


@private
@require_POST
@membership_required(Role.VIEWER)
def act_for(request: MemberRequest, approval_id: UUID) -> HttpResponse:
    """Goes on for the organization that the request belongs to."""
    approval = _of_mine(request, approval_id)
    request.session[access.SESSION_KEY] = str(approval.organization_id)
    return redirect("approvals:detail", approval.pk)


def find(request: MemberRequest, approval_id: UUID) -> Approval | None:
    return shown.rows(request.organization).filter(pk=approval_id).first()


def page(
    request: MemberRequest,
    approval: Approval,
    *,
    form: DecisionForm | None = None,
    likeness: Likeness | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """`form` and `likeness` are what was posted and not taken, `problem` why."""
    now = timezone.now()
    state = shown.state_of(approval, now)
    context = {
        "approval": approval,
        "now": now,
        "state": state,
        "problem": problem,
        "mailed": mailed(approval) if state == State.PENDING else [],
        **_call(approval),
        **_deciding(request, approval, form, likeness),
    }
    return render(request, "approvals/detail.html", context, status=status)


def _call(approval: Approval) -> dict[str, Any]:
    """What would run, and what is known beside it."""
    before = shown.last_approved(approval)
    subject = unusual.Subject(
        approval.organization_id,
        approval.grant_id,
        approval.method,
        approval.name,
        approval.created_at,
    )
    text: str | None = getattr(approval, "policy_text", None)
    return {
        "arguments": indented(approval.arguments),
        "tool": shown.tool(approval),
        "asking": shown.asking(approval, text),
        "compared": unusual.compare(approval.arguments, unusual.earlier(subject)),
        "before": before,
        "difference": before and shown.difference(before.arguments, approval.arguments),
    }


def _deciding(
    request: MemberRequest,
    approval: Approval,
    form: DecisionForm | None,
    likeness: Likeness | None,
) -> dict[str, Any]:
    panel = eligible.panel(approval)
    pending = shown.state_of(approval, timezone.now()) == State.PENDING
    mine = next((v for v in panel.votes if v.user_id == request.user.pk), None)
    asked = pending and mine is None
    standing = eligible.judged(panel, request.membership) if asked else NOBODY
    kept = chosen.kept(request, approval.pk) if standing.allowed else None
    like = kept if kept and kept.get("choice") == "while" else None
    again = form is not None and form.data.get("choice") == "while"
    return {
        "panel": panel,
        "needs": shown.needs(panel),
        "mine": mine,
        "standing": standing,
        "fresh": not standing.needs_fresh or fresh.is_fresh(request),
        "kept": kept if form is None else None,
        "form": form or DecisionForm(initial=kept or {}),
        "likeness": likeness or _likeness(approval, like),
        "while_open": again or like is not None,
        "no_waiver": _no_waiver(approval, panel),
        "use_within": timedelta(seconds=approval.use_within),
        "opened": _opened(request, form.data if form else kept or {}),
        "waivers": [] if pending else _waivers(approval),
        "may_draft": request.membership.at_least(Role.POLICY_MANAGER),
    }


def _opened(request: MemberRequest, posted: Mapping[str, Any]) -> str:
    """A page that comes back with an error was opened when it first was."""
    return opening_time.kept(str(posted.get("opened", "")), request.user)


def _likeness(approval: Approval, posted: dict[str, str] | None) -> Likeness:
    return Likeness(waiving.decoded(approval.arguments), posted)


def _no_waiver(approval: Approval, panel: Panel) -> str:
    """Why like calls cannot be approved for a while; empty where they can."""
    if approval.method != waiving.TOOL:
        return "Reads are approved one by one."
    if approval.critical:
        return "Calls of a critical tool are approved one by one."
    if any(terms.quorum > 1 for terms in panel.terms):
        return "What needs more than one person is approved call by call."
    return ""


def _waivers(approval: Approval) -> list[Waiver]:
    rows = Waiver.objects.for_organization(approval.organization_id)
    return list(rows.filter(approval=approval).select_related("by"))


def _elsewhere(request: MemberRequest, approval_id: UUID) -> HttpResponse:
    """Of another organization of the same person: they are asked to go on for that."""
    approval = _of_mine(request, approval_id)
    context = {"approval": approval}
    return render(request, "approvals/elsewhere.html", context)


def _of_mine(request: MemberRequest, approval_id: UUID) -> Approval:
    mine = [each.organization_id for each in request.memberships]
    rows = Approval.objects.across_organizations().filter(organization__in=mine)
    found = rows.select_related("organization").filter(pk=approval_id).first()
    if found is None:
        raise Http404
    return found


def _link_refused(
    request: MemberRequest, status: int, approval: Approval | None = None
) -> HttpResponse:
    access.identify(request)
    context = {"approval": approval}
    return render(request, "approvals/link.html", context, status=status)
