"""Hand-made mistakes in the engine: each must be caught.

Caught by a bounded number of seeded pairs held against the reference, by the
worked cases, or (mistakes of the parse) by broken documents. An unmutated copy,
loaded in the same way, must pass all of it.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from policies.document import parse
from tests.policies.reference.broken import Broken
from tests.policies.reference.compare import answer_of
from tests.policies.reference.decide import decide
from tests.policies.reference.dice import Dice
from tests.policies.reference.engine import decode
from tests.policies.reference.exact import load
from tests.policies.reference.mutants import MUTANTS, PARSE
from tests.policies.reference.mutating import Mutant, mutated
from tests.policies.reference.pairs import CALLS, blocks
from tests.policies.reference.validate import problems
from tests.policies.reference.vectors import reference_case
from tests.policies.worked import CASES, document_of

# One process draws, and asks the reference, for all of them.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mutants")]

PAIRS = 4_000
EARLY = 400  # pairs in which most are caught
BROKEN = 200


@cache
def pairs():
    """Documents with their cases and what the reference says."""
    return [asked(text, cases) for text, cases in blocks(2026, PAIRS)]


@cache
def vectors():
    """Those of the last sections first: what pairs meet seldom has its cases there."""
    found: dict[str, list[Any]] = {}
    for case in reversed(CASES):
        if "expect" in case:
            found.setdefault(json.dumps(document_of(case)), []).append(case)
    return [asked(text, cases) for text, cases in found.items()]


def asked(text, cases):
    """The document is parsed once for all mutants: none of those whose decisions
    are looked at is of the parse."""
    document = load(text)
    wanted = [decide(reference_case(case, document)) for case in cases]
    parsed = parse(text) if text != "null" else None
    return parsed, list(zip(cases, wanted, strict=True))


@cache
def broken():
    """Texts, and whether each is refused."""
    drawn = Broken(Dice(2026))
    texts = [case["document_json"] for case in CASES if "refused" in case]
    texts += [drawn.draw() for _ in range(BROKEN)]
    return [(text, bool(problems(text))) for text in texts]


# Nor is any mutant of how arguments are decoded.
decoded = cache(decode)


def caught_by(mutant: Mutant | None) -> str | None:
    engine = mutated(mutant, decoded)
    early, late = pairs()[: EARLY // CALLS], pairs()[EARLY // CALLS :]
    ways = {
        "early pairs": lambda: any(differs(engine, *block) for block in early),
        "vectors": lambda: any(differs(engine, *block) for block in vectors()),
        "late pairs": lambda: any(differs(engine, *block) for block in late),
        "broken documents": lambda: any(
            refuses(engine, text) != wanted for text, wanted in broken()
        ),
    }
    names = list(ways)[::-1] if mutant in PARSE else list(ways)
    return next((name for name in names if ways[name]()), None)


def differs(engine, document, cases):
    policy = document and engine.of.compile_document(document)
    return any(answer_of(engine, policy, case) != wanted for case, wanted in cases)


def refuses(engine, text):
    try:
        engine.of.parse(text)
    except engine.of.DocumentError:
        return True
    return False


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_caught(mutant):
    assert caught_by(mutant) is not None


def test_unmutated_copy_is_not():
    assert caught_by(None) is None


def test_there_are_at_least_thirty_and_no_two_alike():
    assert len(MUTANTS) >= 30
    assert len({(m.module, m.old, m.new) for m in MUTANTS}) == len(MUTANTS)


def test_a_mutant_that_no_longer_applies_fails_loudly():
    with pytest.raises(AssertionError, match="no longer applies"):
        mutated(Mutant("gone", "decide", "no such text", ""))
