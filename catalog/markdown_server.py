"""The twin of a server's page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.urls import reverse

from catalog import changes_told, jsonld, server_pages, wording
from catalog.changes_told import Told
from catalog.markdown import bullets, code, document, fence, link, text
from catalog.models import CatalogServer, CatalogTool, Status
from catalog.plain import as_json, day, plural
from catalog.public import absolute
from servers.models import Severity

WORST_FIRST = [*reversed(Severity.values)]
MOST_CHANGES = 20


def written(row: CatalogServer) -> str:
    tools = server_pages.listed(row)
    changes = list(changes_told.changes().filter(server=row)[:MOST_CHANGES])
    return document(
        f"# {text(row.name)}\n",
        f"{counted(row)}\n",
        bullets(about(row)),
        *by_severity(row, tools),
        "## The policy to start from\n",
        "Reads are allowed, writes limited, what runs code or moves money asks a"
        " person, what destroys is hidden, and so is whatever is not named.\n",
        fence(as_json(server_pages.policy(tools), indent=2), "json"),
        "## Changes\n",
        bullets(map(changed, changes_told.told(changes))) or "None yet.\n",
        f"This page for people: <{absolute(jsonld.server_path(row))}>\n",
    )


def counted(row: CatalogServer) -> str:
    counts = [f"{count} {text(name)}" for name, count in row.counts.items() if count]
    if not counts:
        return "No tools are known of this server."
    return f"{plural(row.tools_listed, 'tool')}: {', '.join(counts)}."


def about(row: CatalogServer) -> Iterator[str]:
    yield f"Publisher: {text(row.publisher_name)}"
    yield f"{row.get_source_kind_display()}: {code(row.source)}"
    if row.status == Status.DEPRECATED:
        yield "Its publisher calls it deprecated"
    if row.version:
        yield f"Version: {code(row.version)}"
    if row.tools_listed:
        yield f"Worst severity: {row.severity}"
    if row.scanned_at:
        yield f"Scanned: {day(row.scanned_at)}"
    for words, name in (("Data", "api:catalog:server"), ("Changes as Atom", "feed")):
        place = name if ":" in name else f"catalog:server_{name}"
        yield link(words, absolute(reverse(place, args=[row.slug])))


def by_severity(row: CatalogServer, tools: Sequence[CatalogTool]) -> Iterator[str]:
    for severity in WORST_FIRST:
        those = [tool for tool in tools if tool.severity == severity]
        if those:
            yield f"## Tools: {severity}\n"
            yield bullets(tool_line(row, tool) for tool in those)


def tool_line(server: CatalogServer, tool: CatalogTool) -> str:
    address = absolute(reverse("catalog:tool_md", args=[server.slug, tool.slug]))
    does = text(wording.sentence(tool.name))
    return f"{link(tool.name, address)}: {tool.category}, {tool.severity}. {does}."


def changed(told: Told) -> str:
    change = told.change
    what = f"{change.get_kind_display().lower()}. {changes_told.sentences(change)}"
    return f"{day(change.at)}: {code(change.tool)} {text(what)}"
