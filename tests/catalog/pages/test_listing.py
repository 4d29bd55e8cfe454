"""The index: what is found, what is counted, page by page."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from catalog.models import CatalogServer, CatalogTool, Status
from tests.catalog.pages.listed import NEXT, SERVER, TAB, TOOL, facets, opened, tools

pytestmark = pytest.mark.django_db


def test_it_begins_with_the_servers(catalogue):
    page = opened()
    assert SERVER.findall(page) == ["acme-storage", "acme-compute", "blue-pay"]
    assert "9 tools of 3 servers" in page
    assert dict(TAB.findall(page)) == {"Servers": "3", "Tools": "9"}
    assert facets(page) == {
        "Read": "3",
        "Write": "1",
        "Execute": "1",
        "Destructive": "2",
        "Financial": "1",
        "critical": "3",
        "high": "1",
        "medium": "1",
        "low": "3",
        "Acme": "2",
        "Blue": "1",
    }


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("bucket", {"list-buckets", "get-bucket-policy", "delete-bucket"}),
        ("buckets", {"list-buckets", "get-bucket-policy", "delete-bucket"}),
        ("delete bucket", {"delete-bucket"}),
        ("Delete-Bucket", {"delete-bucket"}),
        ("listpayments", {"listpayments"}),
        ("payments list", {"listpayments"}),
        ("buc", {"list-buckets", "get-bucket-policy", "delete-bucket"}),
        ("bukcet policy", {"get-bucket-policy"}),
        ("terminaet", {"terminate-instances"}),
        ("instanecs run", {"run-instances"}),
        ("xyzzy", set()),
        ("bucket xyzzy", set()),
        ("=c:Read", set()),
        ("'); DROP TABLE catalog_word; --", set()),
        ("!!! | & ()", None),
    ],
)
def test_what_is_typed_finds(catalogue, typed, found):
    page = opened(q=typed, show="tools")
    every = {tool for _, tool in TOOL.findall(opened(show="tools"))}
    assert set(tools(page)) == (every if found is None else found)


def test_a_misspelling_is_said(catalogue):
    page = opened(q="bukcet")
    assert "Nothing is called <bdi>bukcet</bdi>" in page
    assert "<bdi>bucket</bdi>" in page
    assert "Nothing is called" not in opened(q="bucket")


def test_the_best_match_comes_first(catalogue):
    server = catalogue["acme-compute"]
    from tests.catalog.pages.conftest import make_tool

    named = make_tool(server, "instances", "Read", "low")
    other = make_tool(server, "a_tool", "Read", "low")
    other.words += " instances"
    CatalogTool.objects.bulk_create([named, other])
    found = tools(opened(q="instances"))
    assert (found[0], found[-1]) == ("instances", "a-tool")


def test_filters_leave_what_they_say(catalogue):
    page = opened(category="Read", publisher="acme", show="tools")
    assert set(tools(page)) == {"list-buckets", "get-bucket-policy", "list-instances"}
    counted = facets(page)
    # Each facet counts without its own filter.
    assert (counted["Read"], counted["Write"], counted["Destructive"]) == (
        "3",
        "1",
        "2",
    )
    assert (counted["Acme"], counted["Blue"]) == ("3", "1")
    assert counted["low"] == "3" and "critical" not in counted


def test_servers_are_filtered_by_what_they_have(catalogue):
    page = opened(category="Destructive", show="servers")
    assert SERVER.findall(page) == ["acme-storage", "acme-compute"]
    page = opened(category="Destructive", severity="medium", show="servers")
    assert SERVER.findall(page) == ["acme-storage"]
    assert SERVER.findall(opened(q="pay", show="servers")) == ["blue-pay"]


def test_servers_of_a_name_stand_beside_tools(catalogue):
    page = opened(q="storage")
    assert 'href="/tools/acme-storage/">' in page.split('class="beside"')[1]


def test_a_ranked_list_page_by_page(catalogue):
    from tests.catalog.pages.conftest import make_server

    make_server("paged", "paged", [(f"fetch_{n}", "Read", "low") for n in range(70)])
    page, sizes, found = opened(q="fetch"), [], []
    while True:
        sizes.append(len(tools(page)))
        found += tools(page)
        following = NEXT.search(page)
        if not following:
            break
        page = opened(unescape(following[1]))
    assert sizes == [30, 30, 10]
    assert len(set(found)) == 70


def test_servers_page_by_page(catalogue):
    CatalogServer.objects.bulk_create(
        CatalogServer(
            slug=f"s{n}",
            name=f"S {n}",
            publisher="p",
            publisher_name="P",
            source_kind="npm",
            source=f"s{n}",
            tools_listed=n % 3,
        )
        for n in range(65)
    )
    page, found = opened(), []
    while True:
        found += SERVER.findall(page)
        following = NEXT.search(page)
        if not following:
            break
        page = opened(unescape(following[1]))
    assert len(found) == len(set(found)) == 68


@pytest.mark.parametrize(
    "after",
    ["x", "!", "W10", "bnVsbA", "WzEsIlx1MDAwMCIsMV0", "[" * 3000, "WzFlOTksIiIsMV0"],
)
def test_a_place_that_is_none_is_the_beginning(catalogue, after):
    for show in ("tools", "servers"):
        assert opened(after=after, show=show).count("listed-name") > 2


def test_filtered_pages_are_not_for_search_engines(catalogue):
    plain, filtered = opened(), opened(category="Read")
    canonical = '<link rel="canonical" href="http://127.0.0.1:8000/tools/">'
    assert canonical in plain and canonical in filtered
    assert "noindex" not in plain
    assert '<meta name="robots" content="noindex,follow">' in filtered


def test_what_is_not_listed_is_not_found(catalogue):
    CatalogTool.objects.filter(name="delete_bucket").update(listed=False)
    assert "delete-bucket" not in tools(opened(q="bucket"))
    CatalogServer.objects.filter(slug="blue-pay").update(status=Status.DELETED)
    assert "blue-pay" not in opened()
    assert tools(opened(q="refund")) == []


def test_an_empty_catalogue_says_so(catalogue):
    CatalogServer.objects.all().delete()
    assert "No servers yet" in opened()
    assert "Nothing found" in opened(q="x")


def test_each_page_may_be_kept_by_caches(catalogue, alice):
    """Through the real middleware: one page for whoever asks, and 304 after it."""
    known = Client()
    known.force_login(alice.user)
    for address in (
        *("/tools/", "/tools/?q=bucket", "/tools/acme-storage/"),
        *("/tools/acme-storage/policy.json", "/tools/acme-storage/list-buckets/"),
    ):
        theirs, ours = Client().get(address), known.get(address)
        assert theirs.content == ours.content, address
        assert "public" in theirs["Cache-Control"]
        assert "Cookie" not in ours.get("Vary", "") and not ours.cookies
        again = known.get(address, headers={"If-None-Match": theirs["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
