"""Entries of a registry to rows: one for each name, its newest version that lives."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from datetime import datetime
from typing import Any

import orjson

from catalog.models import CatalogServer, RegistryRecord, Status
from catalog.registry.entries import Entry
from catalog.registry.report import Report, State
from catalog.registry.versions import follows

# A registry that invents names must not fill our disks.
MAX_RECORDS = 200_000
FIELDS = ("version", "status", "document", "published_at", "updated_at")
# One that any registry still publishes is not deleted.
BEST_FIRST = (Status.ACTIVE, Status.DEPRECATED, Status.DELETED)


def store(registry: str, entries: list[Entry], now: datetime, report: Report) -> None:
    """Run it in a transaction, under the lock of this registry."""
    records = RegistryRecord.objects.filter(registry=registry)
    rows = {row.name: row for row in records.filter(name__in=_names(entries))}
    before = {name: _state(row) for name, row in rows.items()}
    room = MAX_RECORDS - records.count()
    for entry in entries:
        row = rows.get(entry.name)
        if row is None and len(rows) - len(before) >= room:
            report.refused.add([(entry.name, f"more than {MAX_RECORDS} names")])
        elif row is None:
            rows[entry.name] = _filled(RegistryRecord(registry=registry), entry)
        elif _takes(row, entry):
            _filled(row, entry)
    _save(rows, before, now, report)


def died(registry: str, entries: list[Entry]) -> list[str]:
    """Names whose kept version is now deleted: an older one of them may live."""
    gone = {e.name: e.version for e in entries if e.status == Status.DELETED}
    kept = RegistryRecord.objects.filter(registry=registry, name__in=gone)
    alive = kept.exclude(status=Status.DELETED).values_list("name", "version")
    return [name for name, version in alive if gone[name] == version]


def keep_in_step(now: datetime, names: Collection[str] | None = None) -> int:
    """Gives servers of the catalogue the status that registries give them.

    `names`: only those; None: all. Returns how many changed.
    """
    servers = CatalogServer.objects.exclude(registry_name="")
    if names is not None:
        servers = servers.filter(registry_name__in=names)
    published = RegistryRecord.objects.filter(name__in=servers.values("registry_name"))
    best: dict[str, str] = {}
    for name, status in published.values_list("name", "status"):
        best[name] = min(best.get(name, status), status, key=_place)
    changed = 0
    for pk, name, status in servers.values_list("pk", "registry_name", "status"):
        if best.get(name, status) != status:
            same = CatalogServer.objects.filter(pk=pk, status=status)
            changed += same.update(status=best[name], updated_at=now)
    return changed


def _place(status: str) -> int:
    return BEST_FIRST.index(Status(status))


def _names(entries: list[Entry]) -> set[str]:
    return {entry.name for entry in entries}


def _takes(row: RegistryRecord, entry: Entry) -> bool:
    """A version that lives goes before one that was deleted, then the newer one."""
    if row.version == entry.version:
        times = entry.updated_at, row.updated_at
        return None in times or times[0] >= times[1]  # type: ignore[operator]
    alive = entry.status != Status.DELETED, row.status != Status.DELETED
    if alive[0] != alive[1]:
        return alive[0]
    return follows(entry, row.version, row.published_at)


def _filled(row: RegistryRecord, entry: Entry) -> RegistryRecord:
    row.name = entry.name
    for name in FIELDS:
        setattr(row, name, getattr(entry, name))
    return row


def _state(row: RegistryRecord) -> State:
    """What people would call a change of it; the document by its checksum."""
    return row.version, str(row.status), _sum(row.document)


def _sum(document: Any) -> int:
    return zlib.crc32(orjson.dumps(document, option=orjson.OPT_SORT_KEYS))


def _save(
    rows: dict[str, RegistryRecord],
    before: dict[str, State],
    now: datetime,
    report: Report,
) -> None:
    for row in rows.values():
        row.seen_at = now
        state = _state(row)
        if state != before.get(row.name):
            report.changed(row.name, before.get(row.name), state)
    old = [row for row in rows.values() if row.pk]
    RegistryRecord.objects.bulk_create([row for row in rows.values() if not row.pk])
    RegistryRecord.objects.bulk_update(old, [*FIELDS, "seen_at"])
