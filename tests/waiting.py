"""Two transactions at one time: one holds what the other waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, connections, transaction


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """`work` is done in a transaction of another thread, which commits once somebody
    waits for it, or after some seconds in which nobody did."""
    begun = threading.Event()

    def held() -> None:
        try:
            with transaction.atomic():
                work()
                begun.set()
                _until_somebody_waits()
        finally:
            connections.close_all()

    thread = threading.Thread(target=held)
    thread.start()
    assert begun.wait(10)
    try:
        yield
    finally:
        thread.join(30)


def _until_somebody_waits(seconds: float = 3) -> None:
    until = time.monotonic() + seconds
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
