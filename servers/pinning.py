"""Pins: what is stored of a server's tools, and what happens when they change.

The pin is the first definition seen. A changed one replaces it at once, unless the
server holds changes: then the tool is held, with the changed definition waiting, until
somebody accepts it or the server takes it back. A new tool whose name cannot be told
from another's, or has odd characters, is held as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from servers.definitions import MAX_TOOLS, Definition, folded, is_plain
from servers.models import Server, ToolDefinition

CHANGED = "Its definition changed."
NAME = "Its name has characters other than A-Z a-z 0-9 _ . - / or more than 128."
LOOKALIKE = "Its name looks like that of another tool."
TWICE = "The server lists it twice, with differing definitions."
FIELDS = (
    "definition", "fingerprint", "previous_definition", "pending_definition",
    "pending_fingerprint", "held_at", "held_reason", "listed", "changed_at",
)  # fmt: skip


def pin(server: Server, tools: Iterable[Definition], now: datetime) -> bool:
    """Stores what the server lists now; True if anything for decisions changed.

    The caller holds the transaction and the lock on the server's row.
    """
    rows = ToolDefinition.objects.for_organization(server.organization_id)
    known = {row.name: row for row in rows.filter(server=server)}
    listed = {tool.name: tool for tool in tools}
    room = max(0, 2 * MAX_TOOLS - len(known))
    unknown = [tool for name, tool in listed.items() if name not in known]
    new = _first_seen(server, unknown[:room], {*known, *listed}, now)
    changed = [row for row in known.values() if _take(server, row, listed, now)]
    ToolDefinition.objects.bulk_create(new, batch_size=500)
    rows.bulk_update(changed, FIELDS, batch_size=500)
    rows.filter(server=server, listed=True).update(last_seen=now)
    return bool(new or changed)


def accept(tool: ToolDefinition, fingerprint: str, now: datetime) -> bool:
    """Ends a hold. False where the definition is no longer the one that was shown."""
    rows = ToolDefinition.objects.for_organization(tool.organization_id)
    held = rows.filter(pk=tool.pk, held_at__isnull=False)
    if tool.pending_fingerprint != fingerprint:
        shown = Q(pending_fingerprint="", fingerprint=fingerprint)
        return bool(held.filter(shown).update(held_at=None, held_reason=""))
    return bool(
        held.filter(pending_fingerprint=fingerprint).update(
            previous_definition=tool.definition,
            definition=tool.pending_definition,
            fingerprint=fingerprint,
            pending_definition="",
            pending_fingerprint="",
            held_at=None,
            held_reason="",
            changed_at=now,
        )
    )


def _first_seen(
    server: Server, tools: list[Definition], names: set[str], now: datetime
) -> list[ToolDefinition]:
    alike = Counter(map(folded, names))
    return [
        ToolDefinition(
            organization_id=server.organization_id,
            server=server,
            name=tool.name,
            definition=tool.text,
            fingerprint=tool.fingerprint,
            held_at=now if (reason := _oddity(tool, alike)) else None,
            held_reason=reason,
            first_seen=now,
            last_seen=now,
        )
        for tool in tools
    ]


def _oddity(tool: Definition, alike: Counter[str]) -> str:
    if tool.twice:
        return TWICE
    if not is_plain(tool.name):
        return NAME
    return LOOKALIKE if alike[folded(tool.name)] > 1 else ""


def _take(
    server: Server,
    row: ToolDefinition,
    listed: dict[str, Definition],
    now: datetime,
) -> bool:
    """Brings a known tool to what is listed now; True if it changed."""
    tool = listed.get(row.name)
    before = [getattr(row, name) for name in FIELDS]
    row.listed = tool is not None
    if tool is not None:
        _take_definition(server, row, tool, now)
        _take_doubt(row, tool, now)
    return before != [getattr(row, name) for name in FIELDS]


def _take_definition(
    server: Server, row: ToolDefinition, tool: Definition, now: datetime
) -> None:
    if tool.fingerprint == row.fingerprint:
        _forget_pending(row)
    elif server.hold_changes or row.held_reason == CHANGED:
        row.pending_definition = tool.text
        row.pending_fingerprint = tool.fingerprint
        _hold(row, CHANGED, now)
    else:
        row.previous_definition = row.definition
        row.definition, row.fingerprint = tool.text, tool.fingerprint
        row.changed_at = now
        _forget_pending(row)


def _take_doubt(row: ToolDefinition, tool: Definition, now: datetime) -> None:
    if tool.twice:
        _hold(row, TWICE, now)
    elif row.held_reason == TWICE:
        _release(row)


def _forget_pending(row: ToolDefinition) -> None:
    row.pending_definition = row.pending_fingerprint = ""
    if row.held_reason == CHANGED:
        _release(row)


def _hold(row: ToolDefinition, reason: str, now: datetime) -> None:
    if row.held_at is None:
        row.held_at, row.held_reason = now, reason


def _release(row: ToolDefinition) -> None:
    row.held_at, row.held_reason = None, ""
