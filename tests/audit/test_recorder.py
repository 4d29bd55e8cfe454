"""The recorder as a process: killed, doubled, cut off, and given what is bad."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
import redis
from django.db import connection
from django.utils import timezone

from accounts.models import Organization
from audit.ids import first_id, uuid7
from audit.models import Quarantined, Record
from audit.recorder import LOCK_CLASS, Recorder
from audit.stream import Streams
from config.embedded import erase, start_postgres, start_valkey
from policies.decision import Ask, Decision, Judgement, Side
from tests.audit.recording import (
    Gateway,
    forked_recorders,
    recorder,
    until,
)
from tests.policies.counting import COUNT, use
from tests.run.forks import Forks
from tests.system.prepared import prepare

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def gateway(valkey: Any, acme: Organization) -> Gateway:
    return Gateway(valkey, acme)


@pytest.fixture(scope="module")
def recorders(django_db_setup: None) -> Iterator[Forks]:
    with forked_recorders() as running:
        yield running


def stored() -> Any:
    return Record.objects.across_organizations()


def recorded(count: int) -> Any:
    return lambda: stored().count() >= count


def locked() -> int:
    """The shards that some recorder of this test's database holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database"
            " WHERE locktype = 'advisory' AND classid = %s"
            " AND datname = current_database()",
            [LOCK_CLASS],
        )
        return int(cursor.fetchone()[0])


def round_once() -> None:
    """One round of a recorder in this process, for what needs no process. The one
    before it has gone, and its session may end a moment later."""
    until(lambda: locked() == 0)
    one = Recorder()
    one.round()
    one._close()


@pytest.mark.parametrize("first", ["call", "outcome"])
def test_the_approval_comes_with_the_call_or_with_its_outcome(
    gateway: Gateway, first: str
) -> None:
    ran, asked, approval = uuid7(), uuid7(), uuid.uuid4()
    if first == "outcome":
        gateway.outcome(asked, status="refused", approval=approval)
        round_once()
    gateway.call(id=ran, approval=approval)
    gateway.call(id=asked, judgement=None, decision="require_approval", rule="/a")
    if first == "call":
        round_once()
        gateway.outcome(asked, status="refused", approval=approval)
    round_once()

    rows = {row.id: row for row in stored()}
    assert rows[ran].approval_id == rows[asked].approval_id == approval
    assert (rows[ran].outcome, rows[asked].outcome) == (None, "refused")
    assert rows[asked].decision == "require_approval"


def test_a_call_and_its_outcome_become_one_record(
    gateway: Gateway, acme: Organization, recorders: Forks
) -> None:
    with recorders.one():
        id = gateway.call(policy_version=3, policy_digest="d" * 64)
        gateway.outcome(id, milliseconds=12.5, bytes=991, is_error=False)
        until(lambda: stored().filter(outcome="ok").exists())
        until(lambda: gateway.waiting == 0)
    record = Record.objects.for_organization(acme).get()
    assert record.id == id
    assert abs(record.time - timezone.now()) < timedelta(seconds=60)
    assert (record.grant_label, record.server_name) == ("support-bot", "payments")
    assert (record.method, record.name) == ("tools/call", "create_refund")
    assert (record.decision, record.rule, record.outcome) == ("allow", None, "ok")
    assert (record.duration_ms, record.answer_bytes) == (12.5, 991)
    assert record.arguments == '{"amount":5}'
    assert gateway.client.exists("{s07}:records:bytes") == 0


def test_what_the_script_decided_is_on_record(gateway: Gateway) -> None:
    limit = use(max=1, rule="/tools/create_refund/limits/0", on_deny="Once.")
    judgement = Judgement(Side(uses=(limit,)))
    gateway.call(judgement=judgement)
    gateway.call(judgement=judgement)
    asks = Judgement(
        Side(asks=(Ask("/tools/create_refund/approve_if/0", "Large"),)),
        Side(decided=Decision("deny", "/all_tools/deny_if/0", "Watched.")),
    )
    gateway.call(mode="peek", judgement=asks)
    round_once()
    first, second, third = stored().order_by("time", "id")
    assert (first.decision, first.outcome) == ("allow", None)
    assert orjson.loads(first.limits)[0]["bucket"] > 0
    assert orjson.loads(first.limits)[0]["amount"] == COUNT
    assert (second.decision, second.rule) == ("limit", limit.rule)
    assert (second.reason, second.outcome) == ("Once.", "refused")
    assert (
        orjson.loads(second.limits)[0] | {"bucket": None, "full": True}
        == (orjson.loads(second.limits)[0])
    )
    assert (third.decision, third.reason) == ("require_approval", "Large")
    assert (third.would_decision, third.would_rule) == (
        "deny",
        "/all_tools/deny_if/0",
    )


@pytest.mark.parametrize("together", [True, False])
def test_an_outcome_that_comes_before_its_record(
    gateway: Gateway, together: bool
) -> None:
    id = uuid7()
    gateway.outcome(id, "tool_error", is_error=True)
    if not together:
        round_once()
        assert stored().get().method is None
    gateway.call(id=id)
    round_once()
    record = stored().get()
    assert (record.method, record.outcome) == ("tools/call", "tool_error")


def test_without_an_outcome_in_time_it_is_unknown_and_a_late_one_wins(
    gateway: Gateway,
) -> None:
    old = first_id(timezone.now() - timedelta(minutes=20))
    id = gateway.call(id=uuid.UUID(int=old.int | 7 << 76))
    young = gateway.call()
    round_once()
    round_once()
    assert stored().get(id=id).outcome == "unknown"
    assert stored().get(id=young).outcome is None
    gateway.outcome(id, "ok", milliseconds=1.0)
    round_once()
    assert (stored().get(id=id).outcome, stored().get(id=id).duration_ms) == ("ok", 1.0)
    gateway.outcome(id, "error")
    gateway.outcome(id, "unknown")
    round_once()
    assert stored().get(id=id).outcome == "ok"


def test_only_what_is_empty_is_filled(gateway: Gateway) -> None:
    id = gateway.call()
    round_once()
    gateway.call(id=id, name="something_else", arguments=b"{}")
    round_once()
    assert stored().get().name == "create_refund"
    assert stored().get().arguments == '{"amount":5}'


# What is bad


def test_a_nul_is_made_visible_and_keeps_no_call_out_of_the_log(
    gateway: Gateway,
) -> None:
    gateway.call(client="a\0b", name="x\0", arguments=b'{"a":"\\u0000"}')
    round_once()
    record = stored().get()
    assert (record.client, record.name) == ("a␀b", "x␀")
    assert record.arguments == '{"a":"\\u0000"}'
    assert not Quarantined.objects.across_organizations().exists()


def test_what_postgres_refuses_is_found_and_quarantined_whole(
    gateway: Gateway, acme: Organization
) -> None:
    good = [gateway.call() for _ in range(20)]
    # No partition will ever be made for the year 3000.
    bad = uuid.UUID(int=(32_503_680_000_000 << 80) | (7 << 76))
    gateway.call(id=bad)
    good += [gateway.call() for _ in range(20)]
    round_once()
    assert set(stored().values_list("id", flat=True)) == set(good)
    quarantined = Quarantined.objects.for_organization(acme).get()
    assert "partition" in quarantined.reason
    assert quarantined.shard == acme.shard
    whole = orjson.loads(bytes(quarantined.fields))
    assert set(whole) == {b"o".hex(), b"c".hex(), b"v".hex()}
    assert gateway.waiting == 0


@pytest.mark.parametrize(
    "fields",
    [
        {b"o": b"\1" * 16, b"c": b"\1"},
        {b"o": b"\1" * 16, b"c": b"\x02 of the future", b"v": b"\0\0"},
        {b"r": b"\1[1,2"},
        {b"o": b"short", b"x": b"neither"},
        {b"r": b'\1["not-a-uuid",1,"ok",null,null,0,0,false,""]'},
        {b"r": b"\xff\xfe"},
    ],
)
def test_what_is_no_entry_is_quarantined_and_stops_nobody(
    gateway: Gateway, fields: dict[bytes, bytes]
) -> None:
    gateway.call()
    gateway.client.xadd("{s07}:records", fields)
    gateway.call()
    round_once()
    assert stored().count() == 2
    assert Quarantined.objects.across_organizations().count() == 1
    assert gateway.waiting == 0


def test_a_record_whose_verdict_is_missing_is_quarantined(gateway: Gateway) -> None:
    gateway.call()
    ((_, fields),) = gateway.client.xrange("{s07}:records")
    gateway.client.delete("{s07}:records")
    gateway.client.xadd("{s07}:records", {b"o": fields[b"o"], b"c": fields[b"c"]})
    round_once()
    assert Quarantined.objects.across_organizations().count() == 1


def test_being_killed_before_the_trim_quarantines_once(gateway: Gateway) -> None:
    gateway.client.xadd("{s07}:records", {b"x": b"y"}, id="5-1")
    round_once()
    gateway.client.delete("{s07}:records")
    gateway.client.xadd("{s07}:records", {b"x": b"y"}, id="5-1")
    round_once()
    assert Quarantined.objects.across_organizations().count() == 1


# Room


def test_the_room_is_given_back_as_records_are_taken(
    gateway: Gateway, other: Organization
) -> None:
    stranger = Gateway(gateway.client, other)
    for _ in range(600):
        gateway.call()
        stranger.call()
    before = {k: int(v) for k, v in gateway.client.hgetall(f"{KEY}:bytes").items()}
    round_once()  # 500 of 1,200
    after = {k: int(v) for k, v in gateway.client.hgetall(f"{KEY}:bytes").items()}
    assert gateway.waiting == 700
    left = [fields for _, fields in gateway.client.xrange(KEY)]
    for own in (gateway.organization, other):
        mine = [f for f in left if f[b"o"] == own.pk.bytes]
        assert after[own.pk.bytes] == sum(len(f[b"c"]) + 224 for f in mine)
        assert before[own.pk.bytes] > after[own.pk.bytes]
    assert after[b""] == sum(len(f[b"c"]) + 224 for f in left)
    round_once()
    round_once()
    assert gateway.client.exists(f"{KEY}:bytes") == 0


KEY = "{s07}:records"


def test_what_another_recorder_trimmed_is_not_given_back_twice(
    gateway: Gateway,
) -> None:
    gateway.call()
    one, two = Recorder(), Recorder()
    slow, quick = Streams(os.environ["REDIS_URL"]), Streams(os.environ["REDIS_URL"])
    entries = slow.first(7)
    one._write(7, entries)
    two._write(7, quick.first(7))
    quick.trim(7, entries)
    gateway.call()
    held = quick.held(7)
    slow.trim(7, entries)
    assert quick.held(7) == held > 0
    assert gateway.waiting == 1
    for streams in (slow, quick):
        streams.close()


# Killed, doubled, cut off


@pytest.mark.slow
def test_killed_in_the_middle_it_loses_and_doubles_nothing(
    gateway: Gateway, recorders: Forks
) -> None:
    ids: list[uuid.UUID] = []
    stop = threading.Event()

    def traffic() -> None:
        while not stop.is_set():
            id = gateway.call()
            gateway.outcome(id)
            ids.append(id)

    thread = threading.Thread(target=traffic)
    thread.start()
    try:
        for kill in range(3):
            with recorders.one():
                seen = stored().count()
                until(recorded(seen + 200 + 50 * kill))
    finally:
        stop.set()
        thread.join()
    with recorders.one():
        until(lambda: gateway.waiting == 0)
    found = Counter(stored().values_list("id", flat=True))
    assert found == Counter(ids)
    assert stored().exclude(outcome="ok").count() == 0


@pytest.mark.slow
def test_two_at_once_and_one_takes_over(gateway: Gateway, recorders: Forks) -> None:
    with recorders.one() as first:
        until(lambda: held_locks() == 64)
        with recorders.one() as second:
            ids = [gateway.call() for _ in range(300)]
            until(recorded(300))
            assert first.lives() and second.lives()
            first.end()
            ids += [gateway.call() for _ in range(300)]
            until(recorded(600))
            assert Counter(stored().values_list("id", flat=True)) == Counter(ids)


def held_locks() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE locktype = 'advisory' AND d.datname = current_database()"
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def test_told_to_stop_it_ends_cleanly_and_at_once(
    gateway: Gateway, tmp_path: Path
) -> None:
    heart = tmp_path / "heart"
    with recorder(RECORDER_HEARTBEAT=str(heart)) as process:
        until(heart.exists)
        beat = heart.stat().st_mtime_ns
        until(lambda: heart.stat().st_mtime_ns > beat, 5)
        gateway.call()
        until(recorded(1))
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert time.monotonic() - started < 2
    assert held_locks() == 0


@pytest.mark.slow
def test_postgres_and_valkey_go_away_and_come_back(
    tmp_path: Path, acme: Organization
) -> None:
    prepare(tmp_path)
    postgres = start_postgres(tmp_path, durable=False)
    valkey = start_valkey(tmp_path)
    url = {"DATABASE_URL": postgres.url, "REDIS_URL": valkey.url}
    try:
        client = redis.Redis.from_url(valkey.url)
        gateway = Gateway(client, acme)
        with recorder(**url) as process:
            ids = {gateway.call() for _ in range(50)}
            until(lambda: ids <= there(postgres.url))
            postgres.stop()
            ids |= {gateway.call() for _ in range(50)}
            postgres = start_postgres(tmp_path, durable=False)
            until(lambda: ids <= there(postgres.url))
            os.kill(valkey.pid, signal.SIGKILL)
            valkey.stop()
            valkey = start_valkey(tmp_path)
            ids |= {gateway.call() for _ in range(50)}
            until(lambda: ids <= there(postgres.url))
            assert process.poll() is None
            until(lambda: gateway.waiting == 0)
    finally:
        valkey.stop()
        postgres.stop()
        erase(tmp_path)


def there(url: str) -> set[uuid.UUID]:
    try:
        with psycopg.connect(url) as link:
            return {id for (id,) in link.execute("SELECT id FROM audit_record")}
    except psycopg.OperationalError:
        return set()
