"""How people decided in thirty days: how many, how fast, and what could be a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    F,
    Max,
    Q,
    QuerySet,
    UUIDField,
)

from accounts.models import Organization
from approvals.models import Approval, State, Vote

DAYS = 30
# Who decides so soon after opening has hardly read it.
HASTY = timedelta(seconds=5)
# So often approved by people, and never denied, it may as well be a rule.
OFTEN = 10
MOST_LISTED = 100
MOST_HINTS = 5
APPROVED = Q(state__in=(State.APPROVED, State.USED), decided_at__isnull=False)


class Median(Aggregate):
    template = "percentile_cont(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


class Newest(Aggregate):
    """The id of the newest approval of a group."""

    template = (
        "(array_agg(%(expressions)s ORDER BY approvals_approval.created_at DESC))[1]"
    )
    output_field = UUIDField()


MEASURES: dict[str, Aggregate] = {
    "decided": Count("pk"),
    "approved": Count("pk", filter=Q(approves=True)),
    "median": Median(F("at") - F("approval__created_at")),
    "hasty": Count("pk", filter=Q(at__lt=F("opened_at") + HASTY)),
    "measured": Count("opened_at"),
}


@dataclass(frozen=True, slots=True)
class Deciding:
    """`median` is from the question to the word; `hasty` counts those within HASTY of
    opening, of the `measured` ones."""

    email: str
    decided: int
    approved: int
    median: timedelta | None
    hasty: int
    measured: int

    @property
    def share(self) -> int | None:
        """Percent."""
        return round(100 * self.hasty / self.measured) if self.measured else None


@dataclass(frozen=True, slots=True)
class Hint:
    """Calls of one tool that the same rules asked about; `approval` is the newest."""

    approval: UUID
    server: str
    tool: str
    rules: Sequence[str]
    approved: int
    latest: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    asked: int
    approved: int
    denied: int
    expired: int


def totals(organization: Organization, now: datetime) -> Totals:
    found = _asked(organization, now).aggregate(
        asked=Count("pk"),
        approved=Count("pk", filter=APPROVED),
        denied=Count("pk", filter=Q(state=State.DENIED)),
        expired=Count("pk", filter=Q(state=State.EXPIRED, decided_at=None)),
    )
    return Totals(**found)


def people(organization: Organization, now: datetime) -> list[Deciding]:
    """Who decided most comes first."""
    found: Any = _votes(organization, now).values("email").annotate(**MEASURES)
    listed = found.order_by("-decided", "email")[:MOST_LISTED]
    return [Deciding(**each) for each in listed]


def together(organization: Organization, now: datetime) -> Deciding:
    found: Any = _votes(organization, now).aggregate(**MEASURES)
    return Deciding(email="", **found)


def hints(organization: Organization, now: datetime) -> list[Hint]:
    """Only where every answer was yes."""
    groups = (
        _asked(organization, now)
        .filter(policy__isnull=False, method="tools/call")
        .order_by()
        .values("server__name", "name", "policy", "rules")
        .annotate(
            approved=Count("pk", filter=APPROVED),
            denied=Count("pk", filter=Q(state=State.DENIED)),
            latest=Max("created_at", filter=APPROVED),
            newest=Newest("pk"),
        )
        .filter(approved__gte=OFTEN, denied=0)
        .order_by("-approved", "name")
    )
    return [
        Hint(
            each["newest"],
            each["server__name"],
            each["name"],
            [rule["rule"] for rule in each["rules"]],
            each["approved"],
            each["latest"],
        )
        for each in groups[:MOST_HINTS]
    ]


def _asked(organization: Organization, now: datetime) -> QuerySet[Approval]:
    since = now - timedelta(days=DAYS)
    rows = Approval.objects.for_organization(organization)
    return rows.filter(created_at__gte=since)


def _votes(organization: Organization, now: datetime) -> QuerySet[Vote]:
    since = now - timedelta(days=DAYS)
    return Vote.objects.for_organization(organization).filter(at__gte=since)
