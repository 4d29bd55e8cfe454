"""Tools beside a tool: of the same kind on other servers, and its server's own."""

from __future__ import annotations

from catalog import searching, tool_lists
from catalog.models import CatalogTool
from catalog.naming import words_of
from catalog.questions import Question
from catalog.verbs import VERBS
from catalog.vocabulary import Meaning

SHOWN = 6
# Enough that some are left when those of the same server are taken out.
LOOKED_AT = 24


def elsewhere(tool: CatalogTool) -> list[CatalogTool]:
    """With the same verb, object and category; without the object where that is few."""
    words = words_of(tool.name)
    verbs = [word for word in words if word in VERBS][:1]
    wanted = [[*verbs, words[-1]], verbs] if words and verbs else [words[-1:]]
    ids: dict[int, None] = {}
    for several in wanted if words else []:
        question = Question(category=tool.category)
        terms = searching.terms(question, [Meaning(word, (word,)) for word in several])
        places = searching.page(terms, None, LOOKED_AT)
        ids |= dict.fromkeys(place.id for place in places)
        if len(ids) > LOOKED_AT // 2:
            break
    found = tool_lists.fetched([*ids])
    return [each for each in found if each.server_id != tool.server_id][:SHOWN]


def here(tool: CatalogTool) -> list[CatalogTool]:
    """Its neighbours in the order of names, those of its category first."""
    rows = CatalogTool.objects.filter(server=tool.server_id, listed=True)
    rows = rows.exclude(pk=tool.pk).only(
        "server_id", "name", "slug", "category", "severity"
    )
    alike = list(rows.filter(category=tool.category).order_by("name")[:SHOWN])
    if len(alike) < SHOWN:
        others = rows.exclude(category=tool.category).order_by("name")
        alike += others[: SHOWN - len(alike)]
    for each in alike:
        each.server = tool.server
    return alike
