"""Asks the catalogue's index and says how long each page took. See catalog_search.

Reads `{kind: [query string]}` from standard input, writes `{kind: [[wall, CPU]]}` in
milliseconds. CPU is this process's and its database backend's: on a machine that does
other things too, it is what the page would take alone.
"""

from __future__ import annotations

import gc
import json
import os
import random
import re
import sys
import time
from html import unescape
from pathlib import Path

import django
from django.db import connection
from django.test import Client

Times = tuple[float, float]
NEXT = re.compile(r'rel="next" href="/tools/\?([^"]+)"')
# How far a reader who does not stop goes.
DEEP = 12
KINDS_READ_ON = ("all tools", "the most frequent", "a frequent word", "a category")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    client = Client(headers={"host": "localhost"})
    asked = [
        (kind, each)
        for kind, several in json.load(sys.stdin).items()
        for each in several
    ]
    random.Random(3).shuffle(asked)
    times: dict[str, list[Times]] = {}
    backend = Backend()
    for _, question in asked[:10]:
        page(client, question, backend)  # templates are read, connections made
    # As the web process does once it is started (gateway/app.py).
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    for kind, question in asked:
        took, following = page(client, question, backend)
        times.setdefault(kind, []).append(took)
        if kind in KINDS_READ_ON:
            times.setdefault("deep pages", []).extend(
                read_on(client, following, backend)
            )
    json.dump(times, sys.stdout)


class Backend:
    """The process of the one database connection, on this machine."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self._told = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")

    def cpu(self) -> float:
        """Seconds so far."""
        return int(self._told.read_text().split()[0]) / 1e9


def page(client: Client, question: str, backend: Backend) -> tuple[Times, str]:
    """Milliseconds, and the query string of the next page."""
    begun, used = time.perf_counter(), time.process_time() + backend.cpu()
    answer = client.get(f"/tools/?{question}")
    wall = time.perf_counter() - begun
    cpu = time.process_time() + backend.cpu() - used
    if answer.status_code != 200:
        raise SystemExit(f"/tools/?{question} answered {answer.status_code}")
    following = NEXT.search(answer.content.decode())
    return (wall * 1e3, cpu * 1e3), unescape(following[1]) if following else ""


def read_on(client: Client, following: str, backend: Backend) -> list[Times]:
    times = []
    for _ in range(DEEP):
        if not following:
            break
        took, following = page(client, following, backend)
        times.append(took)
    return times


if __name__ == "__main__":
    main()
