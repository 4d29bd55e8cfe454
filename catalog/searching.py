"""Finding tools among a million, and counting them up to a thousand.

Everything is asked of one index (`catalog/vectors.py`). Up to `MOST` matches are
fetched whole: they are ranked and counted here, in one look. Beyond that nobody reads a
list to its end: tools come by their names, of a catalogue of more than `SMALL` part by
part, and each value of a facet is counted alone, up to `MOST`. A filter is asked for
together with each word, and each group by entries of its own, so no list that is read
is much longer than what is found.

The planner takes words for independent, which names of tools are not, so no query lets
it choose how many matches to expect: groups and parts are looked into one by one, until
there is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection

from catalog.keysets import Place
from catalog.questions import Question
from catalog.vocabulary import Meaning

MOST = 1_000
SMALL = 20_000
GROUPS = ("=g0", "=g1", "=g2")
# Where the last group begins: it has no entries of its own, so its rows are told apart.
LAST = "20"
# No word of a text: matches nothing.
NOTHING = "="
# A term of a question: one of these entries.
Term = Sequence[str]
MARKS = {"category": "=c:", "severity": "=s:", "publisher": "=p:"}

# A server that is deleted keeps its rows. There are few: an index of their own.
ALIVE = """server_id NOT IN (
        SELECT id FROM catalog_catalogserver WHERE status = 'deleted'
    )"""
BEGINS = f"ARRAY['', '', '{LAST}']"
MATCHES = f"""
SELECT asked.number, hit.id, hit.name, hit.category, hit.severity, hit.publisher
FROM unnest(%s::text[], %s::text[], %s::text[])
    WITH ORDINALITY AS asked (first, second, third, number),
LATERAL (
    SELECT tool.* FROM unnest(ARRAY[first, second, third], {BEGINS})
        AS part (query, begins), LATERAL (
        SELECT id, name, category, severity, publisher FROM catalog_catalogtool
        WHERE search @@ part.query::tsquery AND fingerprint >= part.begins AND {ALIVE}
    ) AS tool LIMIT %s
) AS hit
"""
COUNTS = f"""
SELECT asked.number, counted.matches
FROM unnest(%s::text[], %s::text[], %s::text[])
    WITH ORDINALITY AS asked (first, second, third, number),
LATERAL (
    SELECT count(*) AS matches FROM (
        SELECT 1 FROM unnest(ARRAY[first, second, third], {BEGINS})
            AS part (query, begins), LATERAL (
            SELECT 1 FROM catalog_catalogtool
            WHERE search @@ part.query::tsquery AND fingerprint >= part.begins
            AND {ALIVE}
        ) AS hit LIMIT %s
    ) AS few
) AS counted
"""
# Without words an index of the facets alone answers, with no look at a row.
FILTERED = f"""(
    SELECT count(*) FROM (
        SELECT 1 FROM catalog_catalogtool WHERE listed AND {{filters}} AND {ALIVE}
        LIMIT %s
    ) AS few
)"""
# Each part is sorted by itself; the loop over them keeps their order.
PAGE = f"""
SELECT part.number, hit.name, hit.id
FROM generate_series(%s, 255) AS part (number), LATERAL (
    SELECT id, name FROM catalog_catalogtool
    WHERE search @@ (
        %s || '''=t' || lpad(to_hex(part.number), 2, '0') || ''''
    )::tsquery AND {ALIVE}
    AND (part.number > %s OR (name, id) > (%s, %s))
    ORDER BY name, id LIMIT %s
) AS hit LIMIT %s
"""
SORTED = f"""
SELECT 0, name, id FROM catalog_catalogtool
WHERE search @@ %s::tsquery AND {ALIVE} AND (name, id) > (%s, %s)
ORDER BY name, id LIMIT %s
"""


class Match(NamedTuple):
    id: int
    name: str
    category: str
    severity: str
    publisher: str


def terms(question: Question, meanings: Iterable[Meaning]) -> list[Term]:
    """All of which a tool must have."""
    words: list[Term] = [meaning.words or (NOTHING,) for meaning in meanings]
    marks = [(MARKS[facet] + value,) for facet, value in question.filters.items()]
    return [*words, *marks]


def query(wanted: Sequence[Term], group: str = "") -> str:
    """As a tsquery, "" where anything will do; of a group's own entries."""
    marks = [term for term in wanted if term[0].startswith("=") and len(term) == 1]
    if marks and marks[-1] != (NOTHING,) and len(wanted) > 1:
        lead = marks[-1]
        others = [term for term in wanted if term is not lead]
        wanted = [[f"{lead[0]}:{each}" for each in term] for term in others]
    before = f"{group}:" if group else ""
    each = [" | ".join(quoted(before + one) for one in term) for term in wanted]
    return " & ".join(f"({one})" for one in each)


def quoted(lexeme: str) -> str:
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def matches(wanted: Sequence[Sequence[Term]]) -> list[list[Match]]:
    """Of each up to `MOST` + 1, in no order."""
    found: list[list[Match]] = [[] for _ in wanted]
    if wanted:
        for number, *row in rows(MATCHES, [*by_group(wanted), MOST + 1]):
            found[number - 1].append(Match(*row))
    return found


def counts(wanted: Sequence[Sequence[Term]]) -> list[int]:
    """How many match each, up to `MOST` + 1."""
    found = dict(rows(COUNTS, [*by_group(wanted), MOST + 1]))
    return [found[number + 1] for number in range(len(wanted))]


def filtered(wanted: Sequence[Mapping[str, str]]) -> list[int]:
    """As `counts`, of these values by facet."""
    asked: list[str] = []
    given: list[Any] = []
    for filters in wanted:
        conditions = [f"{facet} = %s" for facet in MARKS if facet in filters]
        asked.append(FILTERED.format(filters=" AND ".join(conditions)))
        given += [*(filters[facet] for facet in MARKS if facet in filters), MOST + 1]
    return [*rows(f"SELECT {', '.join(asked)}", given)[0]]


def by_group(wanted: Sequence[Sequence[Term]]) -> list[list[str]]:
    first, second, last = GROUPS
    few = [
        [query(each, group) or quoted(group) for each in wanted]
        for group in (first, second)
    ]
    return [*few, [query(each) or quoted(last) for each in wanted]]


def page(wanted: Sequence[Term], after: Place | None, size: int) -> list[Place]:
    """Part by part from `after` on, where there are too many to be ranked."""
    at = after or Place(-1, "", 0)
    before = f"{query(wanted)} & " if wanted else ""
    given = [max(at.rank, 0), before, at.rank, at.name, at.id, size, size]
    return [Place(*row) for row in rows(PAGE, given)]


def in_order(wanted: Sequence[Term], after: Place | None, size: int) -> list[Place]:
    """By name from `after` on: all matches are sorted, so of a small catalogue."""
    at = after or Place(0, "", 0)
    every = " | ".join(map(quoted, GROUPS))
    given = [query(wanted) or every, at.name, at.id, size]
    return [Place(*row) for row in rows(SORTED, given)]


def rows(sql: str, given: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
