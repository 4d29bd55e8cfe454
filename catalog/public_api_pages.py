"""Pages of a list: by keys, never by an offset or a count.

A cursor is the key of the last row shown, in base64 of JSON. It is no secret and opens
nothing: one that somebody made up is another place in the same public list, or refused.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.problems import Problem
from catalog.public import absolute
from catalog.public_api_asked import PAGE, Given

LARGEST = 2**63 - 1


class Order(NamedTuple):
    """`fields` are unique together; all go up, or all down."""

    fields: tuple[str, ...]
    kinds: tuple[Callable[[Any], Any], ...]
    falling: bool = False

    @property
    def names(self) -> list[str]:
        return [f"-{field}" if self.falling else field for field in self.fields]


def number(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise ValueError("no id")
    return value


def word(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("no text")
    value.encode()  # not of lone surrogates
    return value


def instant(value: Any) -> datetime:
    at = datetime.fromisoformat(word(value))
    if at.tzinfo is None:
        raise ValueError("without a zone")
    # Out of range for some zones: a database counts from there.
    return at.astimezone(UTC)


BY_SLUG = Order(("slug",), (word,))
NEWEST = Order(("at", "pk"), (instant, number), falling=True)


class Page(NamedTuple):
    rows: Sequence[Any]
    cursor: str | None


def page(rows: QuerySet[Any, Any], order: Order, given: Given) -> Page:
    size = given.get("limit", PAGE)
    if cursor := given.get("cursor"):
        rows = rows.filter(_beyond(order, _place(cursor, order)))
    found = list(rows.order_by(*order.names)[: size + 1])
    if len(found) <= size:
        return Page(found, None)
    return Page(found[:size], _cursor(found[size - 1], order))


def listed(request: HttpRequest, items: Sequence[Any], found: Page) -> dict[str, Any]:
    """As the rest of the API: `{"items": [...], "next": URL or null}`."""
    if found.cursor is None:
        return {"items": items, "next": None}
    query = request.GET.copy()
    query["cursor"] = found.cursor
    address = absolute(request.path)
    return {"items": items, "next": f"{address}?{query.urlencode()}"}


def _beyond(order: Order, place: Sequence[Any]) -> Q:
    """`a > x or (a = x and b > y)`, or the other way round.

    The bound of the first field stands beside it, as an index is read from there.
    """
    compare = "lt" if order.falling else "gt"
    beyond, equal = Q(), Q()
    for field, value in zip(order.fields, place, strict=True):
        beyond |= equal & Q(**{f"{field}__{compare}": value})
        equal &= Q(**{field: value})
    return Q(**{f"{order.fields[0]}__{compare}e": place[0]}) & beyond


def _cursor(row: Any, order: Order) -> str:
    values = [getattr(row, field) for field in order.fields]
    plain = [v.isoformat() if isinstance(v, datetime) else v for v in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _place(cursor: str, order: Order) -> list[Any]:
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(values, list):
            raise ValueError("no place")
        pairs = zip(order.kinds, values, strict=True)
        return [kind(value) for kind, value in pairs]
    except (ValueError, OverflowError, RecursionError):
        raise not_ours() from None


def not_ours() -> Problem:
    said = "This cursor is none of ours."
    return Problem("invalid", said, errors=[{"parameter": "cursor", "detail": said}])
