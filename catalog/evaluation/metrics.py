"""How often two readings agree, in figures with their uncertainty. Pure.

Intervals are Wilson's, at 95 %. F1 is made of the share TP / (TP + FP + FN), which it
grows with, and so are the ends of its interval.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

# The 97.5th percentile of the normal distribution.
Z = 1.959963984540054
FEW = 30
RESAMPLES = 1_000

# (label, verdict) of one tool.
Pair = tuple[str, str]


class Share(NamedTuple):
    """`hits` of `of`; None where there is nothing to count."""

    hits: int
    of: int
    value: float | None
    low: float | None
    high: float | None


class Scores(NamedTuple):
    """One class. `few`: too few tools have this label for a figure that carries."""

    precision: Share
    recall: Share
    f1: Share
    few: bool


def share(hits: int, of: int) -> Share:
    if not of:
        return Share(hits, of, None, None, None)
    low, high = wilson(hits, of)
    return Share(hits, of, hits / of, low, high)


def wilson(hits: int, of: int) -> tuple[float, float]:
    rate, z2 = hits / of, Z * Z
    middle = (rate + z2 / (2 * of)) / (1 + z2 / of)
    spread = math.sqrt(rate * (1 - rate) / of + z2 / (4 * of * of))
    half = Z * spread / (1 + z2 / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def confusion(pairs: Iterable[Pair]) -> Counter[Pair]:
    return Counter(pairs)


def scores(counts: Mapping[Pair, int], category: str) -> Scores:
    hits = counts.get((category, category), 0)
    labelled = sum(n for (label, _), n in counts.items() if label == category)
    judged = sum(n for (_, verdict), n in counts.items() if verdict == category)
    return Scores(
        precision=share(hits, judged),
        recall=share(hits, labelled),
        f1=_f1(hits, labelled + judged - hits),
        few=labelled < FEW,
    )


def _f1(hits: int, either: int) -> Share:
    """`hits` is of all that either side calls so."""
    common = share(hits, either)
    ends = (common.value, common.low, common.high)
    value, low, high = (None if e is None else 2 * e / (1 + e) for e in ends)
    return Share(hits, either, value, low, high)


def macro(counts: Mapping[Pair, int], categories: Iterable[str]) -> float | None:
    """Mean F1 of the classes that are not too few; None where there are none."""
    found = [scores(counts, category) for category in categories]
    values = [one.f1.value for one in found if not one.few and one.f1.value is not None]
    return sum(values) / len(values) if values else None


def accuracy(counts: Mapping[Pair, int], same: Callable[[str, str], bool]) -> Share:
    hits = sum(n for (label, verdict), n in counts.items() if same(label, verdict))
    return share(hits, sum(counts.values()))


def both_read(label: str, verdict: str) -> bool:
    """Whether the two agree on read versus not read."""
    return (label == "Read") == (verdict == "Read")


def kappa(pairs: Sequence[Pair]) -> float | None:
    """Cohen's: agreement beyond chance. None where it has no meaning."""
    total = len(pairs)
    if not total:
        return None
    agreed = sum(one == other for one, other in pairs) / total
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    chance = sum(first[c] * second[c] for c in first) / (total * total)
    return None if chance == 1 else (agreed - chance) / (1 - chance)


def macro_interval(
    pairs: Sequence[Pair], categories: Sequence[str]
) -> tuple[float, float] | None:
    """The middle 95 % of the macro F1 of resampled tools; the same on each run."""
    kept = [c for c in categories if not scores(confusion(pairs), c).few]
    if not kept:
        return None
    chance = random.Random(0)
    counts = confusion(pairs)
    cells, weights = list(counts), list(counts.values())
    found = sorted(
        _mean_f1(Counter(chance.choices(cells, weights, k=len(pairs))), kept)
        for _ in range(RESAMPLES)
    )
    return found[int(0.025 * RESAMPLES)], found[int(0.975 * RESAMPLES) - 1]


def _mean_f1(counts: Mapping[Pair, int], categories: Sequence[str]) -> float:
    values = [scores(counts, category).f1.value or 0.0 for category in categories]
    return sum(values) / len(values)
