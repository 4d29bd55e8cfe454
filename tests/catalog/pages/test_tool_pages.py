"""A tool's page: everything of its anatomy, and nothing that contradicts itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import CatalogServer, CatalogTool, Change, Dispute
from policies import document
from servers.models import Category
from tests.catalog.pages.conftest import make_tool
from tests.world import CATALOGUE, make_catalog

pytestmark = pytest.mark.django_db
CODE = re.compile(r"<pre[^>]*><code>(.*?)</code></pre>", re.S)
H2 = re.compile(r"<h2[^>]*>(.*?)</h2>", re.S)
TAGS = re.compile(r"<[^>]+>")
# Category: severity, what the policy does, the button's words.
PAGES = {
    "list_buckets": ("low", {"tools": {"list_buckets": {}}}, "Cap this tool"),
    "put_object": ("medium", 30, "Rate-limit this tool"),
    "run_query": ("high", 10, "Rate-limit this tool"),
    "create_refund": ("critical", "require_approval", "Gate this tool"),
    "ping": ("low", 60, "Set a rule for this tool"),
}


def opened(server: str, tool: str) -> str:
    answer = Client().get(f"/tools/{server}/{tool}/")
    assert answer.status_code == 200
    return answer.content.decode()


def policy(page: str) -> Mapping[str, Any]:
    return document.parse(unescape(CODE.findall(page)[0])).data


def text(page: str) -> str:
    return " ".join(unescape(TAGS.sub(" ", page)).split())


def test_everything_is_there_from_top_to_bottom(catalogue):
    page = opened("acme-storage", "list-buckets")
    found = [text(each) for each in H2.findall(page.split("<main")[1])]
    assert found[:8] == [
        "What it does",
        "Why it needs a policy",
        "Evidence from its definition",
        "Documented attack patterns",
        "How to control list_buckets",
        "Related tools and policies",
        "Others of this server",
        "Go deeper",
    ]
    assert found[8:10] == ["Questions", "One policy for all of Acme Storage"]
    assert page.count("<h1") == 1
    said = text(page)
    for each in (
        "Lists buckets , on Acme Storage",
        "Free to start. No card required.",
        "All 4 tools of this server",
        "9 tools of 3 servers are in the catalogue",
        "Cap this tool",
    ):
        assert each in said
    assert page.count("<h3>") >= 6
    assert 'href="#control"' in page and 'id="control"' in page


@pytest.mark.parametrize("category", Category.values)
def test_severity_and_category_agree_everywhere(catalogue, category):
    """Whatever the severity: the one that the verdict has is the only one named."""
    server = catalogue["acme-storage"]
    tool = make_tool(server, "frob_it", category, "high")
    tool.save()
    page = opened("acme-storage", "frob-it")
    said = text(page.split("<main")[1])
    assert "It is rated high ." in said
    assert "High. The classifier is 95% sure of the category " + category in said
    usual = {"Execute": "High is what Execute tools are by themselves."}
    assert usual.get(category, "what stands below makes this one high.") in said


@pytest.mark.parametrize("name", PAGES)
def test_the_policy_is_the_one_of_its_category(acme, name):
    make_catalog(acme)
    severity, wanted, action = PAGES[name]
    page = opened("hostile-mcp-server", name.replace("_", "-"))
    data = policy(page)
    assert data["default"] == "deny"
    entry = data["tools"][name]
    if isinstance(wanted, int):
        assert entry["limits"][0]["max"] == wanted
        assert f"up to {wanted} times a minute" in text(page)
    elif isinstance(wanted, str):
        assert entry["action"] == wanted
    else:
        assert {"tools": data["tools"]} == wanted
    assert action in page and f"It is rated {severity} ." in text(page)


def test_names_of_strangers_stay_names(acme):
    tool = make_catalog(acme)
    page = opened("hostile-mcp-server", tool.slug)
    assert "<script>alert" not in page
    assert "\u202e" not in re.sub(r'data-text="[^"]*"', "", page)
    assert "&amp;lt;" not in page  # escaped twice
    assert policy(page)["hide"] == [tool.name]


def test_a_name_too_long_for_a_policy_says_so(catalogue):
    tool = make_tool(catalogue["blue-pay"], "x" * 129, "Read", "low")
    tool.save()
    page = opened("blue-pay", tool.slug)
    assert "longer than the 128 characters" in page
    assert not CODE.findall(page)


def test_doubt_is_said(acme):
    make_catalog(acme)
    said = text(opened("hostile-mcp-server", "manage-things"))
    assert "The classifier is 41% sure, which is less than 60%." in said
    assert "a drafted policy asks a person" in said
    assert "drafted policy" not in text(opened("hostile-mcp-server", "ping"))


def test_disputes_are_shown(acme, other):
    tool = make_catalog(acme)
    page = opened("hostile-mcp-server", tool.slug)
    assert "1 open dispute of this verdict." in page and "Disputed" in page
    Dispute.objects.across_organizations().update(state="rejected")
    page = opened("hostile-mcp-server", tool.slug)
    assert "1 rejected." in page and "Disputed" not in page
    # Of another definition: its verdict was another one.
    Dispute.objects.across_organizations().update(fingerprint="9" * 64)
    assert "rejected" not in opened("hostile-mcp-server", tool.slug)


def test_earlier_verdicts_are_shown(acme):
    tool = make_catalog(acme)
    page = text(opened("hostile-mcp-server", tool.slug))
    assert "Execute → Destructive , high → critical" in page
    assert Change.objects.filter(kind="verdict").count() == 1
    assert "Earlier verdicts" not in opened("hostile-mcp-server", "ping")


def test_related_tools_are_of_other_servers(catalogue):
    page = opened("acme-storage", "list-buckets")
    elsewhere, own = page.split("Related tools and policies")[1].split("Others of")
    assert "list_instances" in elsewhere and "list_buckets" not in elsewhere
    assert "Acme Compute" in elsewhere
    assert "get_bucket_policy" in own and "list_instances" not in own


def test_who_does_not_list_it_any_more_has_no_page(catalogue):
    CatalogTool.objects.filter(name="list_buckets").update(listed=False)
    assert Client().get("/tools/acme-storage/list-buckets/").status_code == 404


def test_queries_are_few(catalogue):
    with CaptureQueriesContext(connection) as asked:
        opened("acme-storage", "list-buckets")
    assert len(asked) == 9, [each["sql"][:150] for each in asked]


def test_all_of_the_world_have_pages(catalogue, acme):
    CatalogServer.objects.all().delete()
    make_catalog(acme)
    for tool in CatalogTool.objects.all():
        assert text(opened("hostile-mcp-server", tool.slug))
    assert len(CATALOGUE) == CatalogTool.objects.count()
