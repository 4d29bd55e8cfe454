"""Servers are held out by their hashes, in numbers that can carry a score."""

from __future__ import annotations

import hashlib
import random

from catalog.evaluation.split import STRATA, split

KINDS = (*STRATA, "Financial", "Other")


def servers(seed: int) -> dict[str, dict[str, int]]:
    rng = random.Random(seed)
    return {
        f"server-{seed}-{number}": {kind: rng.choice((0, 1, 3, 9)) for kind in KINDS}
        for number in range(80)
    }


def held_tools(counts, held, kind) -> int:
    return sum(counts[slug][kind] for slug in held)


def test_each_stratum_has_its_30_and_the_whole_about_40_percent():
    for seed in range(20):
        counts = servers(seed)
        held = split(counts)
        assert all(held_tools(counts, held, kind) >= 30 for kind in STRATA)
        share = sum(sum(counts[s].values()) for s in held) / sum(
            sum(c.values()) for c in counts.values()
        )
        assert 0.33 < share < 0.5


def test_order_of_the_counts_changes_nothing():
    counts = servers(1)
    turned = dict(reversed(counts.items()))
    assert split(counts) == split(turned)


def test_the_lowest_hashes_are_held_out_where_servers_are_alike():
    counts = {f"s{n}": dict.fromkeys(STRATA, 10) for n in range(10)}
    order = sorted(counts, key=lambda s: hashlib.sha256(s.encode()).hexdigest())
    # 36 of 100 tools, so four servers of ten; 30 would have been three.
    assert split(counts) == set(order[:4])


def test_a_rare_category_gets_all_there_is():
    counts = {f"s{n}": {"Read": 10, "Execute": 2} for n in range(10)}
    assert split(counts) == set(counts)


def test_a_giant_waits_for_the_others():
    counts = {f"s{n}": {"Read": 4} for n in range(30)} | {"giant": {"Read": 120}}
    assert "giant" not in split(counts)
    assert split({"giant": {"Read": 120}}) == {"giant"}
