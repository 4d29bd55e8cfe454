"""The twin of a tool's page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.urls import reverse

from catalog import jsonld, tool_pages, wording
from catalog.markdown import bullets, code, document, fence, link, text
from catalog.models import CatalogTool
from catalog.plain import as_json, day, plural
from catalog.public import absolute


def written(row: CatalogTool) -> str:
    """`row` comes with its server."""
    page = absolute(jsonld.tool_path(row))
    return document(
        f"# {text(row.name)}\n",
        bullets(about(row)),
        "## What it does\n",
        f"{said(row)}\n",
        "## Why\n",
        bullets(reasons(row.verdict)) or "Nothing in its definition speaks for more.\n",
        "## Parameters\n",
        bullets(parameters(row.facts)) or "It takes none.\n",
        "## The policy for this tool alone\n",
        *policy(row),
        f"This page for people: <{page}>\n",
    )


def about(row: CatalogTool) -> Iterator[str]:
    server = absolute(reverse("catalog:server_md", args=[row.server.slug]))
    yield f"Server: {link(row.server.name, server)}"
    yield f"Category: {row.category}"
    yield f"Severity: {row.severity}"
    yield f"Confidence: {row.confidence:.2f}{doubt(row.verdict)}"
    yield f"Definition: sha256 {code(row.fingerprint)}"
    yield f"First seen {day(row.first_seen)}, last seen {day(row.last_seen)}"
    yield f"Classifier: {text(row.classifier)}"


def policy(row: CatalogTool) -> Iterator[str]:
    """Written anew, as the page's text may hold what is invisible."""
    text = tool_pages.policy(row)
    if text:
        yield (
            "All other tools of the server stay denied. Paste it into the policy of"
            " this server and publish.\n"
        )
        yield fence(as_json(json.loads(text), indent=2), "json")
    else:
        yield "Its name is too long for a policy to name: `default: deny` holds it.\n"


def doubt(verdict: Mapping[str, Any]) -> str:
    return ", so a person should look" if verdict.get("doubtful") else ""


def said(row: CatalogTool) -> str:
    found = wording.worded(row.name, row.facts)
    needs = ", ".join(map(code, found.needs))
    more = f" and {found.more} more" if found.more else ""
    required = f" It needs {needs}{more}." if needs else ""
    takes = f" It may be given {plural(found.takes, 'parameter')} more."
    return f"{text(found.sentence)}.{required}{takes if found.takes else ''}"


def reasons(verdict: Mapping[str, Any]) -> Iterator[str]:
    for each in verdict.get("evidence", []):
        words = ", ".join(code(word) for word in each.get("words", []))
        where = f"{code(each.get('field', ''))}{f': {words}' if words else ''}"
        yield f"{where}. {text(each.get('why', ''))}"
    for each in verdict.get("signals", []):
        yield f"{code(each.get('field', ''))}: {text(each.get('why', ''))}"


def parameters(facts: Mapping[str, Any]) -> Iterator[str]:
    for each in facts.get("parameters", []):
        types: Sequence[Any] = each.get("types", [])
        kinds = f", {text(' or '.join(map(str, types)))}" if types else ""
        needed = ", required" if each.get("required") else ""
        yield f"{code(each.get('path', ''))}{kinds}{needed}"
