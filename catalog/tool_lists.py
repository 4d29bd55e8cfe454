"""The tools that the index finds, page by page, with their facets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog import facets, keysets, searching, server_lists
from catalog.facets import Counted
from catalog.keysets import Place
from catalog.models import CatalogTool
from catalog.naming import words_of
from catalog.questions import Question
from catalog.searching import Match
from catalog.vocabulary import Meaning

SIZE = 30


@dataclass(frozen=True, slots=True)
class ToolList:
    """`next` is the address of the page after this one, or ""."""

    rows: list[CatalogTool]
    counted: Counted
    next: str


def find(question: Question, meanings: Sequence[Meaning]) -> ToolList:
    counted = facets.count(question, meanings)
    after = keysets.read(question.after)
    if counted.many:
        small = server_lists.totals()["tools"] <= searching.SMALL
        listed = searching.in_order if small else searching.page
        places = listed(searching.terms(question, meanings), after, SIZE + 1)
    else:
        places = ranked(counted.matches, question, after)[: SIZE + 1]
    following = keysets.written(places[SIZE - 1]) if len(places) > SIZE else ""
    return ToolList(
        fetched([place.id for place in places[:SIZE]]),
        counted,
        question.but(after=following).address if following else "",
    )


def ranked(
    matches: list[Match], question: Question, after: Place | None
) -> list[Place]:
    """Best first: the very name, then names that have all words, then the rest."""
    wanted = question.words
    places = sorted(
        Place(rank(match.name, question.text.lower(), wanted), match.name, match.id)
        for match in matches
    )
    return [place for place in places if after is None or place > after]


def rank(name: str, text: str, words: list[str]) -> int:
    if text and name.lower() == text:
        return 0
    return 1 if words and set(words) <= set(words_of(name)) else 2


def fetched(ids: list[int]) -> list[CatalogTool]:
    """In the order of `ids`; with their servers, without what a list does not show."""
    found = (
        CatalogTool.objects.select_related("server")
        .only(
            *("name", "slug", "category", "severity", "confidence", "facts"),
            *("server__name", "server__slug", "server__publisher_name"),
            *("server__status", "server__source"),
        )
        .in_bulk(ids)
    )
    return [found[each] for each in ids if each in found]
