"""Asks the catalogue's index and says how long each page took. See catalog_search.

Reads `{kind: [query string]}` from standard input, writes `{kind: [milliseconds]}`.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import time
from html import unescape

import django
from django.test import Client

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
    times: dict[str, list[float]] = {}
    for _, question in asked[:10]:
        page(client, question)  # templates are read, connections made
    for kind, question in asked:
        took, following = page(client, question)
        times.setdefault(kind, []).append(took)
        if kind in KINDS_READ_ON:
            times.setdefault("deep pages", []).extend(read_on(client, following))
    json.dump(times, sys.stdout)


def page(client: Client, question: str) -> tuple[float, str]:
    """Milliseconds, and the query string of the next page."""
    begun = time.perf_counter()
    answer = client.get(f"/tools/?{question}")
    took = (time.perf_counter() - begun) * 1000
    if answer.status_code != 200:
        raise SystemExit(f"/tools/?{question} answered {answer.status_code}")
    following = NEXT.search(answer.content.decode())
    return took, unescape(following[1]) if following else ""


def read_on(client: Client, following: str) -> list[float]:
    times = []
    for _ in range(DEEP):
        if not following:
            break
        took, following = page(client, following)
        times.append(took)
    return times


if __name__ == "__main__":
    main()
