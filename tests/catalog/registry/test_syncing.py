"""Whole passes, and what changed since."""

from __future__ import annotations

from datetime import timedelta

import pytest

from catalog.models import CatalogServer, RegistryRecord, Status
from catalog.registry.asking import ATTEMPTS
from catalog.registry.syncing import OVERLAP
from tests.catalog.registry.fake import FakeRegistry, Fault, paged, server
from tests.catalog.registry.runs import (
    A,
    B,
    C,
    Run,
    counted,
    kept,
    progress,
)

pytestmark = pytest.mark.django_db


def test_all_pages_are_read(registry: FakeRegistry, run: Run) -> None:
    registry.page = 3
    for number in range(10):
        registry.publish(f"com.example/s{number}")
    report = run()
    assert report.error == ""
    assert counted(report, new=10)
    assert (report.pages, report.seen) == (4, 10)
    assert len(kept()) == 10
    row = RegistryRecord.objects.get(name="com.example/s3")
    assert row.registry == registry.url
    assert row.document == server("com.example/s3")
    assert row.published_at == row.updated_at
    assert [query.get("cursor") for query in registry.queries()] == [
        None, "com.example/s2:1.0.0", "com.example/s5:1.0.0", "com.example/s8:1.0.0",
    ]  # fmt: skip
    assert {query["limit"] for query in registry.queries()} == {"100"}


def test_nothing_of_ours_is_told(registry: FakeRegistry, run: Run) -> None:
    registry.page = 1
    registry.publish(A)
    registry.publish(B)
    run()
    for path, _, headers in registry.seen:
        assert path.startswith("/v0.1/servers?limit=100")
        assert set(headers) == {"host", "accept", "accept-encoding", "user-agent"}


def test_one_record_a_name_with_its_newest_version(
    registry: FakeRegistry, run: Run
) -> None:
    registry.page = 2
    for version in ("1.2.0", "1.10.0", "1.9.0", "2.0.0-rc.1"):
        registry.publish(A, version)
    for version in ("1.0.0", "2025-06-18", "2025-06-01"):
        registry.publish(B, version)
    assert counted(run(), new=2)
    assert kept() == {A: ("2.0.0-rc.1", "active"), B: ("2025-06-01", "active")}


def test_a_version_that_lives_goes_before_a_deleted_one(
    registry: FakeRegistry, run: Run
) -> None:
    registry.publish(A, "0.9.0")
    registry.publish(A, "1.0.0")
    registry.set_status(A, "1.0.0", "deleted")
    registry.publish(B)
    registry.set_status(B, "1.0.0", "deleted")
    report = run()
    assert kept() == {A: ("0.9.0", "active"), B: ("1.0.0", "deleted")}
    assert counted(report, new=2, deleted=1)


def test_later_runs_ask_for_what_changed(registry: FakeRegistry, run: Run) -> None:
    for name in (A, B, C):
        registry.publish(name)
    began = registry.clock
    run()
    assert progress().updated_since == began - OVERLAP
    registry.clock += timedelta(days=1)
    registry.publish(B, "1.1.0")
    registry.set_status(C, "1.0.0", "deprecated")
    report = run()
    asked = (began - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert registry.queries()[-1] == {"limit": "100", "updated_since": asked}
    assert counted(report, changed=2, deprecated=1)
    assert report.seen == 2
    assert kept() == {
        A: ("1.0.0", "active"),
        B: ("1.1.0", "active"),
        C: ("1.0.0", "deprecated"),
    }


def test_the_overlap_reads_what_a_slow_clock_stamped(
    registry: FakeRegistry, run: Run
) -> None:
    registry.publish(A)
    run.ahead = timedelta(minutes=50)  # ours is ahead of theirs
    run()
    registry.clock -= timedelta(minutes=30)
    registry.publish(B)  # stamped before our time of the first run
    assert counted(run(), new=1)


def test_nothing_new_changes_nothing(registry: FakeRegistry, run: Run) -> None:
    registry.publish(A)
    run()
    assert counted(run())


STATUSES = ["deprecated", "deleted", "active", "deleted", "deprecated", "active"]


def test_status_changes_arrive(registry: FakeRegistry, run: Run) -> None:
    registry.publish(A)
    mine = CatalogServer.objects.create(
        slug="a", name="A", source_kind="npm", source="a", registry_name=A
    )
    other = CatalogServer.objects.create(
        slug="b", name="B", source_kind="npm", source="b", registry_name=B
    )
    run()
    for status in STATUSES:
        registry.set_status(A, "1.0.0", status)
        report = run()
        assert report.servers == 1
        assert kept()[A] == ("1.0.0", status)
        mine.refresh_from_db()
        assert mine.status == status
        assert mine.updated_at == registry.clock
        words = {"deprecated": 0, "deleted": 0} | {status: 1}
        counts = report.counts()
        assert {word: counts[word] for word in ("deprecated", "deleted")} == {
            word: words[word] for word in ("deprecated", "deleted")
        }
    other.refresh_from_db()
    assert other.status == Status.ACTIVE


def test_a_server_scanned_later_gets_the_status_too(
    registry: FakeRegistry, run: Run
) -> None:
    registry.publish(A)
    registry.set_status(A, "1.0.0", "deprecated")
    registry.clock += timedelta(days=1)
    run()
    CatalogServer.objects.create(
        slug="a", name="A", source_kind="npm", source="a", registry_name=A
    )
    report = run()
    assert (report.seen, report.servers) == (0, 1)
    assert CatalogServer.objects.get().status == "deprecated"


def test_what_another_registry_still_publishes_is_not_deleted(
    registry: FakeRegistry, run: Run
) -> None:
    registry.publish(A)
    run()
    RegistryRecord.objects.create(
        registry="https://other.example", name=A, version="1", status="deprecated",
        document={},
    )  # fmt: skip
    CatalogServer.objects.create(
        slug="a", name="A", source_kind="npm", source="a", registry_name=A
    )
    registry.set_status(A, "1.0.0", "deleted")
    run()
    assert CatalogServer.objects.get().status == "deprecated"


def test_a_deleted_version_gives_way_to_an_older_one(
    registry: FakeRegistry, run: Run
) -> None:
    """The registry tells of the deletion alone, and lifts no other to the latest."""
    registry.publish(A, "0.9.0")
    registry.publish(A, "1.0.0")
    registry.publish(B, "1.0.0")
    run()
    registry.clock += timedelta(days=1)
    registry.set_status(A, "1.0.0", "deleted")
    registry.set_status(B, "1.0.0", "deleted")
    report = run()
    assert kept() == {A: ("0.9.0", "active"), B: ("1.0.0", "deleted")}
    assert counted(report, changed=2, deleted=1)
    asked = [path for path, _, _ in registry.seen if path.endswith("/versions")]
    assert asked == [
        "/v0.1/servers/com.example%2Fa/versions",
        "/v0.1/servers/com.example%2Fb/versions",
    ]


def test_versions_that_cannot_be_read_hold_nobody_up(
    registry: FakeRegistry, run: Run
) -> None:
    registry.publish(A)
    run()
    registry.clock += timedelta(days=1)
    registry.set_status(A, "1.0.0", "deleted")
    registry.faults = [
        lambda query: registry.listed(query),
        *[Fault(200, b"{}")] * ATTEMPTS,
    ]
    report = run()
    assert report.error == ""
    assert kept() == {A: ("1.0.0", "deleted")}
    assert report.refused.counts == {"its other versions cannot be read": 1}


def test_versions_of_another_name_are_not_taken(
    registry: FakeRegistry, run: Run
) -> None:
    registry.publish(A)
    run()
    registry.clock += timedelta(days=1)
    registry.set_status(A, "1.0.0", "deleted")
    registry.faults = [
        lambda query: registry.listed(query),
        paged([{"server": server(B)}]),
    ]
    run()
    assert set(kept()) == {A}


def test_an_answer_that_is_older_than_ours_is_not_taken(
    registry: FakeRegistry, run: Run
) -> None:
    registry.publish(A)
    registry.set_status(A, "1.0.0", "deleted")
    run()
    registry.put(server(A), updatedAt="2026-01-01T00:00:00Z")
    registry.faults = [paged(list(registry.entries.values()))]
    run()
    assert kept() == {A: ("1.0.0", "deleted")}
