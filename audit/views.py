"""Pages of the activity log. Everybody of an organization may read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from audit.activity import ActivityForm, page
from audit.ids import time_of
from audit.models import Quarantined, Record
from audit.passages import Passage, indented, passage
from policies.models import Grant, Policy, PolicyVersion
from servers.models import Server

# Choices of a filter; more than that are typed, or followed from a record.
MOST_CHOICES = 200
MOST_COUNTED = 1_000


@membership_required(Role.VIEWER)
@require_safe
def activity(request: MemberRequest) -> HttpResponse:
    form = ActivityForm(ZoneInfo(request.organization.zone), request.GET.dict())
    found = page(request.organization, form, request.GET.dict())
    owned = {"organization": request.organization}
    context = {
        "filter": form,
        "page": found,
        "servers": _names(Server, "name", owned),
        "grants": _names(Grant, "label", owned),
        "quarantined": _quarantined(request),
    }
    return render(request, "audit/list.html", context)


def _names(model: Any, field: str, owned: dict[str, Any]) -> list[str]:
    rows = model.objects.for_organization(owned["organization"])
    return list(rows.order_by(field).values_list(field, flat=True)[:MOST_CHOICES])


def _quarantined(request: MemberRequest) -> int:
    rows = Quarantined.objects.for_organization(request.organization)
    return rows[:MOST_COUNTED].count()


@membership_required(Role.VIEWER)
@require_safe
def record(request: MemberRequest, call_id: UUID) -> HttpResponse:
    try:
        place = {"time": time_of(call_id), "id": call_id}
    except OverflowError:
        raise Http404 from None
    found = access.get(request, Record, **place)
    version = _version(request, found)
    context = {
        "record": found,
        "limits": orjson.loads(found.limits or "[]"),
        "asks": orjson.loads(found.asks or "[]"),
        "arguments": found.arguments and indented(found.arguments),
        "read": found.arguments_read and indented(found.arguments_read),
        "version": version,
        "rules": _rules(found, version),
        "server": _one(request, Server, found.server_id),
        "grant": _one(request, Grant, found.grant_id),
        "policy": _one(request, Policy, found.policy_id),
    }
    return render(request, "audit/record.html", context)


def _one(request: MemberRequest, model: Any, pk: UUID | None) -> Any:
    """What the record names, if it still is there."""
    if pk is None:
        return None
    return model.objects.for_organization(request.organization).filter(pk=pk).first()


def _version(request: MemberRequest, found: Record) -> PolicyVersion | None:
    """The text that decided: by its digest, whatever was published since."""
    if found.policy_id is None or not found.policy_digest:
        return None
    return (
        PolicyVersion.objects.for_organization(request.organization)
        .filter(policy_id=found.policy_id, digest=found.policy_digest)
        .order_by("-number")
        .first()
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that decided, or would have, where it stands."""

    title: str
    rule: str
    passage: Passage | None


def _rules(found: Record, version: PolicyVersion | None) -> list[Rule]:
    named = [
        ("The rule that decided", found.rule),
        ("The rule that would have decided", found.would_rule),
    ]
    return [
        Rule(title, rule, passage(version.text, rule) if version else None)
        for title, rule in named
        if rule
    ]
