"""Broken documents: the strict parse against the naive validator.

Both accept, or both refuse; and all that the parse complains of lies at or
below a place that the validator calls broken.
"""

from __future__ import annotations

import pytest

from policies.document import DocumentError, parse
from tests.policies.reference.broken import Broken
from tests.policies.reference.dice import Dice
from tests.policies.reference.pairs import blocks
from tests.policies.reference.validate import problems

DOCUMENTS = 750


@pytest.mark.parametrize("seed", range(4))
def test_parse_and_validator_refuse_the_same(seed):
    broken = Broken(Dice(seed))
    refused = 0
    for _ in range(DOCUMENTS):
        text = broken.draw()
        places = problems(text)
        complaints = [problem.pointer for problem in complaints_of(text)]
        assert bool(places) == bool(complaints), (text[:3000], places, complaints)
        for pointer in complaints:
            assert any(within(pointer, place) for place in places), (
                text[:3000],
                places,
                complaints,
            )
        refused += bool(places)
    assert 0.3 < refused / DOCUMENTS < 0.95


def test_parse_accepts_what_the_generator_draws():
    for text, _ in blocks(99, 100, calls_each=1):
        assert complaints_of(text) == ()


def complaints_of(text):
    try:
        assert len(parse(text).digest) == 64
    except DocumentError as error:
        assert error.problems
        return error.problems
    return ()


def within(pointer: str, place: str) -> bool:
    return pointer == place or pointer.startswith(place + "/")
