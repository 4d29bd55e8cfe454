"""One run: reads a registry from where the last run came to.

A pass is all pages of one question: everything, or what was updated since the pass
before. Its cursor is kept with each page, in the same transaction, so a run that is
killed, cut off or out of time is resumed there. `updated_since` moves only when a
pass has come to its end, to the time at which that pass began less an overlap: what
changed meanwhile, or while clocks differed, is read again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from catalog.models import RegistrySync
from catalog.registry.asking import Registry, base_of
from catalog.registry.entries import Page
from catalog.registry.failures import RegistryError, Unknown
from catalog.registry.report import Report
from catalog.registry.storing import died, keep_in_step, store
from servers.definitions import printable
from servers.outbound import Door

OVERLAP = timedelta(hours=1)
MAX_PAGES = 20_000
# A run ends before beat starts the next.
MAX_SECONDS = 3000.0
# The first of the two numbers of a registry's advisory lock: "PLG".
LOCK_CLASS = 0x504C47


def sync(
    url: str,
    *,
    door: Door | None = None,
    now: Callable[[], datetime] = timezone.now,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Raises `RegistryError` where it could not begin; what stops it later is the
    report's `error`, and the row's.
    """
    door = door or Door.from_settings()
    base = base_of(url, door)
    with _alone(base), Registry(base, door, now, sleep) as registry:
        row, _ = RegistrySync.objects.get_or_create(registry=base)
        return _Run(registry, row, now, clock).read()


@contextmanager
def _alone(base: str) -> Iterator[None]:
    """Postgres' lock goes with the connection, so a run that dies holds nobody up."""
    with connection.cursor() as cursor:
        numbers = (LOCK_CLASS, base)
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", numbers)
        if cursor.fetchone() != (True,):
            raise RegistryError(f"{base} is being read by another run.")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", numbers)


class _Run:
    def __init__(
        self,
        registry: Registry,
        row: RegistrySync,
        now: Callable[[], datetime],
        clock: Callable[[], float],
    ) -> None:
        self._registry, self._row = registry, row
        self._now, self._clock = now, clock
        self._until = clock() + MAX_SECONDS
        self._report = Report(
            row.registry, whole=row.updated_since is None, resumed=bool(row.cursor)
        )

    def read(self) -> Report:
        row, report = self._row, self._report
        began = row.started_at if row.cursor else None
        row.started_at = began or self._now()
        try:
            self._pages()
        except RegistryError as error:
            report.error = row.error = printable(error.reason, 500)
        else:
            row.updated_since = row.started_at - OVERLAP
            row.cursor, row.error, row.finished_at = "", "", self._now()
        row.save()
        report.servers += keep_in_step(self._now())
        return report

    def _pages(self) -> None:
        seen = {self._row.cursor}
        for _ in range(MAX_PAGES):
            page = self._page()
            if page.cursor and page.cursor in seen:
                # From its beginning next time: from here it would go round again.
                self._keep(page, cursor="")
                raise RegistryError("The registry's pages lead round in a circle.")
            self._keep(page, page.cursor)
            if not page.cursor:
                return
            seen.add(page.cursor)
            self._check_time()
        raise RegistryError(f"The registry has more than {MAX_PAGES} pages.")

    def _check_time(self) -> None:
        if self._clock() > self._until:
            raise RegistryError("Out of time; the next run goes on from here.")

    def _page(self) -> Page:
        row = self._row
        try:
            return self._registry.page(row.cursor, row.updated_since)
        except Unknown:
            if self._report.pages or not row.cursor:
                raise
        # The cursor is from a run before: it may be too old.
        row.cursor, self._report.resumed = "", False
        return self._registry.page("", row.updated_since)

    def _keep(self, page: Page, cursor: str) -> None:
        """The page and how far we came, both or neither."""
        row, report = self._row, self._report
        pages = [page, *self._left(page)]
        now = self._now()
        with transaction.atomic():
            for each in pages:
                store(row.registry, each.entries, now, report)
            names = {entry.name for each in pages for entry in each.entries}
            report.servers += keep_in_step(now, names)
            row.cursor = cursor
            row.save()
        report.pages += 1
        for each in pages:
            report.seen += len(each.entries)
            report.refused.add(each.refused)
            report.corrected.add(each.corrected)

    def _left(self, page: Page) -> Iterator[Page]:
        """What is left of servers of which the version that we kept was deleted.

        A whole pass sees it anyway; one of changes sees only what was deleted.
        """
        if self._row.updated_since is None:
            return
        for name in died(self._row.registry, page.entries):
            self._check_time()
            found = self._registry.versions(name)
            found.entries = [one for one in found.entries if one.name == name]
            yield found
