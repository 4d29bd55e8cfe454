"""What scans leave in the database: rows of what is listed, and what changed when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import resolve, reverse

from catalog.classifying import CURRENT
from catalog.models import CatalogServer, CatalogTool, Change, ChangeKind, Scan
from catalog.storing import failed, reclassify, store
from servers.definitions import canonical, fingerprint
from tests.catalog.offered import BEGIN, classifier, definition, offer

pytestmark = pytest.mark.django_db
LIST, DELETE = definition("list_invoices", "month"), definition("delete_note", "id")


def changes() -> list[tuple[str, str]]:
    rows = Change.objects.order_by("at", "tool")
    return [(str(row.kind), row.tool) for row in rows]


def tool(name: str) -> CatalogTool:
    return CatalogTool.objects.get(name=name)


def test_a_first_scan() -> None:
    server = store(offer(LIST, DELETE))
    assert (server.slug, server.name) == ("acme-billing-mcp-server", server.source)
    assert (server.publisher, server.version) == ("acme-billing-mcp-server", "1.0")
    assert (server.tools_listed, server.severity) == (2, "critical")
    assert server.counts == {"Read": 1, "Destructive": 1}
    assert server.severities == {"low": 1, "critical": 1}
    assert (server.scanned_at, server.shipped) == (BEGIN, False)
    [scan] = server.scans.all()
    assert (scan.tools, scan.prompts, scan.resources) == (2, 1, 0)
    assert scan.identity == {"name": "billing", "version": "1"}
    assert changes() == []


def test_a_tool_has_its_definition_fingerprint_and_verdict() -> None:
    store(offer(DELETE))
    row = tool("delete_note")
    assert row.definition == canonical(DELETE)
    assert row.fingerprint == fingerprint(row.definition) == row.facts["fingerprint"]
    assert (row.category, row.severity) == ("Destructive", "critical")
    assert row.verdict == CURRENT.judge(CURRENT.read(DELETE)).as_json() | {
        key: row.verdict[key] for key in ("evidence", "signals")
    }
    assert (row.classifier, row.slug) == (CURRENT.version, "delete-note")
    assert {"delete", "note", "id", "billing"} <= set(row.words.split())


def test_what_a_second_scan_finds_added_removed_and_changed() -> None:
    store(offer(LIST, DELETE))
    wider = definition("list_invoices", "year", description="Other words")
    server = store(offer(wider, definition("pay_invoice"), day=1))
    assert changes() == [
        ("removed", "delete_note"),
        ("changed", "list_invoices"),
        ("added", "pay_invoice"),
    ]
    change = Change.objects.get(kind=ChangeKind.CHANGED)
    assert change.detail["parameters"] == {"added": ["year"], "removed": ["month"]}
    assert change.detail["fields"] == ["description"]
    assert (change.before_version, change.after_version) == ("1.0", "1.1")
    assert (change.before, change.after) == (
        fingerprint(canonical(LIST)),
        tool("list_invoices").fingerprint,
    )
    assert not tool("delete_note").listed
    assert server.tools_listed == 2
    assert tool("list_invoices").changed_at == BEGIN + timedelta(days=1)


@pytest.mark.parametrize(
    ("new", "fields"),
    [
        ({"annotations": {"readOnlyHint": True}}, ["annotations"]),
        ({"title": "Invoices"}, ["title"]),
        ({"outputSchema": {"type": "object"}}, ["outputSchema"]),
        ({"description": "Does list_invoices!"}, ["description"]),
        ({"inputSchema": {"type": "object", "properties": {"month": {}}}},
         ["parameters.month"]),
    ],
)  # fmt: skip
def test_what_differs_is_named(new: dict[str, Any], fields: list[str]) -> None:
    store(offer(LIST))
    store(offer(LIST | new, day=1))
    assert Change.objects.get().detail["fields"] == fields


def test_another_verdict_is_told_with_the_change() -> None:
    store(offer(LIST, by=classifier("1")), classifier("1"))
    worse = classifier("1", list_invoices="Destructive")
    store(offer(LIST | {"title": "x"}, day=1), worse)
    detail = Change.objects.get().detail
    assert detail["category"] == ["Read", "Destructive"]
    assert detail["severity"] == ["low", "critical"]


def test_nothing_new_is_no_change() -> None:
    store(offer(LIST))
    store(offer(LIST, day=1))
    assert changes() == []
    row = tool("list_invoices")
    assert (row.first_seen, row.last_seen) == (BEGIN, BEGIN + timedelta(days=1))
    assert Scan.objects.count() == 2


def test_a_definition_that_comes_back_keeps_its_first_time() -> None:
    store(offer(LIST, DELETE))
    store(offer(LIST, day=1))
    server = store(offer(LIST, DELETE, day=2))
    row = tool("delete_note")
    assert (row.listed, row.first_seen) == (True, BEGIN)
    assert row.changed_at is None
    assert changes() == [("removed", "delete_note"), ("added", "delete_note")]
    assert server.tools_listed == 2


def test_a_server_that_lists_nothing_any_more() -> None:
    store(offer(LIST))
    server = store(offer(day=1))
    assert (server.tools_listed, server.counts, server.severity) == (0, {}, "low")
    assert changes() == [("removed", "list_invoices")]


def test_names_that_make_one_slug() -> None:
    store(offer(LIST, definition("list-invoices"), definition("List Invoices")))
    store(offer(definition("LIST_INVOICES"), LIST, day=1))
    assert tool("list_invoices").slug == "list-invoices"
    slugs = set(CatalogTool.objects.values_list("slug", flat=True))
    assert slugs == {"list-invoices", *(f"list-invoices-{n}" for n in (2, 3, 4))}


def test_a_tool_whose_slug_is_an_address() -> None:
    """Also where an account's own tools make the names."""
    store(offer(definition("use")))
    page = reverse("catalog:tool", args=["acme-billing-mcp-server", tool("use").slug])
    assert resolve(page).url_name == "tool"


def test_sources_that_make_one_slug() -> None:
    store(offer(LIST))
    other = store(offer(LIST, kind="npm", source="acme-billing-mcp-server"))
    reserved = store(offer(LIST, source="policy"))
    assert (other.slug, reserved.slug) == ("acme-billing-mcp-server-2", "policy-2")
    assert CatalogServer.objects.count() == 3


def test_a_url_is_named_by_host_and_path() -> None:
    url = "https://mcp.example.com/v1/mcp"
    server = store(offer(LIST, kind="url", source=url))
    assert (server.slug, server.name) == ("mcp-example-com-v1-mcp", url[8:])


def test_texts_that_the_database_refuses() -> None:
    odd = definition("a\ud800b"), definition("c", "p\0q"), definition("d\0")
    kept = definition("e", "p", description="zero \0 in text")
    server = store(offer(*odd, kept))
    names = server.listing.order_by("name").values_list("name", flat=True)
    assert list(names) == ["c", "e"]
    [scan] = server.scans.all()
    assert len(scan.problems) == 2


def test_a_failure_is_said_and_what_was_known_stays() -> None:
    server = store(offer(LIST))
    failed("pypi", server.source, "install: no such package")
    failed("pypi", "never-seen", "install: no such package")
    server.refresh_from_db()
    assert server.scan_error == "install: no such package"
    assert (server.tools_listed, CatalogServer.objects.count()) == (1, 1)
    assert store(offer(LIST, day=1)).scan_error == ""


def test_a_new_version_of_the_classifier_judges_all_rows_again() -> None:
    store(offer(LIST, DELETE), classifier("1"))
    newer = classifier("2", delete_note="Destructive")
    assert reclassify(newer) == 2
    row = tool("delete_note")
    assert (row.category, row.classifier, row.verdict["version"]) == (
        "Destructive", "2", "2",
    )  # fmt: skip
    [change] = Change.objects.all()
    assert (change.kind, change.tool) == (ChangeKind.VERDICT, "delete_note")
    assert change.detail == {
        "category": ["Read", "Destructive"],
        "severity": ["low", "critical"],
        "classifier": ["1", "2"],
    }
    server = CatalogServer.objects.get()
    assert (server.severity, server.counts) == (
        "critical",
        {"Read": 1, "Destructive": 1},
    )
    assert reclassify(newer) == 0


def test_facts_are_read_again_where_the_definition_is_known() -> None:
    store(offer(LIST))
    CatalogTool.objects.update(facts={"name": "list_invoices"}, classifier="0")
    reclassify()
    assert tool("list_invoices").facts == CURRENT.read(LIST)
