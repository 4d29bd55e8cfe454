"""What a page holds, for search engines: schema.org, as JSON-LD.

    {{ things|jsonld }}      in the block of the same name

It says what the page shows and nothing else: no ratings, no prices, no sentences that
a reader does not find there. A block of `application/ld+json` is data, which a
Content-Security-Policy does not run and lets stand; `<` is written so that none of it
can end the element.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from catalog.models import CatalogServer, CatalogTool, Source
from catalog.plain import as_json, line, moment, plural
from catalog.public import absolute

CONTEXT = "https://schema.org"
US = {"@type": "Organization", "name": "PolicyLayer"}

Thing = dict[str, Any]


class Crumb(NamedTuple):
    name: str
    path: str


def script(*things: Thing) -> SafeString:
    graph = as_json({"@context": CONTEXT, "@graph": [*things]})
    return mark_safe(f'<script type="application/ld+json">{graph}</script>')  # noqa: S308


def crumbs(*places: Crumb) -> Thing:
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": number,
                "name": line(place.name),
                "item": absolute(place.path),
            }
            for number, place in enumerate(places, 1)
        ],
    }


def listing(name: str, places: Iterable[Crumb]) -> Thing:
    """An ItemList of what the page lists, in its order."""
    items = [
        {
            "@type": "ListItem",
            "position": number,
            "name": line(place.name),
            "url": absolute(place.path),
        }
        for number, place in enumerate(places, 1)
    ]
    return {
        "@type": "ItemList",
        "name": line(name),
        "numberOfItems": len(items),
        "itemListElement": items,
    }


def server(row: CatalogServer) -> Thing:
    """A SoftwareApplication; others of the graph refer to it by `@id`."""
    address = absolute(server_path(row))
    software: Thing = {
        "@type": "SoftwareApplication",
        "@id": f"{address}#server",
        "name": line(row.name),
        "url": address,
        "applicationCategory": "DeveloperApplication",
        "applicationSubCategory": "MCP server",
        "identifier": _identifier(row),
        "dateModified": moment(row.updated_at),
    }
    if row.version:
        software["softwareVersion"] = line(row.version)
    return software


def tool(row: CatalogTool, headline: str, description: str) -> Thing:
    """A TechArticle on one tool. `headline` and `description` stand on the page."""
    return article(tool_path(row), headline, description) | {
        "datePublished": moment(row.first_seen),
        "dateModified": moment(row.changed_at or row.first_seen),
        "about": server(row.server),
    }


def article(path: str, headline: str, description: str) -> Thing:
    address = absolute(path)
    return {
        "@type": "TechArticle",
        "@id": f"{address}#article",
        "headline": line(headline),
        "description": line(description),
        "url": address,
        "mainEntityOfPage": address,
        "inLanguage": "en",
        "author": US,
        "publisher": US,
    }


def questions(pairs: Iterable[tuple[str, str]]) -> Thing:
    """A FAQPage: the very questions and answers that the page shows, as plain text."""
    return {
        "@type": "FAQPage",
        "mainEntity": [
            {
                "@type": "Question",
                "name": line(question),
                "acceptedAnswer": {"@type": "Answer", "text": line(answer)},
            }
            for question, answer in pairs
        ],
    }


def dataset(servers: int, tools: int) -> Thing:
    """The catalogue as a whole, and where machines get it."""
    return {
        "@type": "Dataset",
        "@id": f"{absolute(reverse('catalog:list'))}#dataset",
        "name": "What the tools of MCP servers can do",
        "description": (
            f"{plural(tools, 'tool')} of {plural(servers, 'MCP server')}, as the"
            " servers themselves list them: category, severity, confidence and the"
            " evidence for each verdict, by a published rubric."
        ),
        "url": absolute(reverse("catalog:list")),
        "creator": US,
        "isAccessibleForFree": True,
        "license": "https://www.apache.org/licenses/LICENSE-2.0",
        "distribution": [
            _download("application/json", "api:catalog:servers"),
            _download("application/json", "api:catalog:tools"),
            _download("application/atom+xml", "catalog:feed"),
        ],
    }


def server_crumbs(row: CatalogServer) -> list[Crumb]:
    catalogue = Crumb("Catalogue", reverse("catalog:list"))
    return [catalogue, Crumb(row.name, server_path(row))]


def tool_crumbs(row: CatalogTool) -> list[Crumb]:
    return [*server_crumbs(row.server), Crumb(row.name, tool_path(row))]


def tools_of(row: CatalogServer, rows: Sequence[CatalogTool]) -> Thing:
    places = [Crumb(each.name, _path(row.slug, each.slug)) for each in rows]
    return listing(f"Tools of {row.name}", places)


def server_path(row: CatalogServer) -> str:
    return reverse("catalog:server", args=[row.slug])


def tool_path(row: CatalogTool) -> str:
    return _path(row.server.slug, row.slug)


def _path(server: str, tool: str) -> str:
    return reverse("catalog:tool", args=[server, tool])


def _identifier(row: CatalogServer) -> str:
    """The package's URL (purl), or the address."""
    source = line(row.source)
    if row.source_kind == Source.URL:
        return source
    return f"pkg:{row.source_kind}/{source.replace('@', '%40')}"


def _download(kind: str, name: str) -> Thing:
    return {
        "@type": "DataDownload",
        "encodingFormat": kind,
        "contentUrl": absolute(reverse(name)),
    }
