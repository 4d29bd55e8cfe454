"""Runs that are cut off, and those that go on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from catalog.registry.failures import RegistryError
from catalog.registry.syncing import LOCK_CLASS, MAX_SECONDS, OVERLAP, sync
from servers.outbound import Door
from tests.catalog.registry.fake import FakeRegistry, Fault
from tests.catalog.registry.runs import (
    A,
    Run,
    broken,
    fill,
    kept,
    progress,
)

pytestmark = pytest.mark.django_db


def test_a_run_is_resumed_at_its_cursor(registry: FakeRegistry, run: Run) -> None:
    fill(registry)
    began = registry.clock
    registry.faults = [lambda query: registry.listed(query), *broken()]
    report = run()
    assert "500" in report.error
    assert len(kept()) == 2
    row = progress()
    assert (row.cursor, row.updated_since) == ("com.example/s1:1.0.0", None)
    assert row.error == report.error and row.finished_at is None
    registry.seen.clear()
    registry.clock += timedelta(days=2)
    report = run()
    assert report.resumed and report.error == ""
    assert registry.queries()[0]["cursor"] == "com.example/s1:1.0.0"
    assert len(kept()) == 6
    row = progress()
    assert (row.cursor, row.error) == ("", "")
    # What changed while the pass lay still is read by the next one.
    assert row.updated_since == began - OVERLAP
    assert row.finished_at == registry.clock


def test_a_killed_run_is_resumed_at_its_cursor(
    registry: FakeRegistry, run: Run
) -> None:
    fill(registry)

    class Killed(BaseException):
        pass

    def die(seconds: float) -> None:
        raise Killed

    registry.faults = [lambda query: registry.listed(query), Fault(503)]
    with pytest.raises(Killed):
        sync(registry.url, door=Door(allow_private=True), sleep=die)
    assert progress().cursor == "com.example/s1:1.0.0"
    registry.seen.clear()
    assert run().error == ""
    assert registry.queries()[0]["cursor"] == "com.example/s1:1.0.0"


def test_updated_since_stays_where_a_pass_fails(
    registry: FakeRegistry, run: Run
) -> None:
    fill(registry)
    run()
    since = progress().updated_since
    registry.clock += timedelta(days=1)
    for number in range(6):
        registry.set_status(f"com.example/s{number}", "1.0.0", "deprecated")
    registry.faults = [lambda query: registry.listed(query), *broken()]
    assert run().error
    assert progress().updated_since == since
    assert run().error == ""
    assert {status for _, status in kept().values()} == {"deprecated"}
    asked = {query.get("updated_since") for query in registry.queries()[-3:]}
    assert since is not None
    assert asked == {since.strftime("%Y-%m-%dT%H:%M:%SZ")}


def test_a_cursor_that_the_registry_forgot_begins_the_pass_anew(
    registry: FakeRegistry, run: Run
) -> None:
    fill(registry)
    registry.faults = [lambda query: registry.listed(query), *broken()]
    run()
    del registry.entries["com.example/s1", "1.0.0"]
    began = progress().started_at
    report = run()
    assert report.error == ""
    assert len(kept()) == 6
    assert began is not None and progress().updated_since == began - OVERLAP


def test_out_of_time_a_run_ends_and_the_next_goes_on(
    registry: FakeRegistry, run: Run
) -> None:
    fill(registry)

    def slow(query: dict[str, str]) -> Fault:
        run.passed += MAX_SECONDS + 1
        return registry.listed(query)

    registry.faults = [slow]
    assert "Out of time" in run().error
    assert len(kept()) == 2
    assert run().error == ""
    assert len(kept()) == 6


def test_asking_for_versions_takes_no_longer_either(
    registry: FakeRegistry, run: Run
) -> None:
    registry.publish(A)
    run()
    registry.clock += timedelta(days=1)
    registry.set_status(A, "1.0.0", "deleted")

    def slow(query: dict[str, str]) -> Fault:
        run.passed += MAX_SECONDS + 1
        return registry.listed(query)

    registry.faults = [slow]
    assert "Out of time" in run().error
    assert kept() == {A: ("1.0.0", "active")}
    assert run().error == ""
    assert kept() == {A: ("1.0.0", "deleted")}


def test_two_runs_do_not_read_one_registry_at_a_time(
    registry: FakeRegistry, run: Run
) -> None:
    lock = "SELECT pg_advisory_lock(%s, hashtext(%s))"
    numbers = [LOCK_CLASS, registry.url]
    with another_connection() as other:
        other.execute(lock, numbers)
        with pytest.raises(RegistryError, match="another run"):
            run()
        assert registry.seen == []
        other.execute(lock.replace("lock(", "unlock("), numbers)
        assert run().error == ""
        other.execute("SET statement_timeout = '5s'")
        other.execute(lock, numbers)  # ours is given back


def another_connection() -> psycopg.Connection[Any]:
    known = connection.settings_dict
    return psycopg.connect(
        dbname=known["NAME"], user=known["USER"], password=known["PASSWORD"],
        host=known["HOST"], port=known["PORT"] or None, **known["OPTIONS"],
    )  # fmt: skip
