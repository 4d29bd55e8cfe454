"""A registry that lies."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from catalog.models import RegistrySync
from catalog.registry import storing, syncing
from catalog.registry.asking import MAX_BODY
from tests.catalog.registry.fake import FakeRegistry, Fault, paged, server
from tests.catalog.registry.runs import (
    A,
    Run,
    counted,
    fill,
    kept,
    progress,
)

pytestmark = pytest.mark.django_db


def test_bad_entries_stop_nobody_else(registry: FakeRegistry, run: Run) -> None:
    registry.page = 2
    registry.publish(A)
    registry.put(server("no reverse DNS"))
    registry.put(server("com.example/b", title="\0"))
    registry.put(server("com.example/big", description="x" * 70_000))
    registry.put(server("com.example/c"), updatedAt="2099-01-01T00:00:00Z")
    report = run()
    assert report.error == ""
    assert set(kept()) == {A, "com.example/c"}
    assert counted(report, new=2, refused=3, corrected=1)
    told = "\n".join(report.lines())
    assert "1 x the document is larger than 64 KiB: com.example/big" in told
    assert "1 x updatedAt lies in the future: com.example/c" in told
    assert progress().finished_at


def test_the_future_keeps_no_change_out(registry: FakeRegistry, run: Run) -> None:
    registry.put(server(A), updatedAt="2099-01-01T00:00:00Z")
    run()
    registry.set_status(A, "1.0.0", "deleted")
    run()
    assert kept() == {A: ("1.0.0", "deleted")}


def raw(entry: bytes) -> Fault:
    after = json.dumps({"server": server(A)}).encode()
    return Fault(200, b'{"servers":[' + entry + b"," + after + b'],"metadata":{}}')


@pytest.mark.parametrize(
    "entry",
    [b'{"a":"\\ud800"}', b"[" * 9999 + b"]" * 9999, b'{"a":1,"a":2}', b"1e999", b"-"],
)
def test_an_entry_that_no_program_reads_spoils_no_page(
    registry: FakeRegistry, run: Run, entry: bytes
) -> None:
    registry.faults = [raw(entry)]
    report = run()
    assert (report.error, run.waits) == ("", [])
    assert counted(report, new=1, refused=1)


def test_pages_too_large_are_asked_for_in_part(
    registry: FakeRegistry, run: Run
) -> None:
    for number in range(12):
        registry.publish(f"com.example/s{number:02}")
    huge = Fault(200, b" " * (MAX_BODY + 1))
    registry.faults = [huge]
    assert run().error == ""
    assert [query["limit"] for query in registry.queries()] == ["100", "10", "100"]
    assert len(kept()) == 12


def test_a_page_that_is_always_too_large_ends_the_run(
    registry: FakeRegistry, run: Run
) -> None:
    registry.faults = [Fault(200, b" " * (MAX_BODY + 1))] * 9
    assert "larger than" in run().error
    assert [query["limit"] for query in registry.queries()] == ["100", "10", "1"]


def test_pages_that_lead_in_a_circle(registry: FakeRegistry, run: Run) -> None:
    entries = [{"server": server(A)}]
    registry.faults = [*(paged(entries, c) for c in ("x", "y", "x", "y"))] * 5
    assert "circle" in run().error
    assert len(registry.seen) == 3
    assert progress().cursor == ""
    registry.faults = []
    assert run().error == ""


def test_pages_without_end(
    registry: FakeRegistry, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "MAX_PAGES", 5)
    registry.faults = [paged([], str(number)) for number in range(50)]
    assert "more than 5 pages" in run().error
    assert len(registry.seen) == 5


def test_names_without_end(
    registry: FakeRegistry, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "MAX_RECORDS", 4)
    fill(registry)
    report = run()
    assert report.error == ""
    assert len(kept()) == 4
    assert report.refused.counts == {"more than 4 names": 2}
    registry.set_status("com.example/s1", "1.0.0", "deleted")
    run()
    assert kept()["com.example/s1"] == ("1.0.0", "deleted")


@pytest.mark.parametrize("cursor", ["a/b:1 &limit=1#?", "ä\u202e", "%2e%2e/..", "+"])
def test_cursors_go_back_as_they_came(
    registry: FakeRegistry, run: Run, cursor: str
) -> None:
    registry.faults = [paged([], cursor), paged([])]
    assert run().error == ""
    assert registry.queries()[1] == {
        "limit": "100", "include_deleted": "true", "cursor": cursor,
    }  # fmt: skip


def test_reports_hold_nothing_that_acts_on_a_terminal(
    registry: FakeRegistry, run: Run
) -> None:
    registry.put(server("com.example/\x1b[2J\u202e\nx"))
    registry.put(server(A, "1.\x1b[2J"))
    for line in run().lines():
        assert line.isprintable()


def test_many_reasons_are_told_with_few_examples(
    registry: FakeRegistry, run: Run
) -> None:
    for number in range(50):
        registry.put(server(f"bad{number}"))
    report = run()
    (line,) = report.refused.lines()
    assert line.startswith("  50 x the name is no reverse-DNS name")
    assert line.count("bad") == 3
    assert len(list(report.lines())) < 8


def test_a_page_costs_few_queries(
    registry: FakeRegistry,
    run: Run,
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    for number in range(100):
        registry.publish(f"com.example/s{number:03}")
    with django_assert_max_num_queries(25):
        run()


def test_updated_since_is_utc(registry: FakeRegistry, run: Run) -> None:
    RegistrySync.objects.create(
        registry=registry.url, updated_since=datetime(2026, 3, 1, 12, 0, 59, 9, UTC)
    )
    run()
    assert registry.queries()[0]["updated_since"] == "2026-03-01T12:00:59Z"
