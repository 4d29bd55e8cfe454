"""The tool that a request would call, as its server's definition is known now."""

from __future__ import annotations

import json
from typing import Any

from approvals.models import Approval
from servers.models import ToolDefinition

TOOL = "tools/call"


def input_schema(approval: Approval) -> Any:
    """Of its arguments; None for a read, and for a tool that is not known any more."""
    if approval.method != TOOL:
        return None
    rows = ToolDefinition.objects.for_organization(approval.organization_id)
    tool = rows.filter(server=approval.server_id, name=approval.name).first()
    return json.loads(tool.definition).get("inputSchema") if tool else None
