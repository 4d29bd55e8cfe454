"""What the gateway appends to the stream of records: calls and their outcomes.

An entry is a version byte and the rest:

    call     1, length of the header (4 bytes), header (a JSON list), arguments
    outcome  1, a JSON list

The script adds what it decided beside it (policies/limits.py reads that). Arguments
are the very bytes that were judged: no parser touches them again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Literal, NamedTuple, get_args
from uuid import UUID

import orjson

from policies.decision import ALLOW, NOTHING, Ask, Decision, Judgement, Side, Use

Status = Literal[
    "ok",
    "tool_error",
    "error",
    "not_inspected",
    "not_sent",
    "unknown",
    "cancelled",
    "refused",
]
STATUSES: tuple[str, ...] = get_args(Status)

VERSION = b"\x01"
LARGEST = 16 * 1024
LARGEST_ARGUMENTS = 8 * 1024
# What is kept where a whole entry is too large: characters of a text, rules that ask.
CUTS = (1024, 120, 30)
ASKS_OF_A_CUT = 5


class EntryError(ValueError):
    """Bytes that are no entry of a version that is known."""


@dataclass(slots=True, kw_only=True)
class Kept:
    """What is kept of a call's arguments: `text` whole, or digest, length and `read`.

    `read` is JSON of the values that rules looked at, for arguments too long to keep.
    """

    text: bytes | None = None
    digest: str = ""
    length: int = 0
    read: bytes = b""


@dataclass(slots=True, kw_only=True)
class CallEntry:
    """One call as the gateway knows it before it asks the script.

    `name` is the tool, URI or prompt. Where `judgement` is None, `decision`, `rule`
    and `reason` are the decision (lists, initialize, revoked grants).
    """

    id: UUID
    organization: UUID
    shard: int
    grant_id: UUID | None
    grant: str
    server_id: UUID | None
    server: str
    member: str
    method: str
    name: str = ""
    policy_id: UUID | None = None
    policy_version: int | None = None
    policy_digest: str = ""
    client: str = ""
    era: str = ""
    revision: str = ""
    arguments: bytes | None = None
    read: bytes = b""
    judgement: Judgement | None = None
    decision: str = "allow"
    rule: str | None = None
    reason: str = ""
    approval: UUID | None = None


class OutcomeEntry(NamedTuple):
    """What became of a call; `error_code` is JSON-RPC's or HTTP's. Of one that asked
    people it says which approval that made, or joined."""

    id: UUID
    organization: UUID
    status: Status
    error_code: int | None = None
    is_error: bool | None = None
    bytes: int = 0
    milliseconds: float = 0
    given_back: bool = False
    detail: str = ""
    approval: UUID | None = None


@dataclass(slots=True)
class ReadCall:
    """A decoded call: `entry.arguments` is empty, `kept` says what there is."""

    entry: CallEntry
    kept: Kept | None


# Writing


def encode_call(entry: CallEntry) -> bytes:
    """At most 16 KiB, whatever the texts in it are."""
    kept = _keep(entry)
    try:
        header = orjson.dumps(header_fields(entry, kept, _whole))
    except TypeError:  # A lone surrogate has no UTF-8.
        header = b""
    arguments = (kept.text if kept else None) or b""
    if header and len(header) + len(arguments) + 5 <= LARGEST:
        return b"".join((VERSION, len(header).to_bytes(4, "big"), header, arguments))
    return _encode_cut(entry)


def _encode_cut(entry: CallEntry) -> bytes:
    kept = _digested(entry.arguments, b"") if entry.arguments is not None else None
    fewer = replace(entry, judgement=_with_fewer_asks(entry.judgement))
    for length in CUTS:
        header = orjson.dumps(header_fields(fewer, kept, _cutter(length)))
        if len(header) + 5 <= LARGEST:
            break
    return VERSION + len(header).to_bytes(4, "big") + header


def _with_fewer_asks(judgement: Judgement | None) -> Judgement | None:
    if judgement is None:
        return None
    return Judgement(
        _fewer(judgement.enforced), _fewer(judgement.watched), judgement.allow
    )


def _fewer(side: Side) -> Side:
    return side._replace(asks=side.asks[:ASKS_OF_A_CUT])


def _keep(entry: CallEntry) -> Kept | None:
    if entry.arguments is None:
        return None
    if len(entry.arguments) <= LARGEST_ARGUMENTS:
        return Kept(text=entry.arguments, length=len(entry.arguments))
    return _digested(entry.arguments, entry.read[:LARGEST_ARGUMENTS])


def _digested(arguments: bytes, read: bytes) -> Kept:
    digest = hashlib.sha256(arguments).hexdigest()
    return Kept(digest=digest, length=len(arguments), read=read)


Text = Callable[[str], str]


_BY = itemgetter(6)
# Text as it is: of a string `str` gives back that very string, without a call of ours.
_whole: Text = str


def _cutter(length: int) -> Text:
    def cut(text: str) -> str:
        clean = text.encode("utf-8", "replace").decode()
        return clean if len(clean) <= length else f"{clean[: length - 1]}…"

    return cut


def header_fields(e: CallEntry, kept: Kept | None, text: Text) -> list[Any]:
    """In the order of the header; `text` is what cuts texts, `str` for none."""
    # Longer counter names and rules are bounded by the document that holds them.
    return [
        e.id,
        e.organization,
        e.shard,
        e.grant_id,
        text(e.grant),
        e.server_id,
        text(e.server),
        text(e.member),
        text(e.method),
        text(e.name),
        e.policy_id,
        e.policy_version,
        e.policy_digest,
        text(e.client),
        e.era,
        text(e.revision),
        kept and [kept.text is not None, kept.digest, kept.length, _decoded(kept.read)],
        pack_judgement(e.judgement, text),
        e.decision,
        e.rule,
        text(e.reason),
        *([] if e.approval is None else [e.approval]),
    ]


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace") if data else ""


def pack_judgement(judgement: Judgement | None, text: Text) -> list[Any] | None:
    if judgement is None:
        return None
    enforced, watched, allow = judgement
    packed: list[Any] = [_pack_side(enforced, text)]
    if watched is not NOTHING or allow is not ALLOW:
        packed.append(_pack_side(watched, text))
        packed.append(_pack_decision(allow, text))
    return packed


def _pack_side(side: Side, text: Text) -> list[Any]:
    decided, uses, bad, asks, waived, opened = side
    return [
        decided and _pack_decision(decided, text),
        _packed_uses(uses) if text is _whole else [_pack_use(u, text) for u in uses],
        bad and _pack_decision(bad, text),
        asks and [[rule, why and text(why)] for rule, why in asks],
        sorted(waived) if waived else (),
        opened,
    ]


def _packed_uses(uses: Sequence[Use]) -> list[list[Any]]:
    """As `_pack_use` does with whole texts; most uses are not split by a value."""
    if not any(map(_BY, uses)):
        return list(map(list, uses))
    return [list(u) if u.by is None else _pack_use(u, _whole) for u in uses]


def _pack_use(use: Use, text: Text) -> list[Any]:
    by = use.by and use.by.hex()
    on_deny = use.on_deny and text(use.on_deny)
    return [*use[:1], text(use.counter), *use[2:6], by, use.over, on_deny, use.watched]


def _pack_decision(decision: Decision | None, text: Text) -> list[Any] | None:
    if decision is None:
        return None
    return [
        decision.decision,
        decision.rule,
        decision.reason and text(decision.reason),
        [[ask.rule, ask.reason and text(ask.reason)] for ask in decision.asks],
    ]


def encode_outcome(entry: OutcomeEntry) -> bytes:
    *before, milliseconds, given_back, detail, approval = entry
    fields = [*before, round(milliseconds, 3), given_back, detail]
    if detail:
        fields[-1] = _cutter(CUTS[0])(detail)
    if approval is not None:
        fields.append(approval)
    return VERSION + orjson.dumps(fields)


# Reading


def decode_call(data: bytes) -> ReadCall:
    """Raises EntryError."""
    try:
        if data[:1] != VERSION:
            raise EntryError(f"version {data[:1]!r} of a call is not known")
        end = 5 + int.from_bytes(data[1:5], "big")
        fields = orjson.loads(data[5:end])
        kept = _read_kept(fields[16], data[end:])
        return ReadCall(_read_header(fields), kept)
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise EntryError(str(error)) from error


def _read_kept(packed: list[Any] | None, arguments: bytes) -> Kept | None:
    if packed is None:
        return None
    whole, digest, length, read = packed
    text = arguments if whole else None
    return Kept(text=text, digest=digest, length=length, read=read.encode())


def _read_header(f: list[Any]) -> CallEntry:
    return CallEntry(
        id=UUID(f[0]),
        organization=UUID(f[1]),
        shard=f[2],
        grant_id=f[3] and UUID(f[3]),
        grant=f[4],
        server_id=f[5] and UUID(f[5]),
        server=f[6],
        member=f[7],
        method=f[8],
        name=f[9],
        policy_id=f[10] and UUID(f[10]),
        policy_version=f[11],
        policy_digest=f[12],
        client=f[13],
        era=f[14],
        revision=f[15],
        judgement=_read_judgement(f[17]),
        decision=f[18],
        rule=f[19],
        reason=f[20],
        approval=_read_approval(f[21:]),
    )


def _read_approval(rest: list[str]) -> UUID | None:
    return UUID(rest[0]) if rest else None


def _read_judgement(packed: list[Any] | None) -> Judgement | None:
    if packed is None:
        return None
    enforced = _read_side(packed[0])
    if len(packed) == 1:
        return Judgement(enforced)
    allow = _read_decision(packed[2]) or ALLOW
    return Judgement(enforced, _read_side(packed[1]), allow)


def _read_side(packed: list[Any]) -> Side:
    decided, uses, bad, asks, waived, opened = packed
    return Side(
        decided=_read_decision(decided),
        uses=tuple(_read_use(use) for use in uses),
        bad=_read_decision(bad),
        asks=_read_asks(asks),
        waived=frozenset(waived),
        opened=opened,
    )


def _read_use(packed: Sequence[Any]) -> Use:
    use = Use(*packed)
    return use._replace(by=bytes.fromhex(packed[6]) if packed[6] else None)


def _read_asks(packed: list[Any]) -> tuple[Ask, ...]:
    return tuple(Ask(rule, reason) for rule, reason in packed)


def _read_decision(packed: list[Any] | None) -> Decision | None:
    if packed is None:
        return None
    decision, rule, reason, asks = packed
    return Decision(decision, rule, reason, _read_asks(asks))


def decode_outcome(data: bytes) -> OutcomeEntry:
    """Raises EntryError."""
    try:
        if data[:1] != VERSION:
            raise EntryError(f"version {data[:1]!r} of an outcome is not known")
        f = orjson.loads(data[1:])
        if f[2] not in STATUSES:
            raise EntryError(f"outcome {f[2]!r} is not known")
        return OutcomeEntry(
            id=UUID(f[0]),
            organization=UUID(f[1]),
            status=f[2],
            error_code=f[3],
            is_error=f[4],
            bytes=f[5],
            milliseconds=f[6],
            given_back=f[7],
            detail=f[8],
            approval=_read_approval(f[9:]),
        )
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise EntryError(str(error)) from error
