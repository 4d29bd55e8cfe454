"""Sitemaps (sitemaps.org 0.9): an index, and files of at most `SIZE` addresses.

    /sitemap.xml                 names the others, each with its newest change
    /sitemaps/pages.xml          the pages that are one of a kind
    /sitemaps/servers-<n>.xml    servers with ids from (n - 1) * SIZE + 1 to n * SIZE
    /sitemaps/tools-<n>.xml      tools likewise

A file is one range of the primary key: no count and no offset, and an address stays in
its file whatever is added. 5,000 is below the limit of 50,000 because a file is then
answered in the time of any page, at any size of the catalogue, and needs no job.
`benchmarks/catalog_sitemaps.py` measures it with a million tools.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from django.db.models import BigIntegerField, F, Max, QuerySet
from django.db.models.functions import Cast, Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from catalog import found
from catalog.models import CatalogServer, CatalogTool
from catalog.plain import moment
from catalog.public import absolute, public

MEDIA_TYPE = "application/xml"
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
SIZE = 5_000
INDEX = "catalog:list"
PAGES = (INDEX,)
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
# Stands for a slug in the pattern of an address, and is in no address itself.
A, B = "-a-", "-b-"
LARGEST_PART = 2**62 // SIZE


class Entry(NamedTuple):
    """An address, and when what stands there last changed, where that is known."""

    path: str
    changed: datetime | None


@public
def index(request: HttpRequest) -> HttpResponse:
    entries = [Entry(reverse("catalog:sitemap_pages"), None)]
    for kind, rows in (("servers", servers()), ("tools", tools())):
        name = f"catalog:sitemap_{kind}"
        entries += [
            Entry(reverse(name, args=[part]), changed) for part, changed in parts(rows)
        ]
    return document("sitemapindex", "sitemap", entries)


@public
def pages(request: HttpRequest) -> HttpResponse:
    newest = servers().aggregate(newest=Max("changed"))["newest"]
    entries = [Entry(reverse(name), None) for name in PAGES if name != INDEX]
    return document("urlset", "url", [Entry(reverse(INDEX), newest), *entries])


@public
def server_pages(request: HttpRequest, server_part: int) -> HttpResponse:
    rows = within(servers(), server_part).values_list("slug", "changed")
    address = pattern("catalog:server", A)
    entries = (Entry(address.replace(A, slug), at) for slug, at in rows)
    return part_of(entries)


@public
def tool_pages(request: HttpRequest, tool_part: int) -> HttpResponse:
    rows = within(tools(), tool_part).values_list("server__slug", "slug", "changed")
    address = pattern("catalog:tool", A, B)
    entries = (
        Entry(address.replace(A, server).replace(B, tool), at)
        for server, tool, at in rows
    )
    return part_of(entries)


def servers() -> QuerySet[CatalogServer, Any]:
    return found.servers().annotate(changed=F("updated_at"))


def tools() -> QuerySet[CatalogTool, Any]:
    return found.tools().annotate(changed=Coalesce("changed_at", "first_seen"))


def parts(rows: QuerySet[Any, Any]) -> Iterator[tuple[int, datetime]]:
    """The number of each part that has something in it, and its newest change."""
    number = Cast((F("pk") - 1) / SIZE, BigIntegerField())
    by_part = rows.annotate(part=number).values("part").order_by("part")
    for each in by_part.annotate(newest=Max("changed")):
        yield each["part"] + 1, each["newest"]


def within(rows: QuerySet[Any, Any], part: int) -> QuerySet[Any, Any]:
    if not 0 < part <= LARGEST_PART:
        raise Http404
    first = (part - 1) * SIZE + 1
    return rows.filter(pk__gte=first, pk__lt=first + SIZE).order_by("pk")


def pattern(name: str, *slugs: str) -> str:
    """The address once, as making it takes longer than filling it in."""
    return reverse(name, args=slugs)


def part_of(entries: Iterable[Entry]) -> HttpResponse:
    """Http404 where nothing is in it: a file names one address at least."""
    listed = list(entries)
    if not listed:
        raise Http404
    return document("urlset", "url", listed)


def document(root: str, element: str, entries: Iterable[Entry]) -> HttpResponse:
    lines = (_entry(element, entry) for entry in entries)
    text = f'{DECLARATION}<{root} xmlns="{NAMESPACE}">\n{"".join(lines)}</{root}>\n'
    return HttpResponse(text, content_type=MEDIA_TYPE)


def _entry(element: str, entry: Entry) -> str:
    place = escape(absolute(entry.path))
    changed = f"<lastmod>{moment(entry.changed)}</lastmod>" if entry.changed else ""
    return f"<{element}><loc>{place}</loc>{changed}</{element}>\n"
