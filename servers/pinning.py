"""Pins: what is stored of a server's tools, and what happens when they change.

The pin is the first definition seen. A changed one replaces it at once, unless the
server holds changes, or holds what became more severe and it did: then the tool is
held, with the changed definition waiting, until somebody accepts it or the server takes
it back. Each definition is judged as it is pinned (classifying.py). A new tool whose
name cannot be told from another's, or has odd characters, is held as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from servers import classifying, verdicts
from servers.classifying import Judged
from servers.definitions import MAX_TOOLS, Definition, folded, is_plain
from servers.locking import locked
from servers.models import Origin, Server, ToolDefinition

CHANGED = "Its definition changed."
RAISED = "Its definition changed, and what it can do now is more severe."
WAITS = (CHANGED, RAISED)
NAME = "Its name has characters other than A-Z a-z 0-9 _ . - / or more than 128."
LOOKALIKE = "Its name looks like that of another tool."
TWICE = "The server lists it twice, with differing definitions."
FIELDS = (
    "definition", "fingerprint", "previous_definition", "pending_definition",
    "pending_fingerprint", "held_at", "held_reason", "listed", "changed_at",
    *classifying.FIELDS, *verdicts.FIELDS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Raise:
    """A tool whose new definition is more severe; severities before and after."""

    name: str
    before: str
    after: str
    held: bool


@dataclass(frozen=True, slots=True)
class Found:
    """`changed`: something that decisions depend on."""

    changed: bool
    raised: Sequence[Raise]


def pin(server: Server, tools: Iterable[Definition], now: datetime) -> Found:
    """Stores what the server lists now.

    The caller holds the transaction and the lock on the server's row.
    """
    rows = ToolDefinition.objects.for_organization(server.organization_id)
    known = {row.name: row for row in rows.filter(server=server)}
    listed = {tool.name: tool for tool in tools}
    room = max(0, 2 * MAX_TOOLS - len(known))
    unknown = [tool for name, tool in listed.items() if name not in known]
    new = _first_seen(server, unknown[:room], {*known, *listed}, now)
    look = _Look(server, now)
    changed = [row for row in known.values() if look.take(row, listed.get(row.name))]
    ToolDefinition.objects.bulk_create(new, batch_size=500)
    rows.bulk_update(changed, FIELDS, batch_size=500)
    rows.filter(server=server, listed=True).update(last_seen=now)
    return Found(bool(new or changed), look.raised)


def accept(tool: ToolDefinition, fingerprint: str, now: datetime) -> bool:
    """Ends a hold. False where the definition is no longer the one that was shown.

    A definition that waited comes with its verdict. The caller holds the transaction.
    """
    locked(tool.server)
    rows = ToolDefinition.objects.for_organization(tool.organization_id)
    row = rows.filter(pk=tool.pk, held_at__isnull=False).first()
    if row is None or (row.pending_fingerprint or row.fingerprint) != fingerprint:
        return False
    if row.pending_fingerprint:
        said = classifying.judge(row.pending_definition)
        _replace(row, row.pending_definition, fingerprint, said, now)
        verdicts.follow(row, now)
    _release(row)
    row.save(update_fields=FIELDS)
    return True


def _first_seen(
    server: Server, tools: list[Definition], names: set[str], now: datetime
) -> list[ToolDefinition]:
    alike = Counter(map(folded, names))
    rows = [
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
    for row in rows:
        classifying.put(row, classifying.judge(row.definition))
        verdicts.follow(row, now)
    return rows


def _oddity(tool: Definition, alike: Counter[str]) -> str:
    if tool.twice:
        return TWICE
    if not is_plain(tool.name):
        return NAME
    return LOOKALIKE if alike[folded(tool.name)] > 1 else ""


class _Look:
    """One look at what a server lists, tool by tool."""

    def __init__(self, server: Server, now: datetime) -> None:
        self.server, self.now = server, now
        self.raised: list[Raise] = []

    @cached_property
    def keeps(self) -> bool:
        return verdicts.keeps(self.server)

    def take(self, row: ToolDefinition, tool: Definition | None) -> bool:
        """Brings a known tool to what is listed now; True if it changed."""
        before = [getattr(row, name) for name in FIELDS]
        row.listed = tool is not None
        if tool is not None:
            self._take_definition(row, tool)
            _take_doubt(row, tool, self.now)
        return before != [getattr(row, name) for name in FIELDS]

    def _take_definition(self, row: ToolDefinition, tool: Definition) -> None:
        if tool.fingerprint == row.fingerprint:
            _forget_pending(row)
            return
        said = classifying.judge(tool.text)
        rise = self._rise(row, said)
        holds = self.server.hold_changes or (rise and self.server.hold_raised)
        holds = bool(holds or row.held_reason in WAITS)
        if rise and tool.fingerprint != row.pending_fingerprint:
            self.raised.append(Raise(row.name, *rise, holds))
        if not holds:
            _replace(row, tool.text, tool.fingerprint, said, self.now)
            self._follow(row)
            _forget_pending(row)
            return
        row.pending_definition = tool.text
        row.pending_fingerprint = tool.fingerprint
        _hold(row, RAISED if rise else CHANGED, self.now)

    def _rise(
        self, row: ToolDefinition, after: Judged | None
    ) -> tuple[str, str] | None:
        """Severities before and after, where the new definition is more severe.

        Judged is compared with judged, by one version. Where the classifier's word is
        in force, a definition that is above that is a rise as well.
        """
        if after is None:
            return None
        if row.judged_version != after.version:
            classifying.put(row, classifying.judge(row.definition))
            self._follow(row)
        known = [row.judged_severity]
        if row.verdict_origin == Origin.CLASSIFIER:
            known.append(row.severity)
        before = min(known, key=classifying.RANKS.__getitem__)
        if after.rank <= classifying.RANKS[before]:
            return None
        return before, after.severity

    def _follow(self, row: ToolDefinition) -> None:
        if not self.keeps:
            verdicts.follow(row, self.now)


def _replace(
    row: ToolDefinition,
    definition: str,
    fingerprint: str,
    said: Judged | None,
    now: datetime,
) -> None:
    row.previous_definition = row.definition
    row.definition, row.fingerprint = definition, fingerprint
    row.changed_at = now
    row.pending_definition = row.pending_fingerprint = ""
    classifying.put(row, said)


def _take_doubt(row: ToolDefinition, tool: Definition, now: datetime) -> None:
    if tool.twice:
        _hold(row, TWICE, now)
    elif row.held_reason == TWICE and row.pending_fingerprint:
        row.held_reason = CHANGED  # which is why it stays held
    elif row.held_reason == TWICE:
        _release(row)


def _forget_pending(row: ToolDefinition) -> None:
    row.pending_definition = row.pending_fingerprint = ""
    if row.held_reason in WAITS:
        _release(row)


def _hold(row: ToolDefinition, reason: str, now: datetime) -> None:
    if row.held_at is None:
        row.held_at, row.held_reason = now, reason
    elif row.held_reason == CHANGED:
        row.held_reason = reason


def _release(row: ToolDefinition) -> None:
    row.held_at, row.held_reason = None, ""
