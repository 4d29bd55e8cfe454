"""Limits on the real server: what is counted, what is refused, what is given back."""

from __future__ import annotations

import hashlib
import random
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import redis
from pytest_django import Settings

from config.embedded import erase, start_valkey
from policies.decision import Ask, Decision, Side
from policies.limits import (
    CALL,
    GIVE_BACK,
    Owners,
    decide,
    fresh_generation,
    prepare,
    read_reply,
    read_verdict,
)
from tests.policies.counting import (
    ACME,
    COUNT,
    GENERATION,
    GRANT,
    OTHER,
    SERVER,
    Ledger,
    judged,
    use,
)

SECOND = 1_000_000
HOUR = 3_600 * SECOND


@pytest.fixture
def ledger(valkey: redis.Redis) -> Ledger:
    return Ledger(valkey)


@pytest.fixture
def lone_ledger(tmp_path: Path) -> Iterator[Ledger]:
    """On a server of its own, where settings and statistics are those of the test."""
    server = start_valkey(tmp_path)
    yield Ledger(redis.Redis.from_url(server.url))
    server.stop()
    erase(tmp_path)


def counters(ledger: Ledger) -> dict[str, int]:
    """Totals in units by the end of the counter's key, the organization left out."""
    found = {}
    keys = list(ledger.client.scan_iter("*:limit:*", 1000, "string"))
    values = ledger.client.mget(keys) if keys else []
    for key, value in zip(keys, values, strict=True):
        if len(value) == 512:
            total = struct.unpack("<ddd", value[:24])[1]
            found[key.decode().split(":", 3)[3]] = total / COUNT
    return found


def records(ledger: Ledger) -> list[dict[bytes, bytes]]:
    return [fields for _, fields in ledger.client.xrange("{s07}:records")]


# Never more, hardly less


@dataclass
class Naive:
    """A list of what was let through, and when, in this order."""

    window: int
    max: int
    taken: list[tuple[int, int]] = field(default_factory=list)

    def held(self, since: float) -> int:
        later = takewhile(lambda taken: taken[0] > since, reversed(self.taken))
        return sum(amount for _, amount in later)

    def must_refuse(self, now: int, amount: int) -> bool:
        return amount > 0 and (
            self.held(now - self.window * SECOND) + amount > self.max
        )

    def must_pass(self, now: int, amount: int) -> bool:
        # A 1/60 late, and what rounding a bucket up to whole microseconds adds.
        late = self.window * SECOND * 61 / 60 + 61
        return amount == 0 or self.held(now - late) + amount <= self.max


def step(rng: random.Random, window: int, pace: int) -> int:
    """Microseconds until the next call: dense, sparse, and on the edges of buckets."""
    bucket = -(-window * SECOND // 60)
    dense = [0, 1, 17, rng.randrange(bucket), bucket - 1, bucket, bucket + 1]
    sparse = [
        rng.randrange(window * SECOND),
        59 * bucket,
        60 * bucket,
        61 * bucket,
        window * SECOND - 1,
        window * SECOND,
        rng.randrange(3 * window * SECOND),
    ]
    return rng.choice(sparse if rng.random() < pace / 100 else dense)


@pytest.mark.parametrize("pace", [0, 2, 10, 60])
@pytest.mark.parametrize("window", [1, 7, 60, 86_400, 2_592_000])
def test_never_more_than_max_in_any_window_and_hardly_less(
    ledger: Ledger, window: int, pace: int
) -> None:
    rng = random.Random(f"{window}/{pace}")
    naive = Naive(window, rng.choice([3, 20]) * COUNT)
    passed = refused = 0
    for _ in range(500):
        ledger.now += step(rng, window, pace)
        amount = rng.choice([COUNT, COUNT, 0, 1, rng.randrange(naive.max + 2)])
        limit = use(window=window, amount=amount)._replace(max=naive.max)
        if ledger.call(limit).full[0]:
            assert not naive.must_pass(ledger.now, amount)
            refused += 1
        else:
            assert not naive.must_refuse(ledger.now, amount)
            naive.taken.append((ledger.now, amount))
            passed += 1
    assert passed > 50
    assert refused > 8


def test_a_retry_passes_when_it_was_told_to_and_not_a_second_before(
    ledger: Ledger,
) -> None:
    rng = random.Random("retry")
    for _ in range(200):
        ledger.now += rng.randrange(20 * SECOND)
        limit = use(max=5, amount=rng.randrange(1, 6) * COUNT)
        wait = ledger.call(limit).retry_after[0]
        if wait is None:
            continue
        ledger.now += (wait - 1) * SECOND
        # The last bucket frees within this second.
        before = ledger.call(limit, mode="peek").full[0]
        ledger.now += SECOND
        assert before
        assert not ledger.call(limit, mode="peek").full[0]


def test_what_can_never_fit_is_given_no_time(ledger: Ledger) -> None:
    too_much = ledger.call(use(max=2, amount=3 * COUNT))
    never = ledger.call(use("zero", max=0))
    assert (too_much.full, too_much.retry_after) == ((True,), (None,))
    assert (never.full, never.retry_after) == ((True,), (None,))


def test_max_zero_is_full_for_nothing_too_and_else_nothing_fits(
    ledger: Ledger,
) -> None:
    assert ledger.call(use(max=0, amount=0)).full == (True,)
    assert ledger.call(use("other", max=1)).full == (False,)
    assert ledger.call(use("other", max=1)).full == (True,)
    assert ledger.call(use("other", max=1, amount=0)).full == (False,)


def test_sums_are_exact_to_a_millionth_at_the_very_top(ledger: Ledger) -> None:
    top = 9_000_000_000_000_000

    def add(amount: int) -> bool:
        return ledger.call(use(window=60, amount=amount)._replace(max=top)).full[0]

    assert not add(top - 3)
    assert not add(1)
    ledger.now += 2 * SECOND
    assert not add(1)
    assert add(2)
    assert not add(1)
    assert add(1)
    ledger.now += 60 * SECOND  # The first bucket is 62 s old, the second 60.
    assert add(top - 1)
    assert not add(top - 2)
    assert add(1)


def test_a_clock_that_goes_back_counts_as_the_last_bucket(ledger: Ledger) -> None:
    limit = use(max=2)
    ledger.call(limit)
    ledger.now -= 10 * HOUR
    assert not ledger.call(limit).full[0]
    assert ledger.call(limit).full[0]
    ledger.now += 10 * HOUR + 60 * SECOND
    assert ledger.call(limit).full[0]
    ledger.now += SECOND
    assert not ledger.call(limit).full[0]


def test_a_month_later_nothing_is_held(ledger: Ledger) -> None:
    limit = use(max=1)
    ledger.call(limit)
    ledger.now += 30 * 24 * HOUR
    assert not ledger.call(limit).full[0]


def test_a_counter_that_was_deleted_starts_anew(ledger: Ledger) -> None:
    limit = use(max=1)
    ledger.call(limit)
    for key in ledger.client.keys("*:limit:*"):
        ledger.client.delete(key)
    assert not ledger.call(limit).full[0]


def test_a_value_that_is_no_counter_denies_and_is_kept(ledger: Ledger) -> None:
    ledger.call(use(max=5))
    (key,) = ledger.client.keys("*:limit:*")
    ledger.client.set(key, b"something else")
    with pytest.raises(redis.ResponseError, match="CORRUPT"):
        ledger.call(use(max=5))
    assert ledger.client.get(key) == b"something else"
    assert len(records(ledger)) == 1


# All or none


def test_all_limits_are_reserved_or_none(ledger: Ledger) -> None:
    rng = random.Random("all or none")
    names = ["a", "b", "c", "d"]
    after = counters(ledger)
    for _ in range(300):
        ledger.now += rng.randrange(3 * SECOND)
        before = after
        chosen = [
            use(name, max=rng.randrange(1, 9), amount=rng.randrange(3) * COUNT)
            for name in rng.sample(names, rng.randrange(1, 5))
        ]
        reply = ledger.call(*chosen)
        after = counters(ledger)
        assert (reply.status == "ok") == (not any(reply.full))
        if reply.status != "ok":
            assert after == before
            assert not reply.reserved


def test_ten_limits_in_one_call(ledger: Ledger) -> None:
    scopes = ["grant", "session", "server", "organization"]
    limits = [use(f"c{n}", 60 * n, 1, scope=scopes[n % 4]) for n in range(1, 11)]
    assert ledger.call(*limits).full == (False,) * 10
    assert ledger.call(*limits).full == (True,) * 10
    assert set(counters(ledger).values()) == {1.0}
    assert len(counters(ledger)) == 10


def test_a_counter_that_several_limits_name_is_added_to_once(ledger: Ledger) -> None:
    narrow, wide = use(max=2, rule="/a"), use(max=5, rule="/b")
    for _ in range(2):
        assert ledger.call(narrow, wide).full == (False, False)
    assert ledger.call(narrow, wide).full == (True, False)
    assert list(counters(ledger).values()) == [2.0]


def test_the_name_of_a_counter(ledger: Ledger) -> None:
    one = use(max=1)
    ledger.call(one)
    same = [use(max=1, rule="/elsewhere"), use(max=1, on_deny="x")]
    apart = [
        use(max=1, window=61),
        use("calls2"),
        use(scope="server"),
        use(scope="organization"),
        use(by=b"\0" * 16),
        use(by=b"\1" * 16),
        use(watched=True),
    ]
    assert [ledger.call(limit).full for limit in same] == [(True,), (True,)]
    for limit in apart:
        reply = ledger.call(limit)
        assert not any(reply.full + reply.watched_full), limit
    assert ledger.call(use(scope="session")).full == (True,)  # no session: the grant


@pytest.mark.parametrize(
    "changed", [{"organization": OTHER}, {"grant": OTHER}, {"session": b"s"}]
)
def test_another_owner_has_another_counter(
    ledger: Ledger, changed: dict[str, Any]
) -> None:
    limit = use(scope="session")
    ledger.call(limit)
    assert not Ledger(ledger.client, **changed).call(limit).full[0]
    assert ledger.call(limit).full[0]


def test_names_cannot_be_made_to_meet(ledger: Ledger) -> None:
    by = bytes(range(16))
    digest = "~" + hashlib.sha256(b"y" * 65).hexdigest()
    names = ["x", f"x:{by.hex()}", "y" * 65, "y" * 66, digest, "a:b", "ü", "/by:x"]
    limits = [use(name) for name in names] + [use("x", by=by)]
    for limit in limits:
        assert not ledger.call(limit).full[0], limit.counter
    assert len(counters(ledger)) == len(limits)
    assert max(len(key) for key in counters(ledger)) < 200


# Modes and kinds


@pytest.mark.parametrize("mode", ["peek", "record"])
def test_looking_reserves_nothing_and_is_on_record(ledger: Ledger, mode: str) -> None:
    reply = ledger.call(use(max=1), mode=mode)
    assert (reply.status, reply.full, reply.reserved) == ("ok", (False,), False)
    assert counters(ledger) == {}
    assert len(records(ledger)) == 1
    ledger.call(use(max=1))
    assert ledger.call(use(max=1), mode=mode).full == (True,)


def test_a_limit_that_asks_is_full_and_one_that_is_waived_counts(
    ledger: Ledger,
) -> None:
    asks = use(max=1, over="require_approval", rule="/limits/0")
    ledger.call(asks)
    reply = ledger.call(asks)
    assert (reply.status, reply.full) == ("full", (True,))
    waived = ledger.call(asks, waived=frozenset({"/limits/0"}))
    assert (waived.status, waived.full, waived.reserved) == ("ok", (False,), True)
    assert list(counters(ledger).values()) == [2.0]


def test_waived_past_what_doubles_count_exactly_is_full(ledger: Ledger) -> None:
    waived = frozenset({"/limits/0"})
    limit = use(rule="/limits/0", over="require_approval", amount=9 * 10**15 - 1)
    assert ledger.call(limit, waived=waived).full == (False,)
    assert ledger.call(limit, waived=waived).full == (True,)


def test_watched_limits_never_refuse_and_count_what_they_would_let_pass(
    ledger: Ledger,
) -> None:
    watched, enforced = use("w", max=1, watched=True), use("e", max=3)
    replies = [ledger.call(enforced, watched) for _ in range(4)]
    assert [reply.status for reply in replies] == ["ok", "ok", "ok", "full"]
    assert [reply.watched_full[0] for reply in replies] == [False, True, True, True]
    assert sorted(counters(ledger).values()) == [1.0, 3.0]


@pytest.mark.parametrize(
    "stopped",
    [
        {"bad": Decision("deny", "/bad", None)},
        {"asks": (Ask("/tools/x/approve_if/0", None),)},
    ],
)
def test_what_watched_rules_would_have_stopped_is_not_counted_for_them(
    ledger: Ledger, stopped: dict[str, Any]
) -> None:
    side = Side(uses=(use("w", watched=True),), **stopped)
    for _ in range(2):
        reply = ledger.call(use("e", max=9), watched=side)
        assert (reply.status, reply.watched_full) == ("ok", (False,))
    assert list(counters(ledger).values()) == [2.0]


def test_too_many_watched_values_do_not_refuse(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, "BY_BOUND", 1)
    for n in range(2):
        reply = ledger.call(use("w", by=bytes([n]) * 16, watched=True))
        assert reply.status == "ok"
    assert reply.watched_full == (True,)


# Bounds


def bounded(monkeypatch: pytest.MonkeyPatch, name: str, value: int) -> None:
    """The script with a smaller bound in place of the real one."""
    from tests.policies import counting

    line = b"local BY_BOUND, COUNTERS_BOUND, SWEEP = 10000, 200000, 50"
    values = {"BY_BOUND": 10000, "COUNTERS_BOUND": 200000} | {name: value}
    smaller = b"local BY_BOUND, COUNTERS_BOUND, SWEEP = %d, %d, 50"
    assert counting.DRIVEN.count(line) == 1
    text = counting.DRIVEN.replace(line, smaller % tuple(values.values()))
    monkeypatch.setattr(counting, "DRIVEN", text)


def value(n: int) -> bytes:
    return n.to_bytes(16, "big")


def test_ten_thousand_live_values_and_not_one_more(ledger: Ledger) -> None:
    limit = use(window=60, max=2)
    ledger.call(limit._replace(by=value(0)))
    (values,) = ledger.client.keys("*/values:*")
    later = ledger.now // 1000 + 60_000
    ledger.client.zadd(values, {value(n).hex(): later for n in range(1, 10_000)})
    refused = ledger.call(limit._replace(by=value(10_000)))
    assert (refused.status, refused.refused) == ("too many values", 0)
    assert not refused.reserved
    assert ledger.call(limit._replace(by=value(0))).status == "ok"


def test_values_that_left_the_window_make_room_fifty_at_a_time(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, "BY_BOUND", 120)
    limit = use(window=60)
    for n in range(120):
        assert ledger.call(limit._replace(by=value(n))).status == "ok"
    assert ledger.call(limit._replace(by=value(200))).status == "too many values"
    (values,) = ledger.client.keys("*/values:*")
    assert ledger.client.zcard(values) == 120
    ledger.now += 63 * SECOND
    assert ledger.call(limit._replace(by=value(200))).status == "ok"
    assert ledger.client.zcard(values) == 120 - 50 + 1


def test_a_value_stays_live_as_long_as_it_is_used(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, "BY_BOUND", 2)
    limit = use(window=60, max=100)
    ledger.call(limit._replace(by=value(1)))
    ledger.call(limit._replace(by=value(2)))
    for _ in range(5):
        ledger.now += 40 * SECOND
        assert ledger.call(limit._replace(by=value(1))).status == "ok"
    assert ledger.call(limit._replace(by=value(3))).status == "ok"
    assert ledger.call(limit._replace(by=value(4))).status == "too many values"


def test_an_organization_has_a_bound_over_all_its_counters(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, "COUNTERS_BOUND", 3)
    assert ledger.call(use("a"), use("b")).status == "ok"
    both = ledger.call(use("c"), use("d"))
    assert (both.status, both.refused) == ("too many counters", 1)
    assert ledger.call(use("c")).status == "ok"
    assert ledger.call(use("d")).status == "too many counters"
    assert ledger.call(use("a", max=2)).status == "ok"
    assert Ledger(ledger.client, organization=OTHER).call(use("a")).status == "ok"
    ledger.now += 63 * SECOND
    assert ledger.call(use("d")).status == "ok"


def test_a_counter_in_use_is_not_swept_from_the_organizations_count(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, "COUNTERS_BOUND", 2)
    ledger.call(use("a", max=100))
    ledger.call(use("b", max=100))
    for _ in range(5):
        ledger.now += 40 * SECOND
        assert ledger.call(use("a", max=100)).status == "ok"
    assert ledger.call(use("c")).status == "ok"
    assert ledger.call(use("d")).status == "too many counters"


def test_a_full_limit_before_the_one_with_too_many_values_decides(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, "BY_BOUND", 1)
    split = use("split", by=value(1), rule="/split")
    ledger.call(split)
    full, new = use("full", max=0, rule="/full"), split._replace(by=value(2))
    asks = full._replace(over="require_approval", rule="/asks")
    assert ledger.call(full, new).status == "full"
    assert ledger.call(new, full).status == "too many values"
    reply = ledger.call(asks, new)
    assert (reply.status, reply.refused) == ("too many values", 1)
    decision = decide(judged(asks, new), reply)
    assert (decision.decision, decision.rule) == ("deny", "/split")
    assert decision.reason is not None


def test_the_log_has_room_for_a_shard_and_a_quarter_of_it_for_one(
    ledger: Ledger, settings: Settings
) -> None:
    settings.RECORDS_BOUND = 40_000
    ledger, other = Ledger(ledger.client), Ledger(ledger.client, organization=OTHER)
    record = b"x" * 776  # 1,000 with what surrounds it
    own = [ledger.call(record=record).status for _ in range(12)]
    assert own == ["ok"] * 10 + ["log full"] * 2
    assert other.call(record=record).status == "ok"
    for n in range(100, 140):
        Ledger(ledger.client, organization=uuid.UUID(int=n)).call(record=record)
    assert ledger.client.xlen("{s07}:records") == 40
    refused = other.call(use("untouched"), record=record)
    assert refused.status == "log full"
    assert counters(ledger) == {}


# Generation


def test_a_stale_generation_changes_nothing(ledger: Ledger) -> None:
    ledger.client.set(ledger.owners.generation, b"n" * 16)
    reply = ledger.call(use())
    assert (reply.status, reply.generation) == ("stale", b"n" * 16)
    assert records(ledger) == []
    assert counters(ledger) == {}


def test_a_missing_generation_is_made_and_is_stale(ledger: Ledger) -> None:
    seen = set()
    for _ in range(3):
        ledger.client.delete(ledger.owners.generation)
        reply = ledger.call(use())
        assert reply.status == "stale"
        assert reply.generation == ledger.client.get(ledger.owners.generation)
        assert len(reply.generation) == 16
        seen.add(reply.generation)
    assert len(seen) == 3


def test_the_loader_reads_the_generation_or_makes_it(ledger: Ledger) -> None:
    candidate, command = fresh_generation(ledger.owners)
    assert ledger.client.execute_command(*command) == GENERATION
    ledger.client.delete(ledger.owners.generation)
    assert ledger.client.execute_command(*command) is None
    assert ledger.client.get(ledger.owners.generation) == candidate


def test_only_a_record_goes_without_a_generation(ledger: Ledger) -> None:
    prepared = prepare(ledger.owners, b"", None, b"r", "record")
    reply = read_reply(prepared, evaluate(ledger, CALL.text, prepared))
    assert reply.status == "ok"
    for mode in ("peek", "reserve"):
        with pytest.raises(ValueError):
            prepare(ledger.owners, b"", None, b"r", mode)


def evaluate(ledger: Ledger, text: bytes, prepared: Any) -> Any:
    return ledger.client.eval(text, len(prepared.keys), *prepared.keys, *prepared.argv)


# Record


def test_the_record_says_what_was_reserved(ledger: Ledger) -> None:
    uses = (use("a", max=1), use("b", max=5, scope="server"))
    judgement = judged(*uses)
    ledger.call(*uses, record=b"what the gateway knows")
    ledger.call(*uses, record=b"again")
    first, second = records(ledger)
    assert first[b"c"] == b"what the gateway knows"
    assert first[b"o"] == ACME.bytes
    told = read_verdict(first[b"v"], judgement)
    bucket = ledger.now // SECOND
    assert (told.status, told.full, told.buckets) == (
        "ok",
        (False, False),
        (bucket, bucket),
    )
    told = read_verdict(second[b"v"], judgement)
    assert (told.status, told.full, told.buckets) == ("full", (True, False), (0, 0))


def test_the_decision_is_the_same_from_the_record(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, "BY_BOUND", 1)
    one = use("split", by=value(1), on_deny="Too many accounts.")
    two = one._replace(by=value(2))
    ledger.call(one)
    reply = ledger.call(two)
    judgement = judged(two)
    told = read_verdict(records(ledger)[1][b"v"], judgement)
    assert decide(judgement, told) == decide(judgement, reply)
    assert decide(judgement, reply) == Decision("deny", two.rule, "Too many accounts.")


# Errors come before the first write


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_key_of_another_type_fails_before_anything_is_written(
    ledger: Ledger, place: int
) -> None:
    key = ledger.owners.keys[place]
    ledger.client.set(key, "no such type")
    with pytest.raises(redis.ResponseError):
        ledger.call(use())
    assert counters(ledger) == {}
    assert place == 2 or records(ledger) == []


def test_values_of_another_type_fail_before_anything_is_written(
    ledger: Ledger,
) -> None:
    limit = use(by=value(1))
    ledger.call(limit)
    (values,) = ledger.client.keys("*/values:*")
    ledger.client.delete(values)
    ledger.client.set(values, "no such type")
    ledger.now += 2 * SECOND
    with pytest.raises(redis.ResponseError):
        ledger.call(limit._replace(max=5 * COUNT))
    assert len(records(ledger)) == 1
    assert list(counters(ledger).values()) == [1.0]


def test_a_server_that_is_full_refuses_before_anything_is_written(
    lone_ledger: Ledger,
) -> None:
    used = int(lone_ledger.client.info("memory")["used_memory"])
    lone_ledger.client.config_set("maxmemory", used // 2)
    with pytest.raises(redis.OutOfMemoryError):
        lone_ledger.call(use())
    lone_ledger.client.config_set("maxmemory", 0)
    assert records(lone_ledger) == []
    assert counters(lone_ledger) == {}


@pytest.mark.parametrize("window", [1, 60, 1_000_000, 2_592_000])
def test_a_counter_lives_as_long_as_it_counts(ledger: Ledger, window: int) -> None:
    """By the unchanged script, for windows whose life is a round number too."""
    judgement = judged(use(window=window, by=value(1)))
    prepared = prepare(ledger.owners, GENERATION, judgement, b"r", "reserve")
    assert read_reply(prepared, evaluate(ledger, CALL.text, prepared)).reserved
    for key in ledger.client.keys("*:limit:*"):
        life = ledger.client.pttl(key) / 1000
        assert window * 61 / 60 < life <= window * 62 / 60 + 1
    assert ledger.client.pttl(ledger.owners.keys[3]) > 30 * 86_400 * 1000


# Giving back


def test_given_back_to_the_bucket_it_came_from(ledger: Ledger) -> None:
    limit = use(max=10)
    first, second = ledger.call(limit), None
    prepared = ledger.last[0] if ledger.last else None
    assert prepared
    ledger.now += 30 * SECOND
    second = ledger.call(limit)
    ledger.give_back(prepared, first)
    assert list(counters(ledger).values()) == [1.0]
    # What is left is the later one: it leaves the window with its own bucket.
    ledger.now += 40 * SECOND
    assert not ledger.call(use(max=2)).full[0]
    assert list(counters(ledger).values()) == [2.0]
    assert second.buckets[0] == first.buckets[0] + 30


def test_given_back_at_once(ledger: Ledger) -> None:
    limits = use("a"), use("b", scope="server"), use("c", amount=0)
    reply = ledger.call(*limits)
    assert ledger.last
    ledger.give_back(*ledger.last)
    assert set(counters(ledger).values()) == {0.0}
    assert ledger.call(*limits).status == "ok"
    assert reply.buckets[2] == 0


@pytest.mark.parametrize("seconds", [61, 100, 3_600])
def test_what_left_the_window_is_not_given_back(ledger: Ledger, seconds: int) -> None:
    ledger.call(use(max=10))
    assert ledger.last
    old = ledger.last
    ledger.now += seconds * SECOND
    ledger.call(use(max=10))
    ledger.give_back(*old)
    assert list(counters(ledger).values()) == [1.0]


def test_never_below_zero(ledger: Ledger) -> None:
    ledger.call(use(max=10, amount=3 * COUNT))
    assert ledger.last
    mine = ledger.last
    ledger.client.delete(*ledger.client.keys("*:limit:*"))
    ledger.call(use(max=10))
    ledger.give_back(*mine)
    assert list(counters(ledger).values()) == [0.0]
    ledger.client.delete(*ledger.client.keys("*:limit:*"))
    ledger.give_back(*mine)
    assert counters(ledger) == {}


def test_never_below_zero_in_a_bucket_that_has_passed(ledger: Ledger) -> None:
    ledger.call(use(max=10, amount=3 * COUNT))
    assert ledger.last
    mine = ledger.last
    ledger.client.delete(*ledger.client.keys("*:limit:*"))
    ledger.call(use(max=10))
    ledger.now += 5 * SECOND
    ledger.call(use(max=10))
    ledger.give_back(*mine)
    assert list(counters(ledger).values()) == [1.0]


def test_random_give_backs_keep_the_total_the_sum_of_the_buckets(
    ledger: Ledger,
) -> None:
    rng = random.Random("give back")
    naive: list[tuple[int, int]] = []
    open_calls = []
    for _ in range(400):
        ledger.now += rng.randrange(3 * SECOND)
        amount = rng.randrange(1, 4) * COUNT
        if not ledger.call(use(max=40, amount=amount)).full[0]:
            assert ledger.last
            open_calls.append((ledger.last, (ledger.now, amount)))
            naive.append((ledger.now, amount))
        if open_calls and rng.random() < 0.4:
            call, taken = open_calls.pop(rng.randrange(len(open_calls)))
            ledger.give_back(*call)
            naive.remove(taken)
        ledger.call(use(max=40, amount=COUNT), mode="reserve")
        if ledger.last and ledger.last[1].reserved:
            naive.append((ledger.now, COUNT))
        oldest = ledger.now // SECOND - 60
        held = sum(a for at, a in naive if at // SECOND >= oldest)
        assert list(counters(ledger).values()) == [held / COUNT]


# Cost


def commands(ledger: Ledger, text: bytes, prepared: Any) -> list[str]:
    """The commands that the script ran, from the server's own counts."""
    ledger.client.config_resetstat()
    evaluate(ledger, text, prepared)
    stats = ledger.client.info("commandstats")
    ran = {name.removeprefix("cmdstat_"): int(s["calls"]) for name, s in stats.items()}
    outside = {"eval", "config|resetstat", "info"}
    return sorted(name for name in ran if name not in outside for _ in range(ran[name]))


def test_a_warm_call_reads_once_and_writes_a_head_each(lone_ledger: Ledger) -> None:
    uses = tuple(use(f"c{n}", window=2_592_000, max=100) for n in range(3))
    judgement = judged(*uses)
    prepared = prepare(lone_ledger.owners, GENERATION, judgement, b"r", "reserve")
    evaluate(lone_ledger, CALL.text, prepared)
    assert commands(lone_ledger, CALL.text, prepared) == sorted(
        ["hmget", "hset", "mget", "setrange", "setrange", "setrange", "time", "xadd"]
    )


def test_a_call_without_limits_asks_for_no_time(lone_ledger: Ledger) -> None:
    prepared = prepare(lone_ledger.owners, GENERATION, None, b"r", "record")
    ran = commands(lone_ledger, CALL.text, prepared)
    assert ran == ["hmget", "hset", "mget", "xadd"]


def test_every_key_is_declared_and_in_the_organizations_slot() -> None:
    owners = Owners(ACME, 7, SERVER, GRANT, b"session")
    uses = (use(by=value(1)), use("x", scope="session"), use("w", watched=True))
    judgement = judged(*uses)
    prepared = prepare(owners, GENERATION, judgement, b"r", "reserve")
    assert all(key.startswith(b"{s07}:") for key in prepared.keys)
    for text in (CALL.text, GIVE_BACK.text):
        assert b"'{s" not in text and b"tostring" not in text
