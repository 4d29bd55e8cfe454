"""“Always”: a draft of the policy in which calls like one need nobody's word.

GET and the form's first button only show it. Saving adds to the policy's draft as it
is then, so that what somebody else is editing stays; nothing is in force until a
policy manager publishes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from approvals import always, views, waiving
from approvals.always import Drafted
from approvals.headers import private
from approvals.likeness import Likeness, Posted
from approvals.models import Approval
from policies import comparing, publishing
from policies.models import Policy
from policies.splice import NotEditable
from policies.views import get_policy

CHANGED = "The draft was changed meanwhile: this is the difference to it now."


@dataclass(slots=True)
class Proposal:
    """`drafted` is None where it cannot be: then `refused` says why."""

    approval: Approval
    policy: Policy
    likeness: Likeness
    drafted: Drafted | None = None
    refused: str = ""


@private
@membership_required(Role.POLICY_MANAGER)
def always_allow(request: MemberRequest, approval_id: UUID) -> HttpResponse:
    """POST only shows the draft for what the form lets differ."""
    posted = _posted(request) if request.method == "POST" else None
    proposal = _proposal(request, approval_id, posted)
    wrong = any(row.error for row in proposal.likeness.rows)
    return _page(request, proposal, status=422 if wrong else 200)


@require_POST
@private
@membership_required(Role.POLICY_MANAGER)
def save_draft(request: MemberRequest, approval_id: UUID) -> HttpResponse:
    proposal = _proposal(request, approval_id, _posted(request))
    if proposal.drafted is None:
        return _page(request, proposal, status=422)
    policy, revision = proposal.policy, request.POST.get("revision", "")
    if not revision.isdecimal() or len(revision) > 9:
        raise BadRequest("The form was not sent whole: its revision is missing.")
    try:
        text = proposal.drafted.text
        publishing.save_draft(policy, text, request.user, int(revision))
    except publishing.DraftChanged:
        again = _proposal(request, approval_id, _posted(request))
        return _page(request, again, problem=CHANGED, status=409)
    messages.success(request, "Saved in the draft. It is not in force yet: publish it.")
    query = urlencode({"pointer": proposal.drafted.pointer})
    return redirect(f"{reverse('policies:detail', args=[policy.pk])}?{query}")


def _posted(request: MemberRequest) -> Posted:
    return {name: str(value) for name, value in request.POST.items()}


def _proposal(
    request: MemberRequest, approval_id: UUID, posted: Posted | None
) -> Proposal:
    approval = views.find(request, approval_id)
    if approval is None or approval.policy_id is None:
        raise Http404
    policy = get_policy(request, approval.policy_id)
    arguments = waiving.decoded(approval.arguments)
    proposal = Proposal(approval, policy, Likeness(arguments, posted))
    predicate = proposal.likeness.predicate()
    if predicate is None:
        proposal.refused = "look at the arguments: one cannot be meant so."
        return proposal
    try:
        subject = _subject(approval, arguments)
        proposal.drafted = always.drafted(policy.draft, subject, predicate)
    except NotEditable as refused:
        proposal.refused = f"{refused}."
    return proposal


def _subject(approval: Approval, arguments: Any) -> always.Subject:
    if approval.method != waiving.TOOL:
        raise NotEditable("only a tool's rules can be drafted from a call")
    text: str | None = getattr(approval, "policy_text", None)
    if text is None:
        raise NotEditable("the version that asked is not there any more")
    rules = tuple(each["rule"] for each in approval.rules)
    return always.Subject(approval.name, arguments, rules, text)


def _page(
    request: MemberRequest, proposal: Proposal, status: int, problem: str = ""
) -> HttpResponse:
    policy, drafted = proposal.policy, proposal.drafted
    current = policy.current
    context = {
        "approval": proposal.approval,
        "policy": policy,
        "likeness": proposal.likeness,
        "drafted": drafted,
        "refused": proposal.refused,
        "problem": problem,
        "others": current is None or policy.draft != current.text,
        "diff": drafted
        and comparing.text_difference(
            policy.draft, drafted.text, ("the draft now", "with this call let through")
        ),
    }
    return render(request, "approvals/always.html", context, status=status)
