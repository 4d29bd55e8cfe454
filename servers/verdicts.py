"""What people say of a tool: its category and severity."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts import generation
from accounts.models import User
from servers.models import Origin, Server, ToolDefinition


def set_verdict(tool: ToolDefinition, category: str, severity: str, by: User) -> None:
    with transaction.atomic():
        tool.category, tool.severity = category, severity
        tool.verdict_origin, tool.verdict_by = Origin.PERSON, by
        tool.verdict_at = timezone.now()
        tool.save(
            update_fields=[
                "category", "severity", "verdict_origin", "verdict_by", "verdict_at"
            ]
        )  # fmt: skip
        generation.changed(tool.organization)


def unset_tools(server: Server) -> list[str]:
    """Names of listed tools whose verdict nobody has set: they count as Other, low."""
    tools = ToolDefinition.objects.for_organization(server.organization_id)
    unset = tools.filter(server=server, listed=True, verdict_origin=Origin.UNSET)
    return list(unset.order_by("name").values_list("name", flat=True))
