"""Runs against a registry that pages, changes its mind, breaks and lies."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from catalog.models import CatalogServer, RegistryRecord, RegistrySync, Status
from catalog.registry import storing, syncing
from catalog.registry.asking import ATTEMPTS, MAX_BODY
from catalog.registry.failures import RegistryError
from catalog.registry.report import Report
from catalog.registry.syncing import LOCK_CLASS, MAX_SECONDS, OVERLAP, sync
from servers.outbound import Door
from tests.catalog.registry.fake import FakeRegistry, Fault, paged, server

pytestmark = pytest.mark.django_db
A, B, C = "com.example/a", "com.example/b", "com.example/c"


class Run:
    """Runs with the registry's own clock, and without waiting: `waits` has seconds."""

    def __init__(self, registry: FakeRegistry) -> None:
        self.registry = registry
        self.waits: list[float] = []
        self.ahead = timedelta()
        self.passed = 0.0

    def __call__(self) -> Report:
        return sync(
            self.registry.url,
            door=Door(allow_private=True),
            now=lambda: self.registry.clock + self.ahead,
            clock=lambda: self.passed,
            sleep=self.waits.append,
        )


@pytest.fixture
def run(registry: FakeRegistry) -> Run:
    return Run(registry)


def kept() -> dict[str, tuple[str, str]]:
    rows = RegistryRecord.objects.values_list("name", "version", "status")
    return {name: (version, status) for name, version, status in rows}


def progress() -> RegistrySync:
    return RegistrySync.objects.get()


def counted(report: Report, **expected: int) -> bool:
    return {k: v for k, v in report.counts().items() if v} == expected


# Whole passes


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


# What changed since


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
    run()
    CatalogServer.objects.create(
        slug="a", name="A", source_kind="npm", source="a", registry_name=A
    )
    registry.clock += timedelta(days=1)
    report = run()
    assert report.servers == 1
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


# Interruptions


def broken() -> list[Any]:
    return [Fault(500)] * ATTEMPTS


def fill(registry: FakeRegistry) -> None:
    registry.page = 2
    for number in range(6):
        registry.publish(f"com.example/s{number}")


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


# A registry that is busy or broken

CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b'{"servers": ['
CUT_CHUNK = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"serve'
TRANSIENT: dict[str, tuple[Fault, list[float]]] = {
    "429, seconds": (Fault(429, Retry_After="7"), [7]),
    "429, a date": (
        Fault(429, Retry_After="Sun, 01 Mar 2026 13:00:30 GMT"),
        [30],
    ),
    "429, a date gone by": (
        Fault(429, Retry_After="Sun, 01 Mar 2020 13:00:30 GMT"),
        [1],
    ),
    "429, zero": (Fault(429, Retry_After="0"), [1]),
    "429, nonsense": (Fault(429, Retry_After="-5 or so"), [1]),
    "429 alone": (Fault(429), [1]),
    "503": (Fault(503, Retry_After="2"), [2]),
    "500": (Fault(500, b"<h1>Oh no</h1>"), [1]),
    "502": (Fault(502), [1]),
    "cut body": (Fault(raw=CUT), [1]),
    "cut chunk": (Fault(raw=CUT_CHUNK), [1]),
    "cut head": (Fault(raw=b"HTTP/1.1 200 O"), [1]),
    "no HTTP": (Fault(raw=b"SSH-2.0-OpenSSH\r\n"), [1]),
    "HTML": (Fault(200, b"<html></html>"), [1]),
    "empty": (Fault(200, b""), [1]),
    "another shape": (Fault(200, b'{"servers": {"a": 1}}'), [1]),
    "half a page": (Fault(200, b'{"servers": [{"server": {}}'), [1]),
}


@pytest.mark.parametrize(("fault", "waits"), TRANSIENT.values(), ids=TRANSIENT)
def test_what_may_pass_is_asked_again(
    registry: FakeRegistry, run: Run, fault: Fault, waits: list[float]
) -> None:
    registry.publish(A)
    registry.faults = [fault]
    report = run()
    assert report.error == ""
    assert run.waits == waits
    assert set(kept()) == {A}


@pytest.mark.parametrize(
    "fault",
    [Fault(500), Fault(429), Fault(200, b"<html></html>"), Fault(raw=CUT)],
    ids=["500", "429", "HTML", "cut"],
)
def test_asking_again_ends(registry: FakeRegistry, run: Run, fault: Fault) -> None:
    registry.faults = [fault] * 100
    report = run()
    assert report.error
    assert len(registry.seen) == ATTEMPTS
    assert run.waits == [1, 2, 4, 8, 16]
    assert progress().updated_since is None


def test_a_wait_too_long_is_left_to_the_next_run(
    registry: FakeRegistry, run: Run
) -> None:
    registry.publish(A)
    registry.faults = [Fault(429, Retry_After="86400")]
    assert "86400 seconds" in run().error
    assert run.waits == []
    assert run().error == ""


FINAL = {
    "401": Fault(401),
    "403": Fault(403),
    "404": Fault(404),
    "elsewhere": Fault(302, Location="http://169.254.169.254/latest"),
    "below 200": Fault(raw=b"HTTP/1.1 204 No Content\r\n\r\n"),
}


@pytest.mark.parametrize("fault", FINAL.values(), ids=FINAL)
def test_what_does_not_pass_ends_the_run(
    registry: FakeRegistry, run: Run, fault: Fault
) -> None:
    registry.publish(A)
    registry.faults = [fault]
    assert run().error
    assert run.waits == []
    assert len(registry.seen) == 1
    assert kept() == {}
    assert progress().error


def test_nobody_there(registry: FakeRegistry) -> None:
    waits: list[float] = []
    report = sync(
        "http://127.0.0.1:1", door=Door(allow_private=True), sleep=waits.append
    )
    assert "127.0.0.1" in report.error
    assert len(waits) == ATTEMPTS - 1


@pytest.mark.parametrize(
    "url",
    [
        *("http://registry.example", "https://127.0.0.1", "https://10.0.0.1/x"),
        *("https://169.254.169.254", "https://user:key@registry.example", "ftp://x"),
        *("", "registry.example", "https://registry.example/?a=b"),
        *("https://registry.example/#x", "https://" + "x." * 200 + "example"),
        "https://registry.example/" + "x" * 300,
    ],
)
def test_the_outbound_door_is_the_only_way_out(url: str) -> None:
    with pytest.raises(RegistryError):
        sync(url, door=Door(allow_private=False))
    assert not RegistrySync.objects.exists()


def test_a_name_that_leads_inside_is_refused(registry: FakeRegistry) -> None:
    async def resolve(host: str, port: int) -> list[Any]:
        from ipaddress import ip_address

        return [ip_address("10.0.0.8")]

    door = Door(allow_private=False, resolve=resolve)
    report = sync("https://registry.example", door=door, sleep=never)
    assert "10.0.0.8" in report.error


def never(seconds: float) -> None:
    raise AssertionError("nothing to wait for")


@pytest.mark.parametrize(
    "spelled", ["{}", "{}/", "{}/v0.1", "{}/v0.1/servers", " {}/v0.1/servers/ "]
)
def test_one_registry_has_one_spelling(
    registry: FakeRegistry, run: Run, spelled: str
) -> None:
    url = registry.url
    registry.url = spelled.format(url)
    registry.publish(A)
    run()
    assert progress().registry == url
    assert registry.seen[0][0].startswith("/v0.1/servers?")


# A registry that lies


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
