"""The index of more than a thousand tools."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import searching, tool_lists
from catalog.models import CatalogServer, CatalogTool
from tests.catalog.pages.conftest import make_catalogue, make_server
from tests.catalog.pages.listed import NEXT, TAB, TOOL, facets, opened, tools
from tests.keeping import Kept, keeping

pytestmark = pytest.mark.django_db


def make_crowd() -> CatalogServer:
    """With more tools than are counted exactly: 1,100 to read, 3 to destroy."""
    make_catalogue()
    many = [(f"get_thing_{n:04}", "Read", "low") for n in range(1_100)]
    few = [(f"drop_thing_{n}", "Destructive", "critical") for n in range(3)]
    return make_server("crowded", "crowd", [*many, *few])


@pytest.fixture(scope="module")
def crowds(
    django_db_setup: None, django_db_blocker: Any
) -> Iterator[Kept[CatalogServer]]:
    with keeping(make_crowd, django_db_blocker) as crowds:
        yield crowds


@pytest.fixture
def crowded(
    crowds: Kept[CatalogServer], db: None, request: pytest.FixtureRequest
) -> CatalogServer:
    return crowds.get(request.node)


def test_counts_are_exact_to_a_thousand(crowded):
    page = opened(q="thing")
    assert facets(page) == {
        "Read": "1,000+",
        "Destructive": "3",
        "critical": "3",
        "low": "1,000+",
        "Crowd": "1,000+",
    }
    assert dict(TAB.findall(page))["Tools"] == "1,000+"
    page = opened(q="thing", category="Destructive")
    assert facets(page) == {
        "Read": "1,000+",
        "Destructive": "3",
        "critical": "3",
        "Crowd": "3",
    }
    page = opened(q="get thing", severity="critical")
    assert tools(page) == []
    assert facets(page)["low"] == "1,000+"


@pytest.mark.parametrize(
    ("given", "small", "size"),
    [
        ({"q": "thing"}, 20_000, 100),
        ({"q": "thing"}, 0, tool_lists.SIZE),
        ({"show": "tools"}, 20_000, 100),
        ({"show": "tools"}, 0, 100),
    ],
)
def test_a_thousand_and_a_hundred_page_by_page(
    crowded, given, small, size, monkeypatch
):
    """Each is there once, though they are too many to be ranked. Larger pages are
    fewer, and their ends too lie anywhere among the parts that are searched."""
    monkeypatch.setattr(searching, "SMALL", small)
    monkeypatch.setattr(tool_lists, "SIZE", size)
    page, found = opened(**given), []
    while True:
        found += TOOL.findall(page)
        following = NEXT.search(page)
        if not following:
            break
        page = opened(unescape(following[1]))
    wanted = 1_103 if "q" in given else 1_112
    assert len(found) == len(set(found)) == wanted
    names = CatalogTool.objects.filter(slug__in=[slug for _, slug in found])
    in_order = [*names.order_by("name", "pk").values_list("slug", flat=True)]
    assert ([slug for _, slug in found] == in_order) == bool(small)


@pytest.mark.parametrize(
    ("given", "queries"),
    [
        ({}, 6),
        ({"show": "tools"}, 7),
        (
            {"q": "thnig", "category": "Read", "severity": "low", "publisher": "crowd"},
            10,
        ),
        ({"q": "bucket"}, 5),
        ({"q": "bukcet", "category": "Read", "severity": "low"}, 7),
        ({"q": "bucket", "category": "Read", "show": "servers"}, 5),
    ],
)
def test_queries_do_not_grow_with_what_is_found(crowded, given, queries):
    with CaptureQueriesContext(connection) as asked:
        opened(**given)
    assert len(asked) == queries, [each["sql"][:200] for each in asked]
