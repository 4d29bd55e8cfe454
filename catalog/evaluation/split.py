"""Which servers the classifier is scored on and never developed on. Pure.

Nothing but counts of labels and the SHA-256 of a server's slug decides, so nobody can
choose. Whole servers are held out: tools of one server resemble each other.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping

# Servers that join for one category bring tools of others, so that about 40 % of all
# tools end up held out.
SHARE = 0.36
LEAST = 30
STRATA = ("Read", "Write", "Execute", "Destructive")

Counts = Mapping[str, Mapping[str, int]]


def split(counts: Counts) -> set[str]:
    """The slugs held out, of `{slug: {category: tools}}`.

    Rarest category first: servers join in the order of their hashes until the category
    has its share, and `LEAST` tools where there are so many. Servers that would bring
    more than is missing are passed over; if the rest is too few, the smallest joins.
    """
    order = sorted(counts, key=_hash)
    held: set[str] = set()
    for category in sorted(STRATA, key=lambda c: _count(counts, order, c)):
        total = _count(counts, order, category)
        wanted = min(total, max(LEAST, math.ceil(SHARE * total)))
        for slug in order:
            if (
                0
                < _of(counts, slug, category)
                <= wanted - _count(counts, held, category)
            ):
                held.add(slug)
        for slug in sorted(order, key=lambda s: _of(counts, s, category)):
            if _of(counts, slug, category) and _count(counts, held, category) < wanted:
                held.add(slug)
    return held


def _hash(slug: str) -> str:
    return hashlib.sha256(slug.encode()).hexdigest()


def _of(counts: Counts, slug: str, category: str) -> int:
    return counts[slug].get(category, 0)


def _count(counts: Counts, slugs: Iterable[str], category: str) -> int:
    return sum(_of(counts, slug, category) for slug in slugs)
