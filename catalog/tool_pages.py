"""One tool's page: what it does, how risky that is and why, and the policy for it."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from catalog import (
    advice,
    jsonld,
    policy_text,
    related,
    server_lists,
    server_pages,
    tool_parameters,
    wording,
)
from catalog.advice import Advice
from catalog.attacks import patterns
from catalog.models import CatalogTool, Change, ChangeKind, Dispute, Status
from catalog.naming import words_of
from catalog.public import public
from catalog.tool_questions import questions
from policies import recommended
from policies.effects import escaped
from policies.globs import LONGEST

MOST_PATTERNS = 6
MOST_CHANGES = 10
HINTS = {
    "readOnlyHint": "only reads",
    "destructiveHint": "may destroy",
    "idempotentHint": "may be repeated without further effect",
    "openWorldHint": "reaches things outside of the server",
}


@public
def show_tool(request: HttpRequest, server: str, tool: str) -> HttpResponse:
    found = listed(server, tool)
    if found.server.status == Status.DELETED:
        return server_pages.gone(request, found.server)
    worded = wording.worded(found.name, found.facts, words_of(found.server.slug))
    advised = advice.advice(found.category)
    asked = questions(found, worded, advised)
    shown = {
        "tool": found,
        "server": found.server,
        "worded": worded,
        "advice": advised,
        "policy": policy(found),
        "attacks": patterns.for_category(found.category)[:MOST_PATTERNS],
        "elsewhere": related.elsewhere(found),
        "here": related.here(found),
        "disputes": disputes(found),
        "changes": verdicts_before(found),
        "totals": server_lists.totals(),
        "questions": asked,
        "jsonld": markup(found, worded.sentence, asked),
        **evidence(found, advised),
        **parameters(found),
    }
    return render(request, "catalog/tool.html", shown)


def listed(server: str, tool: str) -> CatalogTool:
    """With its server. Http404 where there is none, or no more."""
    rows = CatalogTool.objects.select_related("server").defer("definition", "words")
    found = rows.filter(server__slug=server, slug=tool, listed=True).first()
    if found is None:
        raise Http404
    return found


def policy(tool: CatalogTool) -> str:
    """ "" where the name is too long for a document to name it."""
    if not tool.name or len(escaped(tool.name)) > LONGEST:
        return ""
    return policy_text.written(recommended.for_tool(tool.name, tool.category))


def evidence(tool: CatalogTool, advised: Advice) -> dict[str, Any]:
    """What was read, apart from what makes it doubtful."""
    verdict = tool.verdict
    told = verdict.get("evidence", [])
    hints = tool.facts.get("annotations") or {}
    return {
        "evidence": [each for each in told if each.get("says") != "confidence"],
        "lowered": [each["why"] for each in told if each.get("says") == "confidence"],
        "signals": verdict.get("signals", []),
        "doubts": advice.doubts(verdict),
        "percent": advice.percent(verdict),
        "hints": [
            (hint, said, hints[hint]) for hint, said in HINTS.items() if hint in hints
        ],
        "usual": advice.usual(tool.category, tool.severity),
    }


def parameters(tool: CatalogTool) -> dict[str, Any]:
    rows = tool_parameters.rows(tool.facts, tool.verdict)
    shown = rows[: tool_parameters.MOST]
    return {
        "parameters": shown,
        "parameters_left": len(rows) - len(shown),
        "noted": any(row.notes for row in shown),
    }


def disputes(tool: CatalogTool) -> dict[str, int]:
    """How many of this very definition are open, were accepted, were rejected."""
    rows = Dispute.objects.across_organizations().filter(
        tool=tool, fingerprint=tool.fingerprint
    )
    return dict(rows.values_list("state").annotate(Count("pk")))


def verdicts_before(tool: CatalogTool) -> list[Change]:
    rows = Change.objects.filter(
        server=tool.server_id, tool=tool.name, kind=ChangeKind.VERDICT
    )
    return list(rows.order_by("-at", "-pk")[:MOST_CHANGES])


def markup(tool: CatalogTool, said: str, asked: list[tuple[str, str]]) -> str:
    return jsonld.script(
        jsonld.tool(tool, tool.name, said),
        jsonld.crumbs(*jsonld.tool_crumbs(tool)),
        jsonld.questions(asked),
    )
