"""Pages of policies: list, new, and the editor with its two views of one text."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts import access, generation
from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from policies import comparing, deciders, drafting, editor, edits, publishing
from policies.document import DocumentError
from policies.forms import NewPolicyForm
from policies.models import Policy
from policies.pinned import pinned
from policies.splice import NotEditable
from policies.spots import Spots
from policies.wording import PERIODS
from servers.models import Server

MOST_LISTED = 500
FIND_LENGTH = 200
# Each is a change of the text that is read again: half a second in the largest.
MOST_CHANGES = 50
SELF_APPROVAL = '"self_approval"'
SELF_APPROVAL_SET = (
    "One person only could decide here, so self_approval is set: who made a call may"
    " approve it, after signing in again. Take it out once there are more of you."
)


@membership_required(Role.VIEWER)
def list_policies(request: MemberRequest) -> HttpResponse:
    query = request.GET.get("q", "")[:FIND_LENGTH].replace("\0", "")
    server = request.GET.get("server", "")[:FIND_LENGTH].replace("\0", "")
    rows = Policy.objects.for_organization(request.organization)
    shown = rows.select_related("server", "current").order_by("name")
    if query:
        shown = shown.filter(
            Q(name__icontains=query) | Q(server__name__icontains=query)
        )
    if server:
        shown = shown.filter(server__public_id=server)
    active = Count("grants", filter=Q(grants__revoked_at=None))
    servers = Server.objects.for_organization(request.organization).order_by("name")
    context = {
        "policies": list(shown.annotate(active=active)[:MOST_LISTED]),
        "servers": list(servers),
        "q": query,
        "server": server,
    }
    return render(request, "policies/list.html", context)


@membership_required(Role.POLICY_MANAGER)
def create(request: MemberRequest) -> HttpResponse:
    asked = request.GET.get("server", "")[:FIND_LENGTH]
    first = {"server": asked} if asked else {}
    form = NewPolicyForm(request.organization, request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        server, start = form.cleaned_data["server"], form.cleaned_data["start"]
        draft = drafting.first_draft(start, pinned(server), request.organization)
        try:
            policy = publishing.create(
                server, form.cleaned_data["name"], draft, request.user
            )
            return redirect("policies:detail", policy.pk)
        except ValidationError as error:
            form.add_error("name", error)
    status = 422 if form.errors else 200
    has_servers = form.fields["server"].queryset.exists()  # type: ignore[attr-defined]
    context = {"form": form, "has_servers": has_servers}
    return render(request, "policies/create.html", context, status=status)


@membership_required(Role.VIEWER)
def detail(request: MemberRequest, policy_id: uuid.UUID) -> HttpResponse:
    policy = get_policy(request, policy_id)
    pointed = _pointed(policy.draft, request.GET.get("pointer", "")[:2000])
    return _editor(request, policy, policy.draft, saved=True, pointed=pointed)


@require_POST
@membership_required(Role.POLICY_MANAGER)
def save(request: MemberRequest, policy_id: uuid.UUID) -> HttpResponse:
    policy = get_policy(request, policy_id)
    if refused := _save(request, policy):
        return refused
    messages.success(request, "Draft saved. It is not in force until you publish it.")
    return redirect("policies:detail", policy.pk)


@require_POST
@membership_required(Role.POLICY_MANAGER)
def save_and_review(request: MemberRequest, policy_id: uuid.UUID) -> HttpResponse:
    policy = get_policy(request, policy_id)
    return _save(request, policy) or redirect("policies:publish", policy.pk)


@require_POST
@membership_required(Role.POLICY_MANAGER)
def check(request: MemberRequest, policy_id: uuid.UUID) -> HttpResponse:
    """The same page for a text that is not saved; for the editor its sides only."""
    policy = get_policy(request, policy_id)
    return _editor(request, policy, _posted(request).text)


@require_POST
@membership_required(Role.POLICY_MANAGER)
def choose(request: MemberRequest, policy_id: uuid.UUID) -> HttpResponse:
    """Makes the choices of the table in the text; saves nothing."""
    policy, posted = get_policy(request, policy_id), _posted(request)
    try:
        changes = editor.changes_of(request.POST.get("shown", ""), request.POST.dict())
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The table was not sent whole: {error}") from None
    text, refused = posted.text, []
    alone = deciders.drafts_self_approval(request.organization)
    if len(changes) > MOST_CHANGES:
        refused.append(
            f"The first {MOST_CHANGES} changes are made; send the rest again."
        )
    for change in changes[:MOST_CHANGES]:
        try:
            text = edits.choose(text, replace(change, alone=alone))
        except NotEditable as error:
            refused.append(str(error))
        except DocumentError:
            refused.append("Correct the text first: the table changes a valid one.")
            break
    if text.count(SELF_APPROVAL) > posted.text.count(SELF_APPROVAL):
        refused.append(SELF_APPROVAL_SET)
    return _editor(request, policy, text, refused=refused, replaced=True)


@require_POST
@membership_required(Role.POLICY_MANAGER)
def default_allow(request: MemberRequest, policy_id: uuid.UUID) -> HttpResponse:
    """What a document that lets nothing through is offered before it is published."""
    policy = get_policy(request, policy_id)
    try:
        text = edits.set_default(policy.draft, "allow")
        publishing.save_draft(policy, text, request.user, _posted(request).revision)
    except (NotEditable, publishing.DraftChanged):
        messages.error(request, "The draft was changed meanwhile: look at it again.")
    return redirect("policies:publish", policy.pk)


class Posted(NamedTuple):
    text: str
    revision: int
    find: str


def _posted(request: MemberRequest) -> Posted:
    """Browsers send line ends as CRLF, whatever the text had."""
    text = request.POST.get("text", "").replace("\r\n", "\n")
    revision = request.POST.get("revision", "")
    if not revision.isdecimal() or len(revision) > 9:
        raise BadRequest("The form was not sent whole: its revision is missing.")
    return Posted(text, int(revision), request.POST.get("find", "")[:FIND_LENGTH])


def get_policy(request: MemberRequest, policy_id: uuid.UUID) -> Policy:
    rows = Policy.objects.select_related(
        "organization", "server", "current", "current__published_by", "draft_by"
    )
    return access.get(request, rows, pk=policy_id)


def _save(request: MemberRequest, policy: Policy) -> HttpResponse | None:
    """None when it is saved; else the page with the text that was not."""
    posted = _posted(request)
    try:
        publishing.save_draft(policy, posted.text, request.user, posted.revision)
    except publishing.DraftChanged as error:
        return _conflict(request, get_policy(request, error.policy.pk), posted.text)
    except ValidationError as error:
        return _editor(request, policy, posted.text, refused=error.messages, status=422)
    return None


def _conflict(request: MemberRequest, policy: Policy, text: str) -> HttpResponse:
    """Nothing is lost: the text that came too late, and how the saved one differs."""
    names = ("saved meanwhile", "yours, not saved")
    lines = comparing.text_difference(policy.draft, text, names)
    conflict = {"by": policy.draft_by, "at": policy.draft_at, "lines": lines}
    return _editor(request, policy, text, conflict=conflict, status=409)


def _editor(
    request: MemberRequest,
    policy: Policy,
    text: str,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    find = request.POST.get("find", request.GET.get("find", ""))[:FIND_LENGTH]
    context = {
        "policy": policy,
        "text": text,
        "find": find,
        "sides": editor.sides(policy, text, request.user, find),
        "unsaved": text != policy.draft,
        "in_force": generation.in_force(request.organization),
        "may_edit": request.membership.at_least(Role.POLICY_MANAGER),
        "windows": PERIODS,
        **more,
    }
    if request.headers.get("HX-Request"):
        return render(request, "policies/_sides.html", context)
    return render(request, "policies/editor.html", context, status=status)


def _pointed(text: str, pointer: str) -> dict[str, Any] | None:
    """The rule that a record names, with its lines, if the text still has it."""
    if not pointer:
        return None
    spots = Spots(text)
    spot = spots.find(pointer)
    if spot is None:
        return {"pointer": pointer}
    lines = spots.lines[spot.line - 1 : spot.last_line]
    return {"pointer": pointer, "spot": spot, "lines": "\n".join(lines[:40])}
