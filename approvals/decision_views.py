"""A person's word: approve once, approve like calls for a while, or deny.

deciding.vote() has the rights; here a form becomes a vote, and what it refuses becomes
a page on which nothing that was written is lost.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts import fresh
from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from approvals import chosen, deciding, opening_time, views, waiving
from approvals.deciding import Refused, Wish
from approvals.forms import DecisionForm
from approvals.headers import private
from approvals.likeness import Likeness
from approvals.models import Approval, State, Via

OVER = {"decided", "expired"}
NO_RIGHT = {"not_approver", "own", "publisher"}
CHECK = "Look at the arguments that may differ: one cannot be meant so."


@require_POST
@private
@membership_required(Role.VIEWER)
def decide(request: MemberRequest, approval_id: UUID) -> HttpResponseBase:
    approval = views.find(request, approval_id)
    if approval is None:
        raise Http404
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return views.page(request, approval, form=form, status=422)
    likeness, wish = _likeness(request, approval), None
    if form.cleaned_data["choice"] == "while":
        predicate = likeness.predicate()
        if predicate is None:
            return _again(request, approval, form, likeness, CHECK)
        wish = Wish(form.for_minutes, predicate)
    try:
        decided = _vote(request, approval, form, wish)
    except Refused as refused:
        return _refused(request, approval, form, likeness, refused)
    chosen.forget(request)
    messages.success(request, _said(decided, wish))
    if form.way == Via.INBOX:
        return redirect("approvals:list")
    return redirect("approvals:detail", approval.pk)


def _likeness(request: MemberRequest, approval: Approval) -> Likeness:
    posted = {name: str(value) for name, value in request.POST.items()}
    return Likeness(waiving.decoded(approval.arguments), posted)


def _vote(
    request: MemberRequest, approval: Approval, form: DecisionForm, wish: Wish | None
) -> Approval:
    given = form.cleaned_data
    approves = given["choice"] != "deny"
    return deciding.vote(
        approval.pk,
        request.membership,
        approves=approves,
        reason="" if approves else form.told,
        via=form.way,
        fresh=fresh.is_fresh(request),
        opened_at=opening_time.opened(given["opened"], request.user, approval),
        waiver=wish,
    )


def _refused(
    request: MemberRequest,
    approval: Approval,
    form: DecisionForm,
    likeness: Likeness,
    refused: Refused,
) -> HttpResponseBase:
    if refused.code == "fresh":
        posted = {name: str(value) for name, value in request.POST.items()}
        chosen.keep(request, approval.pk, posted)
        page = reverse("approvals:detail", args=[approval.pk])
        return fresh.to_reauthenticate(request, page)
    if refused.code in OVER:
        # The page says by whom and when: also to the one who came second.
        messages.warning(request, f"Your choice was not taken. {refused.text}")
        return redirect("approvals:detail", approval.pk)
    status = 403 if refused.code in NO_RIGHT else 422
    return _again(request, approval, form, likeness, refused.text, status)


def _again(
    request: MemberRequest,
    approval: Approval,
    form: DecisionForm,
    likeness: Likeness,
    problem: str,
    status: int = 422,
) -> HttpResponse:
    return views.page(
        request,
        approval,
        form=form,
        likeness=likeness,
        problem=problem,
        status=status,
    )


def _said(decided: Approval, wish: Wish | None) -> str:
    if decided.state == State.DENIED:
        return "Denied. The agent is told why."
    if decided.state == State.PENDING:
        return "Your approval counts; it still waits for others."
    if wish is not None:
        return f"Approved, and like calls for {wish.minutes} minutes."
    return "Approved: the identical call runs once."
