"""A small catalogue: two publishers, three servers, tools of every category."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import CatalogServer, CatalogTool
from catalog.naming import slug, words_of
from tests.keeping import Kept, keeping
from tests.world import make_facts, make_verdict

TOOLS = {
    "acme-storage": [
        ("list_buckets", "Read", "low"),
        ("get_bucket_policy", "Read", "low"),
        ("put_object", "Write", "medium"),
        ("delete_bucket", "Destructive", "critical"),
    ],
    "acme-compute": [
        ("list_instances", "Read", "low"),
        ("run_instances", "Execute", "high"),
        ("terminate_instances", "Destructive", "critical"),
    ],
    "blue-pay": [
        ("listPayments", "Read", "low"),
        ("createRefund", "Financial", "critical"),
    ],
}


def make_server(name: str, publisher: str, tools) -> CatalogServer:
    counts: dict[str, int] = {}
    severities: dict[str, int] = {}
    for _, category, severity in tools:
        counts[category] = counts.get(category, 0) + 1
        severities[severity] = severities.get(severity, 0) + 1
    server = CatalogServer.objects.create(
        slug=name,
        name=name.replace("-", " ").title(),
        publisher=publisher,
        publisher_name=publisher.title(),
        source_kind="pypi",
        source=name,
        version="1.2.3",
        tools_listed=len(tools),
        counts=counts,
        severities=severities,
        severity="critical",
        scanned_at=timezone.now(),
    )
    CatalogTool.objects.bulk_create(make_tool(server, *tool) for tool in tools)
    return server


def make_tool(
    server: CatalogServer, name: str, category: str, severity: str, listed: bool = True
) -> CatalogTool:
    words = dict.fromkeys([*words_of(name), *words_of(server.slug)])
    return CatalogTool(
        server=server,
        slug=slug(name),
        name=name,
        facts=make_facts(name),
        fingerprint=hashlib.sha256(f"{server.slug} {name}".encode()).hexdigest(),
        category=category,
        severity=severity,
        confidence=0.95,
        verdict=make_verdict(name, category, severity, 0.95),
        classifier="1",
        publisher=server.publisher,
        words=" ".join(words),
        listed=listed,
    )


Catalogue = dict[str, CatalogServer]


def make_catalogue() -> Catalogue:
    return {
        name: make_server(name, name.split("-")[0], tools)
        for name, tools in TOOLS.items()
    }


@pytest.fixture(scope="module")
def catalogues(
    django_db_setup: None, django_db_blocker: Any
) -> Iterator[Kept[Catalogue]]:
    with keeping(make_catalogue, django_db_blocker) as catalogues:
        yield catalogues


@pytest.fixture
def catalogue(
    catalogues: Kept[Catalogue], db: None, request: pytest.FixtureRequest
) -> Catalogue:
    return catalogues.get(request.node)
