"""The verdict in force for a tool: a person's word, else the classifier's.

A person's word stays until a person changes it. The classifier's is taken at once when
a tool is first seen, and while nothing is published for its server. From then on what
it says anew waits: `VERDICT_KEEPERS` of the settings lists the modules that answer
whether a server's verdicts are kept, and a person accepts each new one as shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from importlib import import_module
from typing import NamedTuple, Protocol, cast
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts import generation
from accounts.models import User
from servers.locking import locked
from servers.models import Origin, Server, ToolDefinition

FIELDS = ("category", "severity", "verdict_origin", "verdict_by", "verdict_at")
# The classifier says otherwise than what is in force, and no person has spoken.
WAITING = ~Q(judged_version="") & (
    Q(verdict_origin=Origin.UNSET)
    | Q(verdict_origin=Origin.CLASSIFIER)
    & (~Q(category=F("judged_category")) | ~Q(severity=F("judged_severity")))
)


class Keeper(Protocol):
    def keeps(self, server: Server) -> bool:
        """Whether verdicts of this server stay until somebody accepts new ones."""


class Shown(NamedTuple):
    """A verdict of the classifier as a page showed it."""

    tool: UUID
    fingerprint: str
    category: str
    severity: str


def as_shown(row: ToolDefinition) -> str:
    """One form field, which `read_shown` reads back."""
    said = (row.judged_category, row.judged_severity)
    return " ".join((str(row.pk), row.fingerprint, *said))


def read_shown(text: str) -> Shown | None:
    """None for what no page of ours sends."""
    parts = text.split(" ")
    try:
        tool, fingerprint, category, severity = parts
        return Shown(UUID(tool), fingerprint, category, severity)
    except ValueError:
        return None


def keeps(server: Server) -> bool:
    named = (cast(Keeper, import_module(name)) for name in settings.VERDICT_KEEPERS)
    return any(keeper.keeps(server) for keeper in named)


def follow(row: ToolDefinition, now: datetime) -> None:
    """Puts in force what the classifier says, unless a person has spoken."""
    said = (row.judged_category, row.judged_severity)
    if not row.judged_version or row.verdict_origin == Origin.PERSON:
        return
    if row.verdict_origin == Origin.UNSET or said != (row.category, row.severity):
        row.category, row.severity = said
        row.verdict_origin, row.verdict_by = Origin.CLASSIFIER, None
        row.verdict_at = now


def waits(row: ToolDefinition) -> bool:
    """As `WAITING`, of a row at hand."""
    if not row.judged_version or row.verdict_origin == Origin.PERSON:
        return False
    said = (row.judged_category, row.judged_severity)
    return row.verdict_origin == Origin.UNSET or said != (row.category, row.severity)


def set_verdict(tool: ToolDefinition, category: str, severity: str, by: User) -> None:
    with transaction.atomic():
        server = locked(tool.server)
        tool.category, tool.severity = category, severity
        tool.verdict_origin, tool.verdict_by = Origin.PERSON, by
        tool.verdict_at = timezone.now()
        tool.save(update_fields=FIELDS)
        generation.changed(server.organization)


def accept(server: Server, shown: Iterable[Shown], by: User) -> int:
    """Puts in force what the classifier says of these tools, each only if it is what
    was shown; how many. It takes back a person's own verdict as well."""
    with transaction.atomic():
        organization = locked(server).organization
        rows = ToolDefinition.objects.for_organization(server.organization_id)
        now = timezone.now()
        accepted = sum(
            rows.filter(
                server=server,
                pk=each.tool,
                fingerprint=each.fingerprint,
                judged_category=each.category,
                judged_severity=each.severity,
            )
            .exclude(judged_version="")
            .update(
                category=each.category,
                severity=each.severity,
                verdict_origin=Origin.CLASSIFIER,
                verdict_by=by,
                verdict_at=now,
            )
            for each in shown
        )
        if accepted:
            generation.changed(organization)
    return accepted


def unset_tools(server: Server) -> list[str]:
    """Names of listed tools without any verdict: they count as Other, low."""
    tools = ToolDefinition.objects.for_organization(server.organization_id)
    unset = tools.filter(server=server, listed=True, verdict_origin=Origin.UNSET)
    return list(unset.order_by("name").values_list("name", flat=True))
