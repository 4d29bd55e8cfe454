"""The compiled engine against the naive reference, on 200,000 seeded pairs.

Pairs are split into seeds so that workers share them; each seed answers for its
own share of the coverage, so that together every cell of operator, type and
presence is met by at least 200 pairs.
"""

from __future__ import annotations

import pytest

from tests.policies.reference.compare import hold
from tests.policies.reference.coverage import Coverage
from tests.policies.reference.engine import Engine
from tests.policies.reference.pairs import blocks

PAIRS = 200_000
SEEDS = range(4)
# What a document costs both sides to read is two dozen calls' worth.
CALLS_EACH = 100


@pytest.mark.slow
@pytest.mark.timeout(600)  # a dozen seconds of a core that others may use too
@pytest.mark.parametrize("seed", SEEDS)
def test_engine_and_reference_agree(seed):
    coverage = Coverage()
    pairs = PAIRS // len(SEEDS)
    found = hold(Engine(), blocks(seed, pairs, CALLS_EACH), coverage)
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:3])
    assert coverage.pairs == pairs
    assert coverage.lacking() == []
