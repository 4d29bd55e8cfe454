"""Every address of the catalogue that machines read."""

from __future__ import annotations

from django.urls import reverse

from catalog.models import CatalogTool
from catalog.sitemaps import SIZE

SERVER, TOOL = "hostile-mcp-server", "run-query"
API = [
    "/api/catalog/v1/servers",
    f"/api/catalog/v1/servers/{SERVER}",
    f"/api/catalog/v1/servers/{SERVER}/policy",
    f"/api/catalog/v1/servers/{SERVER}/tools",
    f"/api/catalog/v1/servers/{SERVER}/tools/{TOOL}",
    "/api/catalog/v1/tools",
    "/api/catalog/v1/tools?q=run&category=Execute&severity=high&publisher=hostile",
    "/api/catalog/v1/changes?since=2020-01-01T00:00:00Z",
    "/api/catalog/v1/rubric",
    "/api/catalog/v1/openapi.json",
    "/api/catalog/v0.1/servers?updated_since=2020-01-01T00:00:00Z",
    f"/api/catalog/v0.1/servers/local.policylayer%2F{SERVER}/versions",
    f"/api/catalog/v0.1/servers/local.policylayer%2F{SERVER}/versions/latest",
]
TWINS = [
    "/tools/",
    f"/tools/{SERVER}/",
    f"/tools/{SERVER}/{TOOL}/",
    "/risk/",
    "/attacks/",
    "/attacks/tool-poisoning/",
]
OTHERS = [
    *("/robots.txt", "/llms.txt", "/sitemap.xml", "/sitemaps/pages.xml"),
    *("/tools/changes.atom", f"/tools/{SERVER}/changes.atom"),
    f"/tools/{SERVER}/badge.svg",
    *(f"{path.rstrip('/')}.md" for path in TWINS),
]
ALL = [*API, *OTHERS]


def part(name: str, pk: int) -> str:
    return reverse(f"catalog:sitemap_{name}", args=[(pk - 1) // SIZE + 1])


def hostile_tool(row: CatalogTool) -> list[str]:
    """Where the very name that is hostile is shown."""
    return [
        f"/tools/{SERVER}/{row.slug}.md",
        f"/tools/{SERVER}/{row.slug}/",
        f"/api/catalog/v1/servers/{SERVER}/tools/{row.slug}",
    ]
