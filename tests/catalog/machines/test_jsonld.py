"""Structured data: what it says stands on the page, and nothing in it ends it."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from catalog import jsonld
from catalog.models import CatalogServer, CatalogTool
from tests.catalog.machines import places

pytestmark = pytest.mark.django_db
SCRIPT = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
PATHS = {
    "/tools/": {"Dataset", "ItemList"},
    "/tools/acme-storage/": {"SoftwareApplication", "BreadcrumbList", "ItemList"},
    "/tools/acme-storage/put-object/": {"TechArticle", "BreadcrumbList", "FAQPage"},
    "/risk/": {"TechArticle"},
    "/attacks/": {"ItemList"},
    "/attacks/tool-poisoning/": {"TechArticle", "BreadcrumbList"},
}
# Of which search engines would make stars and prices: nobody gave us any.
INVENTED = ("aggregateRating", "review", "offers", "ratingValue", "price")
OTHERS = re.compile(r"https://(schema\.org|www\.apache\.org/licenses)/?")


def graph(path: str) -> dict[str, dict[str, Any]]:
    """By type. There is one block a page."""
    page = Client().get(path).content.decode()
    blocks = SCRIPT.findall(page)
    assert len(blocks) == 1 == page.count("ld+json"), path
    told = json.loads(blocks[0])
    assert told["@context"] == "https://schema.org"
    return {thing["@type"]: thing for thing in told["@graph"]}


def shown(path: str) -> str:
    """The text of the page, without its markup and the data."""
    page = SCRIPT.sub("", Client().get(path).content.decode())
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())


def strings(value: object):
    if isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize(("path", "types"), PATHS.items())
def test_each_page_says_what_it_is(path, types, tidy):
    found = graph(path)
    assert set(found) == types
    assert not [word for word in INVENTED if word in json.dumps(found)]
    for address in strings(found):
        if address.startswith("http") and not OTHERS.match(address):
            assert address.startswith("http://127.0.0.1:8000/")


def test_the_questions_are_those_of_the_page(hostile):
    for row in CatalogTool.objects.all():
        path = f"/tools/{places.SERVER}/{row.slug}/"
        pairs, text = graph(path)["FAQPage"]["mainEntity"], shown(path)
        assert len(pairs) == 6
        for pair in pairs:
            assert pair["name"] in text, path
            assert pair["acceptedAnswer"]["text"] in text, path


def test_names_are_as_the_page_shows_them(hostile):
    for path in (f"/tools/{places.SERVER}/", f"/tools/{places.SERVER}/{hostile.slug}/"):
        text, found = shown(path), graph(path)
        for crumb in found["BreadcrumbList"]["itemListElement"]:
            assert crumb["name"] in text
    article = found["TechArticle"]
    assert article["headline"] in text and article["description"] in text


def test_descriptions_stand_on_the_page(tidy):
    for path in ("/risk/", "/attacks/tool-poisoning/"):
        article, text = graph(path)["TechArticle"], shown(path)
        assert article["headline"] in text and article["description"] in text


def test_packages_have_their_url(tidy):
    CatalogServer.objects.filter(pk=tidy.pk).update(
        source_kind="npm", source="@acme/storage"
    )
    found = graph("/tools/acme-storage/")["SoftwareApplication"]
    assert found["identifier"] == "pkg:npm/%40acme/storage"


def test_a_list_is_the_page_s(tidy):
    items = graph("/tools/acme-storage/")["ItemList"]
    assert items["numberOfItems"] == 4 == len(items["itemListElement"])
    assert [each["position"] for each in items["itemListElement"]] == [1, 2, 3, 4]
    for each in items["itemListElement"]:
        path = each["url"].removeprefix("http://127.0.0.1:8000")
        assert Client().get(path).status_code == 200


def test_a_filtered_list_says_nothing(tidy):
    page = Client().get("/tools/?category=Read").content.decode()
    assert "ld+json" not in page
    assert '<meta name="robots" content="noindex,follow">' in page
    assert '<link rel="canonical" href="http://127.0.0.1:8000/tools/">' in page


def test_nothing_ends_the_element():
    hostile = "</script><!--<script>]]>\u2028"
    written = jsonld.script(jsonld.listing(hostile, [jsonld.Crumb(hostile, "/x")]))
    inside = written.removeprefix('<script type="application/ld+json">')
    inside = inside.removesuffix("</script>")
    assert "<" not in inside and inside.isascii()
    assert json.loads(inside)["@graph"][0]["name"] == "</script><!--<script>]]>‹U+2028›"


def test_the_policy_of_the_page_lets_it_stand(tidy):
    """Data is not run, so no source of scripts has to be opened for it."""
    policy = Client().get("/tools/acme-storage/")["Content-Security-Policy"]
    assert "script-src 'self';" in f"{policy};" and "unsafe-inline" not in policy
