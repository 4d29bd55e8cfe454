"""Entries: what is written is what is read, in bounded size, whatever the texts."""

from __future__ import annotations

import hashlib
import random
import uuid
from typing import Any

import pytest

from audit.entries import (
    LARGEST,
    CallEntry,
    EntryError,
    OutcomeEntry,
    decode_call,
    decode_outcome,
    encode_call,
    encode_outcome,
)
from audit.ids import uuid7
from policies.decision import Ask, Decision, Judgement, Side
from tests.cases import cases
from tests.policies.counting import use

ACME = uuid.UUID(int=1)
FULL = Judgement(
    Side(
        uses=(use("a"), use("b", by=b"x" * 16, over="require_approval")),
        bad=Decision("deny", "/bad", "why"),
        asks=(Ask("/ask", None), Ask("/ask2", "because")),
        waived=frozenset({"/x", "/y"}),
    ),
    Side(decided=Decision("limit", "/w", None), uses=(use("w", watched=True),)),
    Decision("allow", "(break-glass 1)", None),
)


def entry(**changed: Any) -> CallEntry:
    given: dict[str, Any] = {
        "id": uuid7(),
        "organization": ACME,
        "shard": 7,
        "grant_id": uuid.uuid4(),
        "grant": "bot",
        "server_id": uuid.uuid4(),
        "server": "payments",
        "member": "alice@example.com",
        "method": "tools/call",
        "name": "create_refund",
        "policy_id": uuid.uuid4(),
        "policy_version": 4,
        "policy_digest": "d" * 64,
        "judgement": FULL,
    }
    return CallEntry(**(given | changed))


@cases(
    "changed",
    [
        {},
        {"judgement": None, "decision": "deny", "rule": "(revoked)", "reason": "Gone."},
        {"judgement": Judgement(Side())},
        {"grant_id": None, "server_id": None, "policy_id": None},
        {"name": "ü\0\n<b>", "client": "😀"},
        {"approval": uuid.uuid4()},
    ],
)
def test_a_call_is_read_as_it_was_written(changed: dict[str, Any]) -> None:
    written = entry(**changed)
    assert decode_call(encode_call(written)).entry == written


def test_arguments_are_the_very_bytes() -> None:
    arguments = b'{"n":1.10000000000000000001,"s":"\\u0000 \xc3\xbc"}'
    kept = decode_call(encode_call(entry(arguments=arguments))).kept
    assert kept is not None
    assert (kept.text, kept.length, kept.digest) == (arguments, len(arguments), "")


def test_long_arguments_are_digest_length_and_what_rules_read() -> None:
    arguments = b'{"x":"' + b"y" * 8192 + b'"}'
    written = entry(arguments=arguments, read=b'{"args.amount":5}')
    kept = decode_call(encode_call(written)).kept
    assert kept is not None
    assert kept.text is None
    assert kept.digest == hashlib.sha256(arguments).hexdigest()
    assert kept.length == len(arguments)
    assert kept.read == b'{"args.amount":5}'


def test_no_arguments_are_not_empty_arguments() -> None:
    assert decode_call(encode_call(entry(arguments=None))).kept is None
    empty = decode_call(encode_call(entry(arguments=b"{}"))).kept
    assert empty is not None and empty.text == b"{}"


HOSTILE = ["\0", "\ud800", "x", "\U0001f600", '"', "\\", "é", "\x1f"]


@cases("seed", range(20))
def test_never_more_than_16_kib_whatever_the_texts(seed: int) -> None:
    rng = random.Random(seed)

    def text(most: int) -> str:
        return rng.choice(HOSTILE) * rng.randrange(most)

    limits = tuple(
        use(text(2000), rule="/tools/" + "\0" * 100, on_deny=text(5000), by=b"b" * 16)
        for _ in range(10)
    )
    asks = tuple(Ask(f"/tools/{'g' * 128}/approve_if/{n}", text(9)) for n in range(200))
    written = entry(
        name=text(5000),
        client=text(5000),
        grant=text(100),
        method=text(5000),
        reason=text(50_000),
        arguments=rng.choice([None, b"1" * 8192, b"2" * 500_000]),
        read=b"3" * rng.randrange(20_000),
        judgement=Judgement(Side(uses=limits, asks=asks)),
    )
    data = encode_call(written)
    assert len(data) <= LARGEST
    read = decode_call(data).entry
    assert read.id == written.id
    assert read.judgement is not None
    assert len(read.judgement.uses) == 10
    assert [u.rule for u in read.judgement.uses] == [u.rule for u in limits]


def test_an_outcome_names_the_approval_that_the_call_asked_for() -> None:
    written = OutcomeEntry(
        id=uuid7(), organization=ACME, status="refused", approval=uuid.uuid4()
    )
    assert decode_outcome(encode_outcome(written)) == written


def test_an_outcome_is_read_as_it_was_written() -> None:
    written = OutcomeEntry(
        id=uuid7(),
        organization=ACME,
        status="error",
        error_code=-32602,
        is_error=None,
        bytes=12,
        milliseconds=1.25,
        given_back=True,
        detail="x" * 5000,
    )
    read = decode_outcome(encode_outcome(written))
    assert len(read.detail) == 1024
    read = read._replace(detail=written.detail)
    assert read == written


@cases(
    "data", [b"", b"\x01", b"\x02[]", b"\x01\0\0\0\x02[]", b"\x01\xff\xff\xff\xff{}"]
)
def test_what_is_no_entry_is_an_error(data: bytes) -> None:
    with pytest.raises(EntryError):
        decode_call(data)
    with pytest.raises(EntryError):
        decode_outcome(data)


def test_any_damage_is_an_error_or_another_entry_but_no_crash() -> None:
    rng = random.Random(7)
    whole = encode_call(entry(arguments=b"{}"))
    for _ in range(2_000):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            decode_call(bytes(data[: rng.randrange(len(data) + 1)]))
        except EntryError:
            continue
