"""Two servers side by side."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.comparing import Listed, compare
from catalog.models import CatalogServer
from tests.cases import cases
from tests.world import make_catalog


def tool(name: str, category: str = "Read", severity: str = "low") -> Listed:
    return Listed(name, name, category, severity, False)


def named(tools) -> list[str]:
    return [each.name for each in tools]


def pairs(one: list[str], other: list[str]) -> list[tuple[str, str]]:
    found = compare([tool(n) for n in one], [tool(n) for n in other])
    return [(pair.one.name, pair.other.name) for pair in found.pairs]


@cases(
    ("one", "other"),
    [
        ("list_tables", "list_tables"),
        ("list_tables", "listTables"),
        ("list_tables", "tables-list"),
        ("delete_item", "DeleteItems"),
    ],
)
def test_same_name_or_same_verb_and_object(one, other):
    assert pairs([one], [other]) == [(one, other)]


@cases(
    ("one", "other"),
    [
        ("list_tables", "drop_tables"),
        ("get_item", "get_user"),
        ("get", "read"),
        ("echo_text", "think_deep"),
    ],
)
def test_what_does_something_else_stands_alone(one, other):
    found = compare([tool(one)], [tool(other)])
    assert (found.pairs, named(found.only_one), named(found.only_other)) == (
        (),
        [one],
        [other],
    )


def test_a_name_goes_before_a_likeness_and_nothing_is_paired_twice():
    assert pairs(["list_tables", "tables_list"], ["tables_list"]) == [
        ("tables_list", "tables_list")
    ]
    found = compare([tool("list_tables")], [tool("tables_list"), tool("listTables")])
    assert len(found.pairs) == 1 and len(found.only_other) == 1


def test_differing_verdicts_are_counted_and_stand_first():
    same, worse = tool("a_get"), tool("run_query", "Execute", "high")
    milder = tool("run_query", "Read", "medium")
    found = compare([same, milder], [same, worse])
    assert found.differing == 1
    assert [pair.differs for pair in found.pairs] == [True, False]


@pytest.fixture
def two(acme):
    one = make_catalog(acme).server
    other = CatalogServer.objects.create(
        slug="other-server",
        name="Other",
        publisher="other",
        publisher_name="Other",
        source_kind="npm",
        source="other-server",
        tools_listed=1,
    )
    row: Any = one.listing.filter(listed=True).order_by("name").last()
    row.pk, row.server, row.slug = None, other, "theirs"
    row.save(force_insert=True)
    return one, other


@pytest.mark.django_db
def test_the_page_compares(two, django_assert_max_num_queries):
    one, other = two
    with django_assert_max_num_queries(6):
        page = Client().get("/compare/", {"a": one.slug, "b": other.slug})
    assert page.status_code == 200
    compared = page.context["compared"]
    assert len(compared.pairs) == 1 and not compared.only_other
    text = page.content.decode()
    assert '<meta name="robots" content="noindex,follow">' in text
    assert f'value="{one.slug}"' in text and f"/tools/{other.slug}/theirs/" in text


@pytest.mark.django_db
def test_without_servers_it_is_a_form_that_may_be_indexed(two):
    text = Client().get("/compare/").content.decode()
    assert "noindex" not in text and '<option value="other-server">' in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "asked", [{"a": "nope"}, {"a": "hostile", "b": "other-server"}]
)
def test_an_unknown_server_is_said_and_likely_ones_are_offered(two, asked):
    page = Client().get("/compare/", asked)
    assert page.status_code == 200 and "There is no server" in page.content.decode()
    liked = "/tools/hostile-mcp-server/" in page.content.decode()
    assert liked == (asked["a"] == "hostile")


@pytest.mark.django_db
def test_a_hostile_address_is_inert(two):
    text = Client().get("/compare/", {"a": '"><script>alert(1)</script>'}).content
    assert b"<script>alert" not in text
