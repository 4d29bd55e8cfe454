"""The inbox: what waits, what was decided, what expired; its export; its figures."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from approvals import export, figures, inbox, opening_time, shown
from approvals.forms import DecisionForm
from approvals.headers import private
from approvals.inbox import TABS, InboxForm
from policies.deciders import named_by

FORMATS = {"csv": "CSV", "jsonl": "JSON lines"}


@private
@membership_required(Role.VIEWER)
@require_safe
def list_approvals(request: MemberRequest) -> HttpResponse:
    query = request.GET.dict()
    tab, form = inbox.tab_of(query), InboxForm(query)
    found = inbox.page(request.organization, tab, form, query)
    now = timezone.now()
    for row in found.rows:
        _look(row, request, now)
    context = {
        "tab": tab,
        "tabs": TABS,
        "filter": form,
        "page": found,
        "names": inbox.names(request.organization),
        "now": now,
        "decision": DecisionForm(),
        "opened": opening_time.kept(query.get("opened", ""), request.user),
        **_addresses(form, tab, query.get("before", "")),
    }
    return render(request, "approvals/list.html", context)


@private
@membership_required(Role.VIEWER)
@require_safe
def export_approvals(request: MemberRequest) -> HttpResponse:
    query = request.GET.dict()
    tab, form = inbox.tab_of(query), InboxForm(query)
    kind = query.get("format", "csv")
    if kind not in export.TYPES or not form.is_valid():
        raise Http404
    rows = inbox.filtered(request.organization, tab, form)
    found = list(inbox.named(rows, request.organization)[: export.MOST_ROWS + 1])
    more = len(found) > export.MOST_ROWS
    text = "".join(export.lines(found[: export.MOST_ROWS], kind, more))
    answer = HttpResponse(text, content_type=export.TYPES[kind])
    name = f"approvals-{tab}.{kind}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@private
@membership_required(Role.VIEWER)
@require_safe
def show_figures(request: MemberRequest) -> HttpResponse:
    now, organization = timezone.now(), request.organization
    context = {
        "totals": figures.totals(organization, now),
        "people": figures.people(organization, now),
        "together": figures.together(organization, now),
        "hints": figures.hints(organization, now),
        "days": figures.DAYS,
        "hasty": figures.HASTY,
        "often": figures.OFTEN,
    }
    return render(request, "approvals/figures.html", context)


def _look(row: Any, request: MemberRequest, now: Any) -> None:
    """What the list shows besides: the state as of now, and whether it may be decided
    right here. Only an offer: deciding.vote() has the rights."""
    row.shown_state = shown.state_of(row, now)
    row.inline = _inline(row, request)


def _inline(row: Any, request: MemberRequest) -> bool:
    """Where all of the call is shown, and nobody has to sign in for it again."""
    member = request.membership
    return (
        row.length <= inbox.MOST_INLINE
        and not row.critical
        and row.requester.user_id != member.user_id
        and row.organization.publishers_decide
        and any(named_by(terms["approvers"], member) for terms in row.terms)
        and not any(vote.user_id == member.user_id for vote in row.votes.all())
    )


def _addresses(form: InboxForm, tab: str, before: str) -> dict[str, Any]:
    """Query strings: of this very page, to look at it again, and of its exports."""
    kept = form.used | {"state": tab}
    files = ((label, {**kept, "format": kind}) for kind, label in FORMATS.items())
    return {
        "again": urlencode(kept | ({"before": before} if before else {})),
        "files": [(label, urlencode(query)) for label, query in files],
    }
