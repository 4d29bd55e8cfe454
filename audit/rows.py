"""From an entry of the stream to the columns of a record.

What the script decided beside the record is put together with it by the gateway's own
function, so that the log never says anything else than the client was told.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from audit.entries import (
    CallEntry,
    EntryError,
    Kept,
    OutcomeEntry,
    ReadCall,
    decode_call,
    decode_outcome,
)
from audit.ids import time_of
from policies.decision import Decision, Judgement
from policies.limits import ScriptReply, decide, read_verdict

KEY = ("time", "id", "organization_id")
OF_CALL = (
    *("shard", "grant_id", "grant_label", "server_id", "server_name", "member"),
    *("method", "name", "client", "era", "revision"),
    *("policy_id", "policy_version", "policy_digest"),
    *("decision", "rule", "reason", "asks"),
    *("would_decision", "would_rule", "would_reason", "limits"),
    *("arguments", "arguments_digest", "arguments_length", "arguments_read"),
    "approval_id",  # of a call that asked it comes with the outcome
)
OF_OUTCOME = (
    *("outcome", "error_code", "is_error", "answer_bytes", "duration_ms"),
    *("given_back", "detail"),
)

Fields = Mapping[bytes, bytes]
Row = dict[str, Any]


def read(fields: Fields) -> Row:
    """The columns that an entry fills; raises EntryError."""
    try:
        row = _row(fields)
    except (ValueError, LookupError, TypeError, struct.error) as error:
        raise EntryError(str(error)) from error
    return {name: _clean(value) for name, value in row.items()}


def _row(fields: Fields) -> Row:
    if b"c" in fields:
        return _call(decode_call(fields[b"c"]), fields.get(b"v", b""))
    return _outcome(decode_outcome(fields[b"r"]))


def _clean(value: Any) -> Any:
    """Postgres keeps no NUL: without this a client named so would leave no record."""
    return value.replace("\0", "␀") if isinstance(value, str) else value


def _key(id: UUID, organization: UUID) -> Row:
    return {"time": time_of(id), "id": id, "organization_id": organization}


def _call(read: ReadCall, verdict: bytes) -> Row:
    entry = read.entry
    row = _key(entry.id, entry.organization) | {
        "shard": entry.shard,
        "grant_id": entry.grant_id,
        "grant_label": entry.grant,
        "server_id": entry.server_id,
        "server_name": entry.server,
        "member": entry.member,
        "method": entry.method,
        "name": entry.name,
        "client": entry.client,
        "era": entry.era,
        "revision": entry.revision,
        "policy_id": entry.policy_id,
        "policy_version": entry.policy_version,
        "policy_digest": entry.policy_digest,
    }
    row |= _arguments(read.kept) | _decision(entry, verdict)
    # Nobody but the gateway answers a call that is not forwarded: it has no outcome.
    row["outcome"] = None if row["decision"] == "allow" else "refused"
    row["approval_id"] = entry.approval
    return row


def _arguments(kept: Kept | None) -> Row:
    if kept is None:
        return {}
    return {
        "arguments": None if kept.text is None else kept.text.decode(),
        "arguments_digest": kept.digest or None,
        "arguments_length": kept.length,
        "arguments_read": kept.read.decode() or None,
    }


def _decision(entry: CallEntry, verdict: bytes) -> Row:
    if entry.judgement is None:
        return _told(Decision(entry.decision, entry.rule, entry.reason or None))  # type: ignore[arg-type]
    reply = read_verdict(verdict, entry.judgement)
    return _told(decide(entry.judgement, reply)) | {
        "limits": _limits(entry.judgement, reply)
    }


def _told(decision: Decision) -> Row:
    would = decision.would
    return {
        "decision": decision.decision,
        "rule": decision.rule,
        "reason": decision.reason,
        "asks": _json([list(ask) for ask in decision.asks]),
        "would_decision": would and would.decision,
        "would_rule": would and would.rule,
        "would_reason": would and would.reason,
    }


def _limits(judgement: Judgement, reply: ScriptReply) -> str | None:
    """The counters that the call met, as JSON; `bucket` is null where nothing was
    added."""
    uses = (*judgement.uses, *judgement.watched_uses)
    full = (*reply.full, *reply.watched_full)
    return _json(
        [
            {
                "rule": use.rule,
                "counter": use.counter,
                "scope": use.scope,
                "window": use.window,
                "max": use.max,
                "amount": use.amount,
                "by": use.by and use.by.hex(),
                "watched": use.watched,
                "full": is_full,
                "bucket": bucket or None,
            }
            for use, is_full, bucket in zip(uses, full, reply.buckets, strict=True)
        ]
    )


def _json(value: list[Any]) -> str | None:
    return orjson.dumps(value).decode() if value else None


def _outcome(entry: OutcomeEntry) -> Row:
    return _key(entry.id, entry.organization) | {
        "outcome": entry.status,
        "error_code": entry.error_code,
        "is_error": entry.is_error,
        "answer_bytes": entry.bytes,
        "duration_ms": entry.milliseconds,
        "given_back": entry.given_back,
        "detail": entry.detail or None,
        "approval_id": entry.approval,
    }


def merge(rows: list[Row]) -> list[Row]:
    """One row a call: Postgres upserts none twice in one statement's batch."""
    merged: dict[UUID, Row] = {}
    for row in rows:
        found = merged.setdefault(row["id"], row)
        if found is not row:
            fill(found, row)
    return list(merged.values())


def fill(row: Row, later: Row) -> None:
    """As the upsert does: only what is empty, and an outcome over an unknown one."""
    replaces = row.get("outcome") in (None, "unknown") and later.get("outcome")
    for name, value in later.items():
        if row.get(name) is None or (replaces and name in OF_OUTCOME):
            row[name] = value


def upsert() -> str:
    """A batch's INSERT, given as one JSON list of rows: a statement for each row costs
    both sides three times as much."""
    columns = ", ".join((*KEY, *OF_CALL, *OF_OUTCOME))
    call = [
        f"{name} = COALESCE(audit_record.{name}, EXCLUDED.{name})" for name in OF_CALL
    ]
    open_ = "audit_record.outcome IS NULL OR audit_record.outcome = 'unknown'"
    outcome = [
        f"{name} = CASE WHEN {open_}"
        f" THEN COALESCE(EXCLUDED.{name}, audit_record.{name})"
        f" ELSE audit_record.{name} END"
        for name in OF_OUTCOME
    ]
    return (
        f"INSERT INTO audit_record ({columns}, recorded_at) SELECT {columns}, now()"
        " FROM json_populate_recordset(NULL::audit_record, %s::json)"
        " ON CONFLICT (time, id)"
        f" DO UPDATE SET {', '.join(call + outcome)}"
    )


def parameter(rows: list[Row]) -> str:
    """What `upsert` takes: a column that a row lacks is NULL."""
    return orjson.dumps(rows).decode()
