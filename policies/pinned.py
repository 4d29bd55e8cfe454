"""A server's pinned definitions with their verdicts, as the engine takes them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from policies.facts import Tool
from policies.recommended import Known
from servers.models import Origin, Server, ToolDefinition
from servers.verdicts import waits


@dataclass(frozen=True)
class Pinned:
    """By name, in the order of the names; `unset` have a verdict of nobody, and of
    `waiting` the classifier says otherwise than what is in force."""

    tools: tuple[Tool, ...]
    unset: frozenset[str]
    rows: tuple[ToolDefinition, ...] = ()
    waiting: frozenset[str] = frozenset()

    @property
    def recommendable(self) -> list[Known]:
        """The tools that the server lists now, as recommendations take them."""
        return [known(row) for row in self.rows if row.listed]

    @functools.cached_property
    def by_name(self) -> Mapping[str, Tool]:
        return {tool.name: tool for tool in self.tools}


def pinned(server: Server) -> Pinned:
    rows = list(
        ToolDefinition.objects.for_organization(server.organization_id)
        .filter(server=server)
        .order_by("name")
    )
    unset = frozenset(row.name for row in rows if row.verdict_origin == Origin.UNSET)
    waiting = frozenset(row.name for row in rows if waits(row)) - unset
    return Pinned(tuple(map(as_tool, rows)), unset, tuple(rows), waiting)


def known(row: ToolDefinition) -> Known:
    """By the verdict in force, else by what the classifier says. Doubtful is what the
    classifier doubts, until a person has spoken, and what nobody has judged."""
    if row.verdict_origin == Origin.PERSON:
        return Known(row.name, row.category)
    unset = row.verdict_origin == Origin.UNSET
    category = row.judged_category if unset else row.category
    doubtful = row.judged_doubtful or not category
    return Known(row.name, category or row.category, doubtful)


def as_tool(row: ToolDefinition) -> Tool:
    definition = orjson.loads(row.definition)
    schema, annotations = definition.get("inputSchema"), definition.get("annotations")
    return Tool(
        name=row.name,
        input_schema=schema if isinstance(schema, dict) else None,
        annotations=annotations if isinstance(annotations, dict) else {},
        category=row.category,
        severity=row.severity,
        held=row.held_at is not None,
    )
