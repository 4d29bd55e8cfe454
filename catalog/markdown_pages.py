"""Twins in Markdown of the public pages, for agents: `/tools.md`, `/tools/<server>.md`.

The same is answered at a page's own address to whoever prefers `text/markdown`:
`catalog/twins.py`.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from catalog import (
    found,
    jsonld,
    llms,
    markdown_guides,
    markdown_server,
    markdown_tool,
    questions,
    server_lists,
    tool_lists,
)
from catalog.attacks import patterns
from catalog.markdown import bullets, document, link
from catalog.plain import plural
from catalog.public import absolute, public
from catalog.vocabulary import understand

MEDIA_TYPE = "text/markdown; charset=utf-8"


def answer(text: str, page: str) -> HttpResponse:
    """`page` is the address of the one for people: search engines show that."""
    canonical = {"Link": f'<{absolute(page)}>; rel="canonical"'}
    return HttpResponse(text, content_type=MEDIA_TYPE, headers=canonical)


@public
def list_tools(request: HttpRequest) -> HttpResponse:
    """As the index: what is asked for, a page of it, and where the next one is."""
    question = questions.read(request.GET)
    meanings = understand(question.words)
    if question.kind == "tools":
        tools = tool_lists.find(question, meanings)
        lines = [markdown_server.tool_line(row.server, row) for row in tools.rows]
        following = tools.next
    else:
        servers = server_lists.find(question, meanings)
        lines = [llms.server_line(row) for row in servers.rows]
        following = servers.next
    totals = server_lists.totals()
    there = reverse("catalog:list_md")
    return answer(
        page=reverse("catalog:list"),
        text=document(
            "# The catalogue\n",
            f"{plural(totals['tools'], 'tool')} of"
            f" {plural(totals['servers'], 'MCP server')}, as the servers list them."
            " Search by `?q=`, `category`, `severity`, `publisher`; `show=tools`.\n",
            bullets(lines) or "Nothing was found.\n",
            f"{link('Next page', absolute(there) + following)}\n" if following else "",
        ),
    )


@public
def server(request: HttpRequest, server: str) -> HttpResponse:
    row = found.server_of(server)
    return answer(markdown_server.written(row), jsonld.server_path(row))


@public
def tool(request: HttpRequest, server: str, tool: str) -> HttpResponse:
    row = found.tool_of(server, tool)
    return answer(markdown_tool.written(row), jsonld.tool_path(row))


@public
def risk(request: HttpRequest) -> HttpResponse:
    return answer(markdown_guides.risk(), reverse("catalog:risk"))


@public
def attacks(request: HttpRequest) -> HttpResponse:
    return answer(markdown_guides.attacks(), reverse("catalog:attacks"))


@public
def attack(request: HttpRequest, slug: str) -> HttpResponse:
    pattern = patterns.find(slug)
    if pattern is None:
        raise Http404
    page = reverse("catalog:attack", args=[slug])
    return answer(markdown_guides.attack(pattern), page)
