"""/llms.txt: what is here, for agents that read before they browse (llmstxt.org).

A heading, a summary in a quotation, and lists of links to the Markdown twins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from catalog import found, markdown
from catalog.markdown import bullets, document, link
from catalog.models import CatalogServer
from catalog.plain import plural
from catalog.public import absolute, public

# Enough to begin with; the API has them all.
MOST_SERVERS = 200
SUMMARY = (
    "> What the tools of MCP servers can do, how bad it can get, and why: taken from"
    " what the servers themselves list, judged by a published rubric, with the policy"
    " to start from. PolicyLayer is the gateway that holds every call to such a policy."
)


class Place(NamedTuple):
    name: str
    words: str
    says: str


PAGES = (
    Place("catalog:list_md", "Catalogue", "all servers, with counts by category"),
    Place("catalog:risk_md", "How risk is judged", "categories, severities, evidence"),
    Place("catalog:attacks_md", "Attack patterns", "and the rules that stop them"),
)
DATA = (
    Place("api:catalog:openapi", "OpenAPI 3.1", "all addresses of the read API"),
    Place("api:catalog:servers", "Servers", "JSON, by slug"),
    Place("api:catalog:tools", "Tools", "JSON; q, category, severity, publisher"),
    Place("api:catalog:changes", "Changes", "JSON; since"),
    Place("api:catalog:rubric", "Rubric", "the tables of the classifier"),
    Place("api:catalog:registry_servers", "MCP registry", "API v0.1, with verdicts"),
    Place("catalog:feed", "Changes as Atom", "the newest fifty"),
)


@public
def llms(request: HttpRequest) -> HttpResponse:
    return HttpResponse(written(), content_type="text/plain; charset=utf-8")


def written() -> str:
    rows = found.servers().order_by("-tools_listed", "slug")[:MOST_SERVERS]
    return document(
        "# PolicyLayer\n",
        f"{SUMMARY}\n",
        "Each page has a twin in Markdown: `.md` instead of the last slash, or"
        " `Accept: text/markdown`. Nothing here needs an account or a cookie.\n",
        "## Pages\n",
        bullets(_places(PAGES)),
        "## Data\n",
        bullets(_places(DATA)),
        "## Servers\n",
        bullets(map(server_line, rows)),
    )


def server_line(row: CatalogServer) -> str:
    """`[name](twin): 12 tools, worst: critical`."""
    address = absolute(reverse("catalog:server_md", args=[row.slug]))
    if not row.tools_listed:
        return f"{link(row.name, address)}: no tools listed"
    count = plural(row.tools_listed, "tool")
    return f"{link(row.name, address)}: {count}, worst: {row.severity}"


def _places(places: tuple[Place, ...]) -> Iterator[str]:
    for place in places:
        address = absolute(reverse(place.name))
        yield f"{link(place.words, address)}: {markdown.text(place.says)}"
