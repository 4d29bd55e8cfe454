"""The page at "/": what PolicyLayer is, or where the organization stands.

It lives here because it counts what every app has.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from accounts import generation
from accounts.access import MemberRequest, membership_required
from accounts.models import Organization, Role
from accounts.tenancy import TenantQuerySet
from audit.models import Record
from policies.models import Grant, Policy
from servers.models import Health, Server

LATEST = 8
# Enough for "10,000 or more"; a day of a busy organization has millions.
COUNTED = 10_000


@dataclass(frozen=True)
class Step:
    title: str
    text: str
    action: str
    page: str
    done: bool


def home(request: HttpRequest) -> HttpResponseBase:
    if request.user.is_authenticated:
        return overview(request)
    return render(request, "accounts/landing.html", {"snippet": snippet()})


def snippet() -> str:
    return (
        f"claude mcp add --transport http payments {settings.BASE_URL}/mcp/<server>"
        " \\\n"
        '  --header "Authorization: Bearer <token>"'
    )


@membership_required(Role.VIEWER)
def overview(request: MemberRequest) -> HttpResponse:
    organization = request.organization
    counts = server_counts(organization) | policy_counts(organization)
    counts |= grant_counts(organization)
    latest = list(records(organization).order_by("-time", "-id")[:LATEST])
    steps = first_steps(counts, called=bool(latest) or counts["used"] > 0)
    found = {
        "counts": counts,
        "latest": latest,
        "decisions": decisions_of_a_day(organization),
        "steps": steps if not all(step.done for step in steps) else [],
        "next_step": next((step for step in steps if not step.done), None),
        "in_force": generation.in_force(organization),
    }
    return render(request, "accounts/overview.html", found)


def server_counts(organization: Organization) -> dict[str, int]:
    return Server.objects.for_organization(organization).aggregate(
        servers=Count("pk"),
        failing=Count("pk", filter=Q(health=Health.FAILING)),
    )


def policy_counts(organization: Organization) -> dict[str, int]:
    return Policy.objects.for_organization(organization).aggregate(
        policies=Count("pk"),
        published=Count("pk", filter=Q(current__isnull=False)),
    )


def grant_counts(organization: Organization) -> dict[str, int]:
    now = timezone.now()
    unexpired = Q(expires_at=None) | Q(expires_at__gt=now)
    return Grant.objects.for_organization(organization).aggregate(
        grants=Count("pk", filter=Q(revoked_at=None) & unexpired),
        used=Count("pk", filter=Q(last_used_at__isnull=False)),
    )


def records(organization: Organization) -> TenantQuerySet[Record]:
    return Record.objects.for_organization(organization)


def decisions_of_a_day(organization: Organization) -> dict[str, int]:
    """How often each decision was taken in 24 hours, most frequent first."""
    since = timezone.now() - timedelta(days=1)
    newest = records(organization).filter(time__gte=since).order_by("-time", "-id")
    found = newest.values_list("decision", flat=True)[:COUNTED]
    return dict(Counter(decision for decision in found if decision).most_common())


def first_steps(counts: dict[str, int], called: bool) -> list[Step]:
    return [
        Step(
            "Add a server",
            "Paste the address of an MCP server, or take the sandbox.",
            "Servers",
            "servers:list",
            counts["servers"] > 0,
        ),
        Step(
            "Publish a policy",
            "It says which tools may be called, how often, and with what.",
            "Policies",
            "policies:list",
            counts["published"] > 0,
        ),
        Step(
            "Create a grant",
            "Its token is what you give to one client.",
            "Grants",
            "grants:list",
            counts["grants"] > 0,
        ),
        Step(
            "See the first call",
            "Point the client at the gateway; its calls show up here.",
            "Activity",
            "activity:list",
            called,
        ),
    ]
