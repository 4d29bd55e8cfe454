"""The servers that the index finds: thousands at most, so they are simply counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import BooleanField, Count, Q, QuerySet, Sum, Window
from django.db.models.expressions import RawSQL

from catalog import found, keysets, searching
from catalog.facets import MOST_PUBLISHERS
from catalog.keysets import Place
from catalog.models import CatalogServer
from catalog.questions import Question
from catalog.vocabulary import Meaning
from servers.models import Category, Severity

SIZE = 30
BESIDE = 3
SHOWN = (
    *("name", "slug", "publisher_name", "source", "source_kind", "version", "status"),
    *("tools_listed", "counts", "severity", "scanned_at"),
)
NAMES = """
SELECT asked.slug, named.publisher_name
FROM unnest(%s::text[]) AS asked (slug), LATERAL (
    SELECT publisher_name FROM catalog_catalogserver WHERE publisher = asked.slug
    ORDER BY id LIMIT 1
) AS named
"""


@dataclass(frozen=True, slots=True)
class ServerList:
    rows: list[CatalogServer]
    total: int
    counts: Mapping[str, Mapping[str, int]]
    next: str


def find(question: Question, meanings: Sequence[Meaning]) -> ServerList:
    every = worded(meanings)
    counted = every.aggregate(
        total=Count("pk", filter=wanted(question)), **asked(question)
    )
    after = keysets.read(question.after)
    rows = list(page(every.filter(wanted(question)), after)[: SIZE + 1])
    following = ""
    if len(rows) > SIZE:
        last = rows[SIZE - 1]
        place = keysets.written(Place(last.tools_listed, last.slug, last.pk))
        following = question.but(after=place).address
    return ServerList(
        rows[:SIZE], counted["total"], facet_counts(every, question, counted), following
    )


def beside(
    question: Question, meanings: Sequence[Meaning]
) -> tuple[list[CatalogServer], int]:
    """The first servers of the same words and filters, and how many there are. Without
    words they are merely counted."""
    every = worded(meanings).filter(wanted(question))
    if not question.text:
        return [], every.count()
    found = [*page(every, None).annotate(total=Window(Count("pk")))[:BESIDE]]
    return [*found], int(found[0].total) if found else 0


def totals() -> dict[str, int]:
    """`servers` and `tools` of the whole catalogue."""
    every = found.servers()
    counted = every.aggregate(servers=Count("pk"), tools=Sum("tools_listed", default=0))
    return {"servers": counted["servers"], "tools": counted["tools"]}


def publisher_names(slugs: Sequence[str]) -> dict[str, str]:
    """As any of its servers says: a publisher may have thousands."""
    return dict(searching.rows(NAMES, [list(slugs)])) if slugs else {}


def worded(meanings: Sequence[Meaning]) -> QuerySet[CatalogServer]:
    every = found.servers()
    terms = searching.terms(Question(), meanings)
    if not terms:
        return every
    query = [searching.query(terms)]
    return every.filter(RawSQL("search @@ %s::tsquery", query, BooleanField()))


def page(rows: QuerySet[CatalogServer], after: Place | None) -> QuerySet[CatalogServer]:
    """Those with most tools first."""
    rows = rows.order_by("-tools_listed", "slug").only(*SHOWN)
    if after is None:
        return rows
    further = Q(tools_listed=after.rank, slug__gt=after.name)
    return rows.filter(Q(tools_listed__lt=after.rank) | further)


def wanted(question: Question) -> Q:
    """A server of this publisher that has a tool of this category, and severity."""
    chosen = Q()
    if question.category:
        chosen &= having("counts", question.category)
    if question.severity:
        chosen &= having("severities", question.severity)
    if question.publisher:
        chosen &= Q(publisher=question.publisher)
    return chosen


def having(column: str, word: str) -> Q:
    return Q(**{f"{column}__{word}__gt": 0})


def asked(question: Question) -> dict[str, Count]:
    one = {each: wanted(question.but(category=each)) for each in Category.values}
    two = {each: wanted(question.but(severity=each)) for each in Severity.values}
    return {word: Count("pk", filter=chosen) for word, chosen in (one | two).items()}


def facet_counts(
    every: QuerySet[CatalogServer], question: Question, counted: Mapping[str, int]
) -> dict[str, dict[str, int]]:
    publishers = (
        every.filter(wanted(question.without("publisher")))
        .values_list("publisher")
        .annotate(servers=Count("pk"))
        .order_by("-servers", "publisher")
    )
    shown = dict(publishers[:MOST_PUBLISHERS])
    if question.publisher and question.publisher not in shown:
        shown[question.publisher] = counted["total"]
    return {
        "category": {each: counted[each] for each in Category.values},
        "severity": {each: counted[each] for each in Severity.values},
        "publisher": shown,
    }
