"""Seeded pairs of documents and calls: the same seed, the same pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.policies.reference.calls import Calls, hows
from tests.policies.reference.contexts import Contexts
from tests.policies.reference.dice import Dice
from tests.policies.reference.documents import Documents
from tests.policies.reference.texts import write

CALLS = 40


def blocks(
    seed: int, pairs: int, calls_each: int = CALLS
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Texts of documents, each with the cases to be decided under it."""
    rng = Dice(seed)
    documents, deck, contexts = Documents(rng), hows(rng), Contexts(rng)
    for start in range(0, pairs, calls_each):
        document = documents.draw()
        calls = Calls(rng, document, deck, contexts)
        count = min(calls_each, pairs - start)
        yield write(document), [calls.draw() for _ in range(count)]
