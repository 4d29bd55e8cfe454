"""A server with tools, as discovery leaves it."""

from __future__ import annotations

import json

import pytest

from accounts.models import Organization
from policies.models import Policy
from servers.models import Server, ToolDefinition


def tool(server: Server, name: str, **more: object) -> ToolDefinition:
    definition = {"name": name, "inputSchema": {"type": "object"}}
    definition |= {"description": f"Does {name}."}
    return ToolDefinition.objects.create(
        organization_id=server.organization_id,
        server=server,
        name=name,
        definition=json.dumps(definition),
        fingerprint="0" * 64,
        **more,
    )


@pytest.fixture
def payments(acme: Organization, valkey: object) -> Server:
    server = Server.objects.create(
        organization=acme, name="payments", url="http://127.0.0.1:9101/mcp"
    )
    for name in ("list_charges", "create_refund", "delete_customer"):
        tool(server, name)
    return server


@pytest.fixture
def support(payments: Server) -> Policy:
    return Policy.objects.create(
        organization=payments.organization,
        server=payments,
        name="support",
        draft='{"version": "1", "default": "allow"}',
    )
