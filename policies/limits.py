"""Limits of a call: which counters it touches, asked of Valkey in one script.

`call.lua` checks the generation, judges the limits, appends the record and counts, all
or nothing; `give_back.lua` takes a reservation back. What they are given is written
there; this module packs and unpacks it.

A counter's key names what the policy page says names a counter:

    {s07}:limit:<organization>:<owner>:<its id>:<window>:<counter>
    {s07}:limit:<organization>:<owner>:<its id>:<window>/by:<counter>:<value>

`watched-` before the owner keeps watched limits apart.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.conf import settings

from accounts.keys import generation_key, records_key, tag
from accounts.randomness import sixteen
from policies.decision import NOTHING, Decision, Judgement, Use, make

Mode = Literal["peek", "reserve", "record"]
Status = Literal[
    "ok", "stale", "full", "log full", "too many values", "too many counters"
]

STATUSES: tuple[Status, ...] = (
    "ok",
    "stale",
    "full",
    "log full",
    "too many values",
    "too many counters",
)
FULL, TOO_MANY_VALUES, TOO_MANY_COUNTERS = 1, 4, 5
TOO_MANY = {
    TOO_MANY_VALUES: "Too many different values are counted for this limit.",
    TOO_MANY_COUNTERS: "The organization has too many counters in use.",
}
DENIES, ASKS, WAIVED, WATCHED, LOOKED_AT = range(5)
# What a record and its outcome take in the stream besides the record (see call.lua).
OVERHEAD = 224
# One organization may fill a quarter of its shard's room for waiting records.
SHARE = 0.25
LONGEST_NAME = 64

_HEADER = struct.Struct("<BddBB")
_COUNTER = struct.Struct("<dddB")
_USE = struct.Struct("<BdB")
_AMOUNT = struct.Struct("<dd")
_STATE = struct.Struct("<Bd")
_DOUBLE = struct.Struct("<d")
_AMOUNT_AT = struct.calcsize("<dd")  # within a packed counter


class Script(NamedTuple):
    text: bytes
    sha: bytes


def read_script(path: Path) -> Script:
    text = path.read_bytes()
    return Script(text, hashlib.sha1(text).hexdigest().encode())


CALL = read_script(Path(__file__).parent / "call.lua")
GIVE_BACK = read_script(Path(__file__).parent / "give_back.lua")


class Owners:
    """Whose counters a grant's calls touch; made once, precomputes the keys' heads.

    `session` is what names an MCP session; without one the grant counts for it.
    """

    def __init__(
        self,
        organization: UUID,
        shard: int,
        server: UUID,
        grant: UUID,
        session: bytes | None = None,
    ) -> None:
        self.given = organization, shard, server, grant
        self.bound = settings.RECORDS_BOUND
        self.organization = organization.bytes
        self.generation = generation_key(shard, organization).encode()
        prefix = f"{tag(shard)}:limit:{organization.hex}:"
        ids = {"grant": grant.hex, "server": server.hex, "organization": ""}
        owner = {scope: f"{scope}:{name}:" for scope, name in ids.items()}
        owner["session"] = f"session:{session.hex()}:" if session else owner["grant"]
        self.heads = {
            (scope, watched): f"{prefix}{'watched-' * watched}{name}".encode()
            for scope, name in owner.items()
            for watched in (False, True)
        }
        self.prefix = len(prefix)
        self.layouts: dict[object, Layout] = {}
        self.keys = [
            self.generation,
            f"{records_key(shard)}:bytes".encode(),
            records_key(shard).encode(),
            f"{tag(shard)}:counters:{organization.hex}".encode(),
        ]

    def header(self, mode: Mode, counters: int) -> bytes:
        share = self.bound * SHARE
        return _HEADER.pack(mode == "reserve", self.bound, share, self.prefix, counters)

    def with_session(self, session: bytes | None) -> Owners:
        return Owners(*self.given, session)


def fresh_generation(owners: Owners) -> tuple[bytes, tuple[bytes, ...]]:
    """A candidate, and the command that answers the generation in force, or nothing
    where there was none and the candidate now is it."""
    candidate = sixteen()
    return candidate, (b"SET", owners.generation, candidate, b"NX", b"GET")


@dataclass(slots=True)
class _Counters:
    """The distinct counters of a call, each with its set of values."""

    keys: dict[bytes, int] = field(default_factory=dict)
    sets: dict[bytes, int] = field(default_factory=dict)
    packed: list[bytes] = field(default_factory=list)

    def place(self, owners: Owners, use: Use) -> int:
        """Its number, from 1; several limits on one counter are one place."""
        key, values = _keys(owners.heads[use.scope, use.watched], use)
        if (found := self.keys.get(key)) is not None:
            return found
        number = self.keys[key] = len(self.keys) + 1
        values_number = 0
        if values:
            values_number = self.sets.setdefault(values, len(self.sets) + 1)
        bucket = -(-use.window * 1_000_000 // 60)
        # A bucket begun now is 61 buckets old at most when it stops counting.
        life = -(-62 * bucket // 1_000)
        self.packed.append(_COUNTER.pack(bucket, life, 0, values_number))
        return number


def _keys(head: bytes, use: Use) -> tuple[bytes, bytes]:
    """A use's counter, and the set of the values that split it (or nothing)."""
    name = use.counter.encode("utf-8", "surrogatepass")
    # Longer than any name that stays as it is, so that the two kinds never meet.
    if len(name) > LONGEST_NAME:
        name = b"~" + hashlib.sha256(name).hexdigest().encode()
    if use.by is None:
        return b"%b%d:%b" % (head, use.window, name), b""
    by = use.by.hex().encode()
    return (
        b"%b%d/by:%b:%b" % (head, use.window, name, by),
        b"%b%d/values:%b" % (head, use.window, name),
    )


class Prepared(NamedTuple):
    """What the script is given, and what its reply is about."""

    keys: Sequence[bytes]
    argv: list[bytes]
    uses: int
    watched_uses: int
    counters: list[bytes]
    amounts: list[int]


def prepare(
    owners: Owners,
    generation: bytes,
    judgement: Judgement | None,
    record: bytes,
    mode: Mode,
) -> Prepared:
    """Keys and arguments of CALL.

    `peek` judges the limits and adds nothing; `reserve` adds to all or to none;
    `record` is for a call that is decided already. An empty generation is not checked,
    an empty record not appended.
    """
    if len(generation) != 16 and not (generation == b"" and mode == "record"):
        raise ValueError("a generation is 16 bytes")
    if judgement is None or not (judgement.enforced.uses or judgement.watched.uses):
        plan = owners.header(mode, 0) + b"\0"
        argv = [generation, sixteen(), plan, record, owners.organization]
        return Prepared(owners.keys, argv, 0, 0, [], [])
    layout = _layout(owners, judgement, mode)
    judged, watched = judgement.enforced.uses, judgement.watched.uses
    amounts = list(map(_AMOUNT_OF, judged + watched if watched else judged))
    if layout.firsts is not None:
        amounts = [amounts[first] for first in layout.firsts]
    pairs = zip(layout.pieces, amounts, strict=True)
    filled = layout.fill(*chain.from_iterable(pairs), layout.last)
    argv = [generation, sixteen(), filled, record, owners.organization]
    return make(
        Prepared,
        (layout.keys, argv, len(judged), len(watched), layout.counters, amounts),
    )


@dataclass(frozen=True, slots=True)
class Layout:
    """What is the same for every call that meets the same limits and values.

    Counter `n` gets its amount from the use `firsts[n]`; None: from use `n`. The plan
    is what `fill` makes of a piece before each amount, and of `last`.
    """

    keys: tuple[bytes, ...]
    counters: list[bytes]
    firsts: tuple[int, ...] | None
    pieces: tuple[bytes, ...]
    last: bytes
    fill: Callable[..., bytes]


MOST_LAYOUTS = 256
# All of a use but its amount, and the text that nobody judges by.
_FIXED, _AMOUNT_OF = itemgetter(0, 1, 2, 3, 4, 6, 7, 9), itemgetter(5)


def _layout(owners: Owners, judgement: Judgement, mode: Mode) -> Layout:
    """Remembered, in bounded room: clients choose the values that limits split by."""
    side, watched = judgement.enforced, judgement.watched
    waived = judgement.waived if side.waived or side.opened else None
    known: tuple[object, ...] = mode, waived, *map(_FIXED, side.uses)
    if watched is not NOTHING:
        free = watched.bad is None and not watched.asks
        known = known, free, *map(_FIXED, watched.uses)
    layout = owners.layouts.get(known)
    if layout is None:
        if len(owners.layouts) >= MOST_LAYOUTS:
            owners.layouts.clear()
        layout = owners.layouts[known] = _lay_out(owners, judgement, mode)
    return layout


def _lay_out(owners: Owners, judgement: Judgement, mode: Mode) -> Layout:
    counters, firsts = _Counters(), []
    uses = judgement.uses + judgement.watched_uses
    judged = []
    for index, (use, kind) in enumerate(zip(uses, _kinds(judgement), strict=True)):
        known = len(counters.keys)
        judged.append(_USE.pack(counters.place(owners, use), use.max, kind))
        if len(counters.keys) > known:
            firsts.append(index)
    header = owners.header(mode, len(firsts))
    plan = b"".join((header, *counters.packed, b"%c" % len(judged), *judged))
    pieces, at = [], 0
    for n in range(len(firsts)):
        amount = len(header) + _COUNTER.size * n + _AMOUNT_AT
        pieces.append(plan[at:amount])
        at = amount + _DOUBLE.size
    amounts = "".join(f"{len(piece)}sd" for piece in pieces)
    return Layout(
        keys=(*owners.keys, *counters.keys, *counters.sets),
        counters=list(counters.keys),
        firsts=None if len(firsts) == len(uses) else tuple(firsts),
        pieces=tuple(pieces),
        last=plan[at:],
        fill=struct.Struct(f"<{amounts}{len(plan) - at}s").pack,
    )


def _kinds(judgement: Judgement) -> list[int]:
    side = judgement.enforced
    waived = judgement.waived if side.waived or side.opened else ()
    kinds = [
        WAIVED if use.rule in waived else DENIES if use.over == "deny" else ASKS
        for use in judgement.uses
    ]
    side = judgement.watched
    # Where the watched rules would have stopped the call, it would not have counted.
    watched = WATCHED if side.bad is None and not side.asks else LOOKED_AT
    return kinds + [watched] * len(side.uses)


class ScriptReply(NamedTuple):
    """`stale` and `log full`: nothing happened. `full` and `too many ...`: recorded,
    nothing added. `generation` comes with `stale`. `retry_after` is in seconds, None
    where the limit fits or waiting does not help; `refused` is the limit with too many
    values or counters."""

    status: Status
    generation: bytes = b""
    full: tuple[bool, ...] = ()
    watched_full: tuple[bool, ...] = ()
    retry_after: tuple[int | None, ...] = ()
    refused: int | None = None
    too_many: str = ""
    buckets: tuple[int, ...] = ()

    @property
    def reserved(self) -> bool:
        return any(self.buckets)


def read_reply(prepared: Prepared, raw: Any) -> ScriptReply:
    status = STATUSES[raw[0]]
    if status in ("stale", "log full"):
        return ScriptReply(status, raw[1])
    if not raw[2]:
        return ScriptReply(status)
    _, _, states, waits, buckets = raw
    if status == "ok" and not any(states):
        return _fits(prepared, buckets)
    judged = states[: prepared.uses]
    refused = _refused(status, judged)
    return ScriptReply(
        status,
        full=tuple(state != 0 for state in judged),
        watched_full=tuple(state != 0 for state in states[prepared.uses :]),
        retry_after=tuple(wait if wait > 0 else None for wait in waits[: len(judged)]),
        refused=refused,
        too_many="" if refused is None else TOO_MANY[judged[refused]],
        buckets=tuple(buckets),
    )


def _fits(prepared: Prepared, buckets: Sequence[int]) -> ScriptReply:
    """Nearly every reply: no limit is full."""
    return make(
        ScriptReply,
        (*_fitting(prepared.uses, prepared.watched_uses), tuple(buckets)),
    )


@cache
def _fitting(judged: int, watched: int) -> tuple[object, ...]:
    full, unwatched = (False,) * judged, (False,) * watched
    return "ok", b"", full, unwatched, (None,) * judged, None, ""


def _refused(status: Status, states: Sequence[int]) -> int | None:
    if status not in ("too many values", "too many counters"):
        return None
    return next(i for i, state in enumerate(states) if state in TOO_MANY)


def read_verdict(verdict: bytes, judgement: Judgement) -> ScriptReply:
    """The reply again, from what the script wrote beside the record; `buckets` are
    then one a limit, not one a counter, and no waiting times are kept."""
    status = STATUSES[verdict[0]]
    found = list(_STATE.iter_unpack(verdict[2:]))
    states = [state for state, _ in found]
    judged = states[: len(judgement.uses)]
    refused = _refused(status, judged)
    return ScriptReply(
        status,
        full=tuple(state != 0 for state in judged),
        watched_full=tuple(state != 0 for state in states[len(judged) :]),
        retry_after=(None,) * len(judged),
        refused=refused,
        too_many="" if refused is None else TOO_MANY[judged[refused]],
        buckets=tuple(int(bucket) for _, bucket in found),
    )


def decide(judgement: Judgement, reply: ScriptReply) -> Decision:
    """The decision of a call whose limits were looked at."""
    if reply.refused is None:
        return judgement.settle(reply.full, reply.watched_full)
    use = judgement.uses[reply.refused]
    would = judgement.watched.settle(reply.watched_full)
    return Decision("deny", use.rule, use.on_deny or reply.too_many, would=would)


def give_back(
    prepared: Prepared, reply: ScriptReply
) -> tuple[list[bytes], list[bytes]] | None:
    """Keys and arguments of GIVE_BACK, or None where nothing was added."""
    added = [
        (key, _AMOUNT.pack(bucket, amount))
        for key, bucket, amount in zip(
            prepared.counters, reply.buckets, prepared.amounts, strict=True
        )
        if bucket
    ]
    if not added:
        return None
    return [key for key, _ in added], [b"".join(packed for _, packed in added)]
