"""Sitemaps (sitemaps.org 0.9): an index, and files of at most `SIZE` addresses.

    /sitemap.xml                 names the others, each with its newest change
    /sitemaps/pages.xml          the pages that are one of a kind
    /sitemaps/servers-<n>.xml    servers with ids from (n - 1) * SIZE + 1 to n * SIZE
    /sitemaps/tools-<n>.xml      tools likewise

A file is one range of the primary key: no count and no offset, and an address stays in
its file whatever is added. 5,000 is below the limit of 50,000 because a file is then
answered in the time of a page (70 ms of a million tools on one slow core) at any size
of the catalogue, and needs no job. Which parts there are takes a look at all rows, so
a job takes it every hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from django.core.cache import cache
from django.db.models import BigIntegerField, F, Max, QuerySet
from django.db.models.functions import Cast, Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from catalog import found
from catalog.attacks.patterns import PATTERNS
from catalog.models import CatalogServer, CatalogTool
from catalog.plain import moment
from catalog.public import absolute, public

MEDIA_TYPE = "application/xml"
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
SIZE = 5_000
PAGES = ("catalog:risk", "catalog:attacks", "catalog:compare", "catalog:scan")
PARTS, KEPT_SECONDS = "catalog-sitemap-parts", 3 * 3600
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
# Stands for a slug in the pattern of an address, and is in no address itself.
A, B = "-a-", "-b-"
LARGEST_PART = 2**62 // SIZE


# The name of its address, its number, and its newest change.
Part = tuple[str, int, datetime]


class Entry(NamedTuple):
    """An address, and when what stands there last changed, where that is known."""

    path: str
    changed: datetime | None


@public
def index(request: HttpRequest) -> HttpResponse:
    """From what the job found last; it looks itself where nothing is kept."""
    entries = [Entry(reverse("catalog:sitemap_pages"), None)]
    kept: list[Part] = cache.get(PARTS) or renew()
    entries += [Entry(reverse(name, args=[part]), at) for name, part, at in kept]
    return document("sitemapindex", "sitemap", entries)


def renew() -> list[Part]:
    """Looks at all rows, a second for a million: beat's, every hour."""
    found = [
        (f"catalog:sitemap_{kind}", part, changed)
        for kind, rows in (("servers", servers()), ("tools", tools()))
        for part, changed in parts(rows)
    ]
    cache.set(PARTS, found, timeout=KEPT_SECONDS)
    return found


@public
def pages(request: HttpRequest) -> HttpResponse:
    newest = servers().aggregate(newest=Max("changed"))["newest"]
    single = [Entry(reverse(name), None) for name in PAGES]
    attacks = [
        Entry(reverse("catalog:attack", args=[pattern.slug]), None)
        for pattern in PATTERNS
    ]
    catalogue = Entry(reverse("catalog:list"), newest)
    return document("urlset", "url", [catalogue, *single, *attacks])


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
    """Those of which a page has something to say; the others ask not to be found."""
    rows = found.servers().filter(tools_listed__gt=0)
    return rows.annotate(changed=F("updated_at"))


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
