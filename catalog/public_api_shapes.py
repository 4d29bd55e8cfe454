"""What the catalogue's API says of a server, a tool and a change: JSON from rows.

Names stand as their servers gave them. Sentences of servers are not published: of a
description there are the digest, the length, and the words that speak for the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse

from catalog.changes_told import Told
from catalog.models import CatalogServer, CatalogTool, Scan
from catalog.plain import moment
from catalog.public import absolute

API = "api:catalog"


def server(row: CatalogServer) -> dict[str, Any]:
    return {
        "slug": row.slug,
        "name": row.name,
        "publisher": {"slug": row.publisher, "name": row.publisher_name},
        "source": {"kind": row.source_kind, "name": row.source},
        "registry_name": row.registry_name or None,
        "status": row.status,
        "version": row.version or None,
        "tools": row.tools_listed,
        "categories": row.counts,
        "severities": row.severities,
        "severity": row.severity if row.tools_listed else None,
        "scanned_at": _at(row.scanned_at),
        "updated_at": moment(row.updated_at),
        "url": absolute(reverse("catalog:server", args=[row.slug])),
    }


def whole_server(row: CatalogServer, scan: Scan | None) -> dict[str, Any]:
    links = {
        "tools": address("server_tools", row.slug),
        "policy": address("policy", row.slug),
        "changes": f"{address('changes')}?server={row.slug}",
    }
    return server(row) | {"scan": scan and _scan(scan), "links": links}


def _scan(row: Scan) -> dict[str, Any]:
    """How it was asked. What it says of itself is not repeated."""
    return {
        "at": moment(row.scanned_at),
        "version": row.version or None,
        "transport": row.transport,
        "protocol": row.revision or None,
        "environment": row.environment,
        "tools": row.tools,
        "prompts": row.prompts,
        "resources": row.resources,
    }


def tool(row: CatalogTool) -> dict[str, Any]:
    """`row` comes with its server."""
    place = [row.server.slug, row.slug]
    return {
        "slug": row.slug,
        "name": row.name,
        "server": row.server.slug,
        "category": row.category,
        "severity": row.severity,
        "confidence": row.confidence,
        "doubtful": bool(row.verdict.get("doubtful")),
        "signals": sorted({each["signal"] for each in row.verdict.get("signals", [])}),
        "classifier": row.classifier,
        "fingerprint": row.fingerprint,
        "first_seen": moment(row.first_seen),
        "last_seen": moment(row.last_seen),
        "changed_at": _at(row.changed_at),
        "url": absolute(reverse("catalog:tool", args=place)),
    }


def whole_tool(row: CatalogTool, policy: Mapping[str, Any] | None) -> dict[str, Any]:
    facts = row.facts
    description = facts.get("description") or {}
    return tool(row) | {
        "signals": row.verdict.get("signals", []),
        "evidence": row.verdict.get("evidence", []),
        "description": {
            "sha256": description.get("sha256"),
            "length": description.get("length", 0),
        },
        "parameters": [_parameter(each) for each in facts.get("parameters", [])],
        "annotations": facts.get("annotations") or {},
        "policy": policy,
    }


def _parameter(fact: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "path": fact.get("path", ""),
        "types": fact.get("types", []),
        "required": bool(fact.get("required")),
        "signals": fact.get("said", []),
    }


def change(told: Told) -> dict[str, Any]:
    row = told.change
    return {
        "id": row.pk,
        "server": row.server.slug,
        "tool": row.tool,
        "kind": row.kind,
        "at": moment(row.at),
        "before": {"version": row.before_version or None, "fingerprint": row.before},
        "after": {"version": row.after_version or None, "fingerprint": row.after},
        "detail": row.detail,
        "url": absolute(told.path),
    }


def address(name: str, *place: str) -> str:
    return absolute(reverse(f"{API}:{name}", args=place))


def _at(at: datetime | None) -> str | None:
    return moment(at) if at else None
