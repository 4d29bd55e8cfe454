"""A page of tools for the API, out of the index that the pages search too.

All of it in one order, by keys, at any number of matches (`catalog/searching.py`). The
pages guess at misspelt words; a program is told what it asked for, and nothing else.
"""

from __future__ import annotations

from catalog import found, keysets, searching, vocabulary
from catalog.keysets import Place
from catalog.public_api_asked import PAGE, Given
from catalog.public_api_pages import Page, not_ours
from catalog.questions import FACETS, Question


def page(given: Given) -> Page:
    facets = {name: given[name] for name in FACETS if name in given}
    question = Question(text=given.get("q", ""), **facets)
    meanings = vocabulary.understand(question.words)
    if any(meaning.corrected for meaning in meanings):
        return Page([], None)
    size = given.get("limit", PAGE)
    wanted = searching.terms(question, meanings)
    places = searching.page(wanted, _after(given), size + 1)
    rows = found.tools().select_related("server")
    by_id = rows.in_bulk([place.id for place in places[:size]])
    shown = [by_id[place.id] for place in places[:size] if place.id in by_id]
    more = len(places) > size
    return Page(shown, keysets.written(places[size - 1]) if more else None)


def _after(given: Given) -> Place | None:
    if "cursor" not in given:
        return None
    place = keysets.read(given["cursor"])
    if place is None:
        raise not_ours()
    return place
