"""The recorder: copies the streams of records into Postgres, losing and doubling none.

For each shard that it has Postgres' advisory lock of: read from the start of the
stream, upsert in one transaction, commit, trim. Killed anywhere between, the next one
reads the same entries again, and the upsert fills nothing twice. No position is stored
that could be wrong.

The locks belong to the session that writes: when it ends, they are free.
"""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import orjson
import redis
from django.conf import settings
from django.db import (
    DataError,
    Error,
    IntegrityError,
    connection,
    transaction,
)

from accounts.models import SHARDS
from audit import partitions, rows
from audit.entries import EntryError
from audit.models import Quarantined
from audit.stream import BATCH, Entry, Streams

# The first of the two numbers of a shard's advisory lock: "PLR".
LOCK_CLASS = 0x504C52
# Longer than any call may take: without an outcome by then, it is unknown.
OUTCOME_DEADLINE = timedelta(minutes=15)
# Seconds
LOCK_EVERY, OPEN_EVERY, MONTHS_EVERY = 1.0, 10.0, 3600.0
PAUSE, LONGEST_PAUSE = 0.1, 2.0
BLOCK_MS = 400
ALARM = 0.25

# What Postgres refuses because of the rows themselves, not because it is unwell.
REFUSED = (DataError, IntegrityError, OverflowError, orjson.JSONEncodeError)

log = logging.getLogger(__name__)
UPSERT = rows.upsert()


@dataclass
class Every:
    """Says yes once in so many seconds."""

    seconds: float
    due: float = field(default=0.0)

    def __call__(self) -> bool:
        if time.monotonic() < self.due:
            return False
        self.due = time.monotonic() + self.seconds
        return True


class Recorder:
    """`stopping` ends `run` after the batch at hand; `alive` is told of every round
    in which Postgres and Valkey were reached once."""

    def __init__(
        self,
        alive: Callable[[], None] = lambda: None,
        deadline: timedelta = OUTCOME_DEADLINE,
    ) -> None:
        self.stopping = False
        self._alive, self._deadline = alive, deadline
        self._streams: Streams | None = None
        self._held: set[int] = set()
        self._reached = False
        self._lock, self._open = Every(LOCK_EVERY), Every(OPEN_EVERY)
        self._months, self._alarm = Every(MONTHS_EVERY), Every(60.0)

    def run(self) -> None:
        pause = PAUSE
        while not self.stopping:
            try:
                full = self.round()
            except (Error, redis.RedisError, OSError) as problem:
                self._let_go(problem)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                self._reached, pause = True, PAUSE
            if self._reached:
                self._alive()
            if not (pause == PAUSE and full):
                self._sleep(pause)
        self._close()

    def round(self) -> bool:
        """Copies what waits; says whether a shard has more."""
        if self._streams is None:
            self._streams = Streams(settings.REDIS_URL)
        if self._lock():
            self._held |= self._lock_shards()
        if self._months():
            self._make_months()
        if self._open():
            self._close_open_calls()
        if not self._held:
            return False
        waiting = self._streams.waiting(self._held, BLOCK_MS)
        more = [self._copy(self._streams, shard) for shard in waiting]
        return any(more)

    # Postgres' locks

    def _lock_shards(self) -> set[int]:
        missing = sorted(set(range(SHARDS)) - self._held)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT shard FROM unnest(%s::int[]) AS shard"
                " WHERE pg_try_advisory_lock(%s, shard)",
                [missing, LOCK_CLASS],
            )
            return {shard for (shard,) in cursor.fetchall()}

    def _let_go(self, problem: Exception) -> None:
        log.warning("not recording: %s", problem)
        self._close()
        self._lock.due = 0.0

    def _close(self) -> None:
        """Ends both connections; with Postgres' go the locks."""
        self._held.clear()
        if self._streams is not None:
            self._streams.close()
            self._streams = None
        connection.close()

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < until:
            time.sleep(min(0.1, seconds))

    # One shard

    def _copy(self, streams: Streams, shard: int) -> bool:
        entries = streams.first(shard)
        if not entries:
            return False
        self._write(shard, entries)
        streams.trim(shard, entries)
        if self._alarm():
            held = streams.held(shard)
            if held > settings.RECORDS_BOUND * ALARM:
                log.warning("shard %d: %d bytes of records wait", shard, held)
        return len(entries) == BATCH

    def _write(self, shard: int, entries: Sequence[Entry]) -> None:
        """All in one transaction; what is refused is split until it is one entry."""
        try:
            self._upsert(shard, entries)
        except REFUSED as problem:
            if len(entries) == 1:
                self._quarantine(shard, entries[0], str(problem))
                return
            half = len(entries) // 2
            self._write(shard, entries[:half])
            self._write(shard, entries[half:])

    def _upsert(self, shard: int, entries: Sequence[Entry]) -> None:
        read: list[rows.Row] = []
        unread: list[tuple[Entry, str]] = []
        for entry in entries:
            try:
                read.append(rows.read(entry[1]))
            except EntryError as problem:
                unread.append((entry, str(problem)))
        with transaction.atomic():
            if read:
                with connection.cursor() as cursor:
                    cursor.execute(UPSERT, [rows.parameter(rows.merge(read))])
            for entry, reason in unread:
                self._quarantine(shard, entry, reason)

    def _quarantine(self, shard: int, entry: Entry, reason: str) -> None:
        id, fields = entry
        organization = fields.get(b"o", b"")
        whole = {name.hex(): base64.b64encode(v).decode() for name, v in fields.items()}
        log.error("quarantined %d/%s: %s", shard, id.decode(), reason)
        Quarantined.objects.bulk_create(
            [
                Quarantined(
                    organization_id=organization.hex()
                    if len(organization) == 16
                    else None,
                    shard=shard,
                    entry=id.decode(),
                    fields=orjson.dumps(whole),
                    reason=reason.replace("\0", "␀")[:2000],
                )
            ],
            ignore_conflicts=True,
        )

    # Now and then

    def _make_months(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            partitions.make(cursor, partitions.ahead(partitions.today()))

    def _close_open_calls(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE audit_record SET outcome = 'unknown'"
                " WHERE outcome IS NULL AND decision IS NOT NULL"
                " AND time < now() - make_interval(secs => %s)",
                [self._deadline.total_seconds()],
            )
