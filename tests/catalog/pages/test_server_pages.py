"""A server's page: its counts, its policy, its history, and what is said of its end."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import CatalogServer, CatalogTool, Change, Scan, Status
from policies import document
from tests.catalog.pages.conftest import make_tool
from tests.world import HOSTILE, make_catalog, make_changes

pytestmark = pytest.mark.django_db
CODE = re.compile(r"<pre[^>]*><code>(.*?)</code></pre>", re.S)


def opened(address: str) -> str:
    answer = Client().get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_counts_what_it_can_do(catalogue):
    page = opened("/tools/acme-storage/")
    assert "4 tools as the server itself listed them on" in page
    assert 'aria-label="2 Read, 1 Write, 1 Destructive"' in page
    shelves = re.findall(r'<section class="stack tight" aria-label="(\w+)">', page)
    assert shelves == ["critical", "medium", "low"]


def test_its_policy_is_whole_and_can_be_copied(catalogue):
    page = opened("/tools/acme-storage/")
    shown = unescape(CODE.findall(page)[0])
    answer = Client().get("/tools/acme-storage/policy.json")
    assert answer.content.decode() == shown
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Robots-Tag"] == "noindex"
    name = 'attachment; filename="acme-storage-policy.json"'
    assert answer["Content-Disposition"] == name
    data = document.parse(shown).data
    assert data["default"] == "deny"
    assert data["hide"] == ["delete_bucket"]
    assert set(data["tools"]) == {"list_buckets", "get_bucket_policy", "put_object"}


def test_what_is_doubtful_asks(catalogue):
    tools = CatalogTool.objects.filter(name="list_buckets")
    tool = tools.get()
    tools.update(verdict=tool.verdict | {"doubtful": True})
    answer = Client().get("/tools/acme-storage/policy.json")
    entry = json.loads(answer.content)["tools"]["list_buckets"]
    assert entry["action"] == "require_approval"


def test_what_is_not_listed_any_more_is_in_nothing(catalogue):
    CatalogTool.objects.filter(name="put_object").update(listed=False)
    assert "put_object" not in opened("/tools/acme-storage/")
    assert b"put_object" not in Client().get("/tools/acme-storage/policy.json").content


def test_how_it_was_asked_is_said(acme):
    make_catalog(acme)
    page = opened("/tools/hostile-mcp-server/")
    for said in ("stdio", "2025-06-18", "unprivileged user, no credentials", "1.0.0"):
        assert said in page
    assert "1 problem" in page


def test_a_server_that_was_never_asked_says_so(catalogue):
    CatalogServer.objects.create(
        slug="new", name="New", publisher="p", source_kind="npm", source="new"
    )
    page = opened("/tools/new/")
    assert "It has not been asked for its tools yet." in page
    assert '<meta name="robots" content="noindex,follow">' in page


def test_its_end_is_said_plainly(catalogue):
    CatalogServer.objects.filter(slug="acme-compute").update(status=Status.DEPRECATED)
    assert "calls this server deprecated" in opened("/tools/acme-compute/")
    CatalogServer.objects.filter(slug="acme-compute").update(status=Status.DELETED)
    for address in ("", "policy.json", "list-instances/"):
        answer = Client().get(f"/tools/acme-compute/{address}")
        assert answer.status_code == 410
        assert b"deleted by its publisher" in answer.content
        assert b"list_instances" not in answer.content


@pytest.mark.parametrize(
    "address",
    ["/tools/none/", "/tools/none/policy.json", "/tools/acme-storage/none/"],
)
def test_what_is_unknown_is_not_found(catalogue, address):
    assert Client().get(address).status_code == 404


def test_history_is_there_with_versions(catalogue):
    server = catalogue["acme-storage"]
    make_changes(server)
    Scan.objects.create(server=server, version="0.9", transport="stdio", tools=3)
    Scan.objects.create(server=server, version="1.2.3", transport="stdio", tools=4)
    page = opened("/tools/acme-storage/")
    for said in ("Added", "Removed", "Changed", "New verdict", "0.9, 3 tools"):
        assert said in page.replace("</bdi>", "")
    assert page.count("before: 0.9.0") == Change.objects.count() == 4


def test_queries_do_not_grow_with_tools(catalogue):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            opened("/tools/acme-storage/")
        return len(queries)

    server = catalogue["acme-storage"]
    make_changes(server)
    before = asked()
    CatalogTool.objects.bulk_create(
        make_tool(server, f"get_{n}", "Read", "low") for n in range(300)
    )
    assert asked() == before == 5


def test_names_of_strangers_stay_names(acme):
    make_catalog(acme)
    page = opened("/tools/hostile-mcp-server/")
    assert "<script>alert" not in page
    assert "\u202e" not in re.sub(r'data-text="[^"]*"', "", page)
    answer = Client().get("/tools/hostile-mcp-server/policy.json")
    assert document.parse(answer.content.decode()).data["hide"] == [HOSTILE]


def test_what_is_invisible_in_a_name_is_seen_and_exact(catalogue):
    name = "delete\u202e_\U000e0041ll\u200b"
    tool = make_tool(catalogue["blue-pay"], name, "Read", "low")
    tool.save()
    page = opened("/tools/blue-pay/")
    shown = unescape(CODE.findall(page)[0])
    assert "delete\\u202e_\\udb40\\udc41ll\\u200b" in shown
    assert name in document.parse(shown).data["tools"]
