"""Attack patterns: what they promise is what their policies do."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

from catalog.attacks.layout import laid_out
from catalog.attacks.pattern import Pattern
from catalog.attacks.patterns import BY_SLUG, PATTERNS, SECTIONS, for_category
from catalog.classifier.rubric import rubric
from policies.cases import run_cases
from policies.compile import compile_document
from policies.document import parse
from servers.models import Category
from tests.cases import cases

WITH_POLICY = [pattern for pattern in PATTERNS if pattern.policy]
ZONE = ZoneInfo("Etc/UTC")


def each(pattern: Pattern) -> str:
    return pattern.slug


def test_there_are_many_and_each_has_an_address_of_its_own():
    assert len(PATTERNS) >= 25
    assert len(BY_SLUG) == len({p.name for p in PATTERNS}) == len(PATTERNS)
    assert sum(len(together) for _, together in SECTIONS) == len(PATTERNS)


@cases("pattern", WITH_POLICY, ids=each)
def test_its_policy_does_what_its_own_tests_say(pattern):
    """Parsed strictly, and every test in it runs and passes."""
    shown = laid_out(dict(pattern.policy))
    assert json.loads(shown) == pattern.policy
    compiled = compile_document(parse(shown))
    results = run_cases(compiled, {}, ZONE)
    assert results
    assert {r.name: r.message for r in results if r.outcome != "passed"} == {}


@cases("pattern", WITH_POLICY, ids=each)
def test_its_policy_stops_something(pattern):
    """A fragment that lets everything through would promise nothing."""
    expected = {case["expect"] for case in pattern.policy["tests"]}
    assert expected - {"allow"}
    assert pattern.does


@cases("pattern", PATTERNS, ids=each)
def test_it_says_what_it_must(pattern):
    assert pattern.happens and pattern.needs and pattern.also and pattern.left
    assert bool(pattern.policy) == (pattern.reach in {"stops", "narrows"})
    assert set(pattern.categories) <= set(Category.values)


@cases("pattern", PATTERNS, ids=each)
def test_its_sources_can_be_found(pattern):
    assert pattern.sources
    for source in pattern.sources:
        assert source.title
        assert source.when or source.identifier
        assert source.url == "" or source.url.startswith("https://")


def test_its_signals_are_those_of_the_classifier():
    known = {signal["signal"] for signal in rubric()["signals"]}
    assert {s for pattern in PATTERNS for s in pattern.signals} <= known


@cases("category", Category.values)
def test_every_category_has_some(category):
    found = for_category(category)
    assert found
    assert all(BY_SLUG[slug].name == name for slug, name in found)


def test_texts_promise_nothing_absolute():
    """The catalogue never calls anything safe, and does not shout."""
    for pattern in PATTERNS:
        said = " ".join(
            (pattern.line, pattern.does, pattern.left, *pattern.happens, *pattern.also)
        )
        assert " safe" not in said and "!" not in said, pattern.slug
