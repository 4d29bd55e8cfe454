"""A filtered list as a file: CSV for a spreadsheet, or JSON lines.

Bounded, and says so in its last row. Arguments too long for a cell are left out; their
length and digest are always there.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from approvals.models import Approval

MOST_ROWS = 5_000
LONGEST_ARGUMENTS = 4_000
COLUMNS = (
    *("id", "state", "method", "name", "server", "grant", "requester", "client"),
    *("category", "severity", "critical", "rules", "asked_at", "expires_at"),
    *("decided_at", "used_at", "approved_by", "denied_by", "reason"),
    *("arguments", "arguments_bytes", "arguments_sha256"),
)
TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
# With one of these a spreadsheet takes a cell for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
MORE = f"more than {MOST_ROWS} rows: narrow the filters"


def lines(rows: Iterable[Approval], kind: str, more: bool) -> Iterator[str]:
    """`rows` with server, grant, requester's user and votes at hand."""
    written = (_written(row) for row in rows)
    return _csv(written, more) if kind == "csv" else _json(written, more)


def _written(row: Approval) -> dict[str, Any]:
    short = len(row.arguments) <= LONGEST_ARGUMENTS
    votes = list(row.votes.all())
    values = (
        *(str(row.pk), row.state, row.method, row.name, row.server.name),
        *(row.grant.label, row.requester.user.email, row.client),
        *(row.category, row.severity, row.critical),
        [each["rule"] for each in row.rules],
        *map(_moment, (row.created_at, row.expires_at, row.decided_at, row.used_at)),
        [vote.email for vote in votes if vote.approves],
        [vote.email for vote in votes if not vote.approves],
        row.reason,
        row.arguments if short else None,
        len(row.arguments.encode()),
        row.arguments_digest,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _moment(at: Any) -> str | None:
    return at.isoformat() if at is not None else None


def _json(rows: Iterable[Mapping[str, Any]], more: bool) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"
    if more:
        yield json.dumps({"cut": MORE}) + "\n"


def _csv(rows: Iterable[Mapping[str, Any]], more: bool) -> Iterator[str]:
    yield _line(COLUMNS)
    for row in rows:
        yield _line(_cell(value) for value in row.values())
    if more:
        yield _line([MORE])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = "\n".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
