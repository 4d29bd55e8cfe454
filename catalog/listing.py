"""The index of the catalogue: what is asked for, its facets, servers and tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog import facets, questions, server_lists, tool_lists
from catalog.public import public
from catalog.questions import Question
from catalog.vocabulary import Meaning, understand


@public
def list_tools(request: HttpRequest) -> HttpResponse:
    question = questions.read(request.GET)
    meanings = understand(question.words)
    tools = question.kind == "tools"
    found = (tools_found if tools else servers_found)(question, meanings)
    shown = found | {
        "question": question,
        "base": {} if request.GET else server_lists.totals(),
        "kept": [*(question.filters | {"show": question.show}).items()],
        "filters": [*question.filters],
        "first": question.but().address if question.after else "",
        **corrections(meanings),
    }
    return render(request, "catalog/list.html", shown)


def tools_found(question: Question, meanings: Sequence[Meaning]) -> dict[str, Any]:
    listed = tool_lists.find(question, meanings)
    beside, servers = server_lists.beside(question, meanings)
    return {
        "tools": listed.rows,
        "next": listed.next,
        "facets": drawn(question, listed.counted.counts),
        "total": facets.said(len(listed.counted.matches)),
        "tabs": tabs(question, servers, len(listed.counted.matches)),
        "beside": beside if question.text and not question.after else [],
    }


def servers_found(question: Question, meanings: Sequence[Meaning]) -> dict[str, Any]:
    listed = server_lists.find(question, meanings)
    return {
        "servers": listed.rows,
        "next": listed.next,
        "facets": drawn(question, listed.counts),
        "total": facets.said(listed.total),
        "tabs": tabs(question, listed.total, facets.few(question, meanings)),
    }


def drawn(
    question: Question, counts: Mapping[str, Mapping[str, int]]
) -> list[facets.Facet]:
    names = server_lists.publisher_names(
        facets.ordered("publisher", counts["publisher"], question.publisher)
    )
    return facets.facets(question, counts, names)


def tabs(question: Question, servers: int, tools: int) -> list[dict[str, Any]]:
    counts = {"servers": servers, "tools": tools}
    return [
        {
            "label": kind.title(),
            "href": question.but(show=kind).address,
            "count": facets.said(count),
            "current": kind == question.kind,
        }
        for kind, count in counts.items()
    ]


def corrections(meanings: Sequence[Meaning]) -> dict[str, Any]:
    """What was typed and is no word: with what was taken for it, or unknown."""
    strange = [meaning for meaning in meanings if meaning.corrected]
    return {
        "corrected": [meaning for meaning in strange if meaning.words],
        "unknown": [meaning.typed for meaning in strange if not meaning.words],
    }
