"""Where a page of a list begins: after the row that an address names. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from typing import NamedTuple


class Place(NamedTuple):
    """A row's place in its list: by rank, then by name, then by id."""

    rank: int
    name: str
    id: int


def written(place: Place) -> str:
    text = json.dumps(place, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(text: str) -> Place | None:
    """None for what no page of ours wrote: the list begins at its beginning."""
    try:
        padded = text + "=" * (-len(text) % 4)
        rank, name, row = json.loads(base64.b64decode(padded, "-_", validate=True))
        place = Place(rank, name, row)
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return None
    numbers = type(rank) is int and type(row) is int
    fits = numbers and abs(rank) < 2**31 and abs(row) < 2**63
    return place if fits and type(name) is str and _storable(name) else None


def _storable(name: str) -> bool:
    """Postgres knows neither NUL nor lone surrogates."""
    return "\0" not in name and not any("\ud800" <= each <= "\udfff" for each in name)
