"""How long the catalogue's index takes: `python -m benchmarks.catalog_search`.

Fills a database of its own with a million made-up tools, with the settings that ship,
and asks the real page what people ask: frequent words, rare ones, misspelt ones, every
facet, deep pages, nothing. A page is measured whole: middleware, queries, template.
`--data FOLDER` keeps the database there for another run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import psycopg
from psycopg import sql

from benchmarks import catalog_data
from benchmarks.catalog_data import NOUNS, VERBS, Catalogue
from benchmarks.system import ROOT, environment
from config.embedded import erase, start_postgres

PORTS = {"gateway": 8000}
INDEX = """CREATE INDEX catalog_tool_search ON catalog_catalogtool USING gin (search)
WITH (fastupdate = off)"""
CATEGORIES = sorted({category for _, _, category, _ in VERBS})
SEVERITIES = sorted({severity for _, _, _, severity in VERBS})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catalog_search")
    parser.add_argument("--tools", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with folder(options.data) as home, database(home) as url:
        os.environ |= environment(home, url, "redis://127.0.0.1:1", PORTS)
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True
        )
        with psycopg.connect(url, autocommit=True) as connection:
            print(filled(connection, options.tools))
            rare = rare_words(connection, random.Random(options.seed))
        run = [sys.executable, "-m", "benchmarks.catalog_asking"]
        asked = json.dumps(questions(options.seed, options.rounds, rare))
        answered = subprocess.run(
            run, cwd=ROOT, check=True, input=asked, stdout=subprocess.PIPE, text=True
        )
        report(json.loads(answered.stdout))


@contextlib.contextmanager
def folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="policylayer-catalog-") as made:
        yield Path(made)
        erase(Path(made))


@contextlib.contextmanager
def database(home: Path) -> Iterator[str]:
    postgres = start_postgres(home)
    try:
        yield postgres.url
    finally:
        postgres.stop()


def filled(connection: psycopg.Connection, tools: int) -> str:
    """The index of the search is built when all is there; what there is stays."""
    known = connection.execute("SELECT count(*) FROM catalog_catalogtool").fetchone()
    if known == (tools,):
        return f"{tools:,} tools are there"
    connection.execute(
        "TRUNCATE catalog_catalogserver, catalog_catalogtool, catalog_word CASCADE"
    )
    begun = time.monotonic()
    catalogue = Catalogue(tools)
    rows = map(catalog_data.tool_row, catalogue.tools())
    # Servers come last, when their tools are counted: keys are checked at the end.
    with connection.transaction():
        connection.execute("DROP INDEX IF EXISTS catalog_tool_search")
        copied(connection, "catalogtool", catalog_data.TOOL_COLUMNS, rows)
        servers = map(catalog_data.server_row, catalogue.servers)
        copied(connection, "catalogserver", catalog_data.SERVER_COLUMNS, servers)
    connection.execute("SET maintenance_work_mem = '512MB'")
    connection.execute(INDEX)
    connection.execute("VACUUM ANALYZE")
    took = time.monotonic() - begun
    return f"{tools:,} tools of {len(catalogue.servers):,} servers in {took:.0f} s"


def copied(
    connection: psycopg.Connection,
    table: str,
    columns: tuple[str, ...],
    rows: Iterable[tuple[object, ...]],
) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(f"catalog_{table}"), names
    )
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(row)


def rare_words(connection: psycopg.Connection, some: random.Random) -> list[str]:
    """Words of a few tools each."""
    found = connection.execute("SELECT word FROM catalog_word WHERE length(word) > 5")
    return some.sample(sorted(word for (word,) in found), 200)


def questions(seed: int, rounds: int, rare: list[str]) -> dict[str, list[str]]:
    """Query strings by what they ask for. `next` asks for the page after the last."""
    some = random.Random(seed)
    verbs = [verb for verb, *_ in VERBS]
    asked: dict[str, list[str]] = {}

    def ask(kind: str, **given: str) -> None:
        asked.setdefault(kind, []).append(urlencode(given))

    for _ in range(rounds):
        verb, noun, word = some.choice(verbs), some.choice(NOUNS), some.choice(rare)
        category = some.choice(CATEGORIES)
        severity = some.choice(SEVERITIES)
        ask("nothing")
        ask("all tools", show="tools")
        ask("a frequent word", q=verb)
        ask("the most frequent", q=some.choice(["get", "list", "mcp", "id"]))
        ask("the most frequent, its rarest", q="get", category="Destructive")
        ask("two frequent words", q=f"{verb} {noun}")
        ask("frequent and opposed", q="get delete")
        ask("a rare word", q=word)
        ask("frequent and rare", q=f"{verb} {word}")
        ask("a beginning", q=some.choice(NOUNS)[:3])
        ask("misspelt", q=misspelt(noun, some))
        ask("misspelt, two words", q=f"{verb} {misspelt(word, some)}")
        ask("a category", category=category)
        ask("a severity", severity=severity)
        ask("all facets", q=verb, category=category, severity=severity)
        ask("servers of a word", q=noun, show="servers")
        ask("servers of a facet", category=category, show="servers")
    return asked


def misspelt(word: str, some: random.Random) -> str:
    place = some.randrange(1, len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def report(times: dict[str, list[tuple[float, float]]]) -> None:
    """In milliseconds."""
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    head = f"{'median':>8}{'p95':>8}{'worst':>8}"
    print(f"{'':38}   {'CPU':>8}{'':16}   {'wall':>8}")
    print(f"{'asked for':32}{'pages':>6}   {head}   {head}")
    every = [each for several in times.values() for each in several]
    for kind, several in [*sorted(times.items()), ("all of them", every)]:
        wall, cpu = zip(*several, strict=True)
        print(f"{kind:32}{len(several):6}   {spread(cpu)}   {spread(wall)}")


def spread(several: Iterable[float]) -> str:
    ordered = sorted(several)
    at = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"{statistics.median(ordered):8.1f}{at:8.1f}{ordered[-1]:8.1f}"


if __name__ == "__main__":
    main()
