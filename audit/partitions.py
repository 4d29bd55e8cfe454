"""The months of the records' table: made ahead, so that no record lacks a place.

There is no default partition: rows in it would stand in the way of making the month
that they belong to. A record of a month that is neither made nor near is refused by
Postgres and goes to quarantine.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Protocol

AHEAD = 2
# One number for whoever makes partitions, so that two do not at once.
LOCK = 0x504C_0001


class Cursor(Protocol):
    def execute(self, sql: str, params: list[int] | None = None) -> object: ...


def month_of(at: date | datetime) -> date:
    return date(at.year, at.month, 1)


def next_month(month: date, count: int = 1) -> date:
    months = month.year * 12 + month.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def ahead(today: date) -> list[date]:
    """The month of today and those made ahead."""
    return [next_month(month_of(today), count) for count in range(AHEAD + 1)]


def make(cursor: Cursor, months: list[date]) -> None:
    """Makes what is missing; harmless where all is there."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    for month in months:
        end = next_month(month)
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS audit_record_y{month:%Ym%m}"
            " PARTITION OF audit_record FOR VALUES"
            f" FROM ('{month}T00:00:00Z') TO ('{end}T00:00:00Z')"
        )


def today() -> date:
    return datetime.now(UTC).date()
