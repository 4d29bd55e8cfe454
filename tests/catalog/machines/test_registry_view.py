"""The catalogue in the shape of an MCP registry (API v0.1, server.json 2025-12-11)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import CatalogServer
from catalog.public_api_registry import NO_VERSION, OFFICIAL, namespace_of_ours
from catalog.registry.entries import read_page

pytestmark = pytest.mark.django_db
ROOT = "/api/catalog/v0.1/servers"
RANGE = re.compile(r"^[\^~<>=]|\*|\bx\b|\|\|")


def listed(**query: str) -> list[dict[str, Any]]:
    found, cursor = [], None
    while True:
        page = Client().get(ROOT, query | ({"cursor": cursor} if cursor else {})).json()
        assert page["metadata"]["count"] == len(page["servers"])
        found += page["servers"]
        cursor = page["metadata"].get("nextCursor")
        if not cursor:
            return found


def names(**query: str) -> list[str]:
    return [each["server"]["name"] for each in listed(**query)]


def test_each_record_is_a_server_json(tidy):
    CatalogServer.objects.filter(slug="blue-pay").update(
        source_kind="url", source="https://pay.example.com/mcp", version=""
    )
    records = listed()
    assert len(records) == 3
    for record in records:
        server = record["server"]
        assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", server["name"])
        assert 3 <= len(server["name"]) <= 200
        assert 1 <= len(server["description"]) <= 100
        assert 1 <= len(server["title"]) <= 100
        assert server["version"] and not RANGE.search(server["version"])
        assert ("packages" in server) != ("remotes" in server)
    remote = next(r["server"] for r in records if "remotes" in r["server"])
    assert remote["remotes"] == [
        {"type": "streamable-http", "url": "https://pay.example.com/mcp"}
    ]
    assert remote["version"] == NO_VERSION
    package = next(r["server"] for r in records if r["server"]["title"][0] == "A")
    assert package["packages"] == [
        {
            "registryType": "pypi",
            "identifier": "acme-storage",
            "version": "1.2.3",
            "transport": {"type": "stdio"},
        }
    ]


def test_our_verdicts_stand_beside_it(tidy):
    record = next(r for r in listed() if "acme" in r["server"]["name"])
    assert record["_meta"][OFFICIAL]["status"] == "active"
    assert record["_meta"][OFFICIAL]["isLatest"] is True
    ours = record["_meta"][f"{namespace_of_ours()}/catalog"]
    assert (ours["tools"], ours["severity"]) == (4, "critical")
    assert ours["categories"] == {"Read": 2, "Write": 1, "Destructive": 1}
    for link in (ours["details"], ours["policy"]):
        path = link.removeprefix("http://127.0.0.1:8000")
        assert Client().get(path).status_code == 200


def test_it_is_paged(tidy):
    assert names(limit="1") == names()
    assert len(set(names())) == 3


def test_deleted_servers_are_told_to_who_follows(tidy):
    CatalogServer.objects.filter(slug="blue-pay").update(status="deleted")
    assert len(names()) == 2
    assert len(names(include_deleted="true")) == 3
    since = (timezone.now() - timedelta(days=1)).isoformat()
    found = {
        r["server"]["title"]: r["_meta"][OFFICIAL] for r in listed(updated_since=since)
    }
    assert found["Blue Pay"]["status"] == "deleted"
    later = (timezone.now() + timedelta(days=1)).isoformat()
    assert names(updated_since=later) == []


def test_one_server_by_name(tidy):
    CatalogServer.objects.filter(slug="blue-pay").update(registry_name="com.blue/pay")
    assert names(search="BLUE") == ["com.blue/pay"]
    path = f"{ROOT}/com.blue%2Fpay/versions"
    assert Client().get(path).json()["metadata"] == {"count": 1}
    for version in ("latest", "1.2.3"):
        record = Client().get(f"{path}/{version}").json()
        assert record["server"]["name"] == "com.blue/pay"
    assert Client().get(f"{path}/9").status_code == 404
    ours = f"{namespace_of_ours()}%2Facme-storage"
    assert Client().get(f"{ROOT}/{ours}/versions/latest").status_code == 200
    # It has a name of its own, and no second one.
    assert Client().get(
        f"{ROOT}/local.policylayer%2Fblue-pay/versions"
    ).status_code == (404)
    CatalogServer.objects.update(status="deleted")
    assert Client().get(f"{path}/latest").status_code == 404
    assert Client().get(f"{path}/latest?include_deleted=true").status_code == 200


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("https://policylayer.example.com", "com.example.policylayer"),
        ("http://127.0.0.1:8000", "local.policylayer"),
        ("http://[::1]:8000", "local.policylayer"),
        ("http://localhost:8000", "local.policylayer"),
    ],
)
def test_our_namespace_is_our_host(base, expected, settings):
    settings.BASE_URL = base
    assert namespace_of_ours() == expected


def test_our_own_sync_reads_it(tidy):
    """What another installation of the product makes of it: nothing is refused."""
    page = read_page(Client().get(ROOT).content, timezone.now())
    assert page.refused == []
    assert sorted(entry.name for entry in page.entries) == sorted(names())
    assert {entry.status for entry in page.entries} == {"active"}
