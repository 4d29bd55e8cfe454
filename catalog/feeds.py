"""What changed in the catalogue, as Atom (RFC 4287): of all servers, and of one.

An entry's id is made of the row and of our host, and never changes; a feed ends after
`MOST` entries, the API's /changes goes on. All text is plain, of one line.
"""

from __future__ import annotations

import datetime as dates
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from catalog import changes_told
from catalog.changes_told import Told
from catalog.found import server_of
from catalog.plain import line, moment
from catalog.public import absolute, public

MEDIA_TYPE = "application/atom+xml; charset=utf-8"
NAMESPACE = "http://www.w3.org/2005/Atom"
MOST = 50
# Of a feed in which nothing happened yet.
BEGINNING = dates.datetime(2026, 1, 1, tzinfo=dates.UTC)
# Of the day on which the host was certainly ours (RFC 4151).
SINCE = "2026-01-01"


class Feed(NamedTuple):
    """`path` is its own, `page` the one that people read."""

    title: str
    path: str
    page: str
    entries: Sequence[Told]


@public
def feed(request: HttpRequest) -> HttpResponse:
    """Of all servers."""
    rows = changes_told.told(list(changes_told.changes()[:MOST]))
    title, page = "Changes in the catalogue", reverse("catalog:list")
    return answer(Feed(title, request.path, page, rows))


@public
def server_feed(request: HttpRequest, server: str) -> HttpResponse:
    row = server_of(server)
    changes = changes_told.changes().filter(server=row)[:MOST]
    rows = changes_told.told(list(changes))
    page = reverse("catalog:server", args=[row.slug])
    return answer(Feed(f"Changes of {line(row.name)}", request.path, page, rows))


def answer(feed: Feed) -> HttpResponse:
    return HttpResponse(written(feed), content_type=MEDIA_TYPE)


def written(feed: Feed) -> str:
    newest = max((told.change.at for told in feed.entries), default=BEGINNING)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="{NAMESPACE}">',
        f"<id>{escape(_tag(feed.path))}</id>",
        f"<title>{_text(feed.title)}</title>",
        f"<updated>{moment(newest)}</updated>",
        "<author><name>PolicyLayer</name></author>",
        _link("self", feed.path, "application/atom+xml"),
        _link("alternate", feed.page, "text/html"),
        *map(_entry, feed.entries),
        "</feed>\n",
    ]
    return "\n".join(lines)


def _entry(told: Told) -> str:
    change = told.change
    parts = [
        f"<id>{escape(_tag(f'/changes/{change.pk}'))}</id>",
        f"<title>{_text(changes_told.title(change))}</title>",
        f"<published>{moment(change.at)}</published>",
        f"<updated>{moment(change.at)}</updated>",
        f"<category term={quoteattr(change.kind)}/>",
        _link("alternate", told.path, "text/html"),
        f"<summary>{_text(changes_told.sentences(change))}</summary>",
    ]
    return f"<entry>{''.join(parts)}</entry>"


def _link(relation: str, path: str, kind: str) -> str:
    return f'<link rel="{relation}" type="{kind}" href={quoteattr(absolute(path))}/>'


def _tag(path: str) -> str:
    """A tag URI (RFC 4151): ours for good, whatever the address becomes."""
    return f"tag:{urlsplit(settings.BASE_URL).hostname},{SINCE}:catalogue{path}"


def _text(words: str) -> str:
    """Of characters that XML 1.0 may hold; controls are shown already."""
    return escape("".join("�" if ord(c) & 0xFFFE == 0xFFFE else c for c in words))
