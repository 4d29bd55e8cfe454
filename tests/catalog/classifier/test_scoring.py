"""A clean checkout scores itself, on servers that no rule was made from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from catalog.classifier.facts import observe
from catalog.classifier.judging import judge
from catalog.classifier.lexicon import VERBS
from catalog.classifier.subject import Rules
from catalog.classifier.version import VERSION
from catalog.evaluation import history, labels, scoring
from catalog.evaluation.split import STRATA, split


@pytest.fixture(scope="module")
def held_out():
    return labels.read(labels.HELD_OUT)


@pytest.fixture(scope="module")
def development():
    return labels.read(labels.DEVELOPMENT)


@pytest.fixture(scope="module")
def tools():
    return scoring.shipped()


def test_the_split_is_that_of_the_hashes(held_out, development):
    counts: dict[str, Counter[str]] = {}
    for label in (*held_out, *development):
        counts.setdefault(label.server, Counter())[label.label] += 1
    assert split(counts) == {label.server for label in held_out}


def test_enough_is_held_out_and_labelled(held_out, development):
    found = Counter(label.label for label in held_out)
    assert all(found[category] >= 30 for category in STRATA)
    assert len(held_out) + len(development) >= 600
    assert {label.server for label in held_out}.isdisjoint(
        label.server for label in development
    )


def test_each_outcome_is_one_of_the_two_readings(held_out, development):
    for label in (*held_out, *development):
        if label.outcome == "agreed":
            assert label.first == label.second == label.label
        elif label.outcome in ("first", "second"):
            assert label.first != label.second
            assert getattr(label, label.outcome) == label.label
        else:
            assert label.outcome == "third"
            assert label.label not in (label.first, label.second)


def test_a_clean_checkout_scores_what_the_history_says(held_out, tools):
    newest = history.read()[-1]
    assert newest["version"] == VERSION
    assert scoring.figures(scoring.score(held_out, tools)) == newest["figures"]


def test_the_aims(held_out):
    figures = history.read()[-1]["figures"]
    destructive = figures["classes"]["Destructive"]
    assert figures["read_or_not"]["value"] >= 0.95
    assert destructive["recall"]["value"] >= 0.95
    assert destructive["precision"]["value"] >= 0.85
    assert figures["macro_f1"] >= 0.85


@pytest.mark.parametrize(
    ("verb", "category"), [("delete", "Destructive"), ("list", "Read")]
)
def test_a_rule_that_is_taken_out_moves_the_score(development, tools, verb, category):
    lines = tuple(
        (kind, strength, " ".join(w for w in line.split() if w != verb))
        for kind, strength, line in VERBS
    )
    assert lines != VERBS
    whole = scoring.score(development, tools)
    less = scoring.score(development, tools, Rules(lines))
    right = (category, category)
    assert less.pairs.count(right) < whole.pairs.count(right)
    assert len(less.errors) > len(whole.errors)


def test_the_page_says_what_the_history_says():
    page = (Path(__file__).parents[3] / "docs" / "catalogue.md").read_text()
    for one in history.read():
        figures = one["figures"]
        destructive = figures["classes"]["Destructive"]
        cells = [
            one["version"],
            counted(figures["read_or_not"]),
            counted(destructive["recall"]),
            counted(destructive["precision"]),
            f"{100 * figures['macro_f1']:.1f} %",
        ]
        assert f"| {' | '.join(cells)} |" in page


def counted(share) -> str:
    return f"{100 * share['value']:.1f} % ({share['hits']}/{share['of']})"


def test_an_absent_hint_is_no_hint():
    def facts(name, annotations):
        return {**observe({"name": name}), "annotations": annotations}

    named = {
        "get_a": {"readOnlyHint": True},
        "get_b": {},
        "delete_c": {"destructiveHint": True},
        "update_d": {"readOnlyHint": False, "destructiveHint": True},
        "get_e": {"readOnlyHint": True, "destructiveHint": True},
    }
    tools = {("s", name): facts(name, hints) for name, hints in named.items()}
    found = scoring.beside_authors(tools)
    # a, d and e have the one; c and d have the other, and e does not write.
    assert (found["read_only_hint"]["hits"], found["read_only_hint"]["of"]) == (3, 3)
    assert (found["destructive_hint"]["hits"], found["destructive_hint"]["of"]) == (
        1,
        2,
    )


def test_verdicts_beside_annotations_do_not_see_them(monkeypatch, tools):
    seen = []

    def judged(facts):
        seen.append(facts["annotations"])
        return judge(facts)

    monkeypatch.setattr(scoring, "judge", judged)
    few = dict(list(tools.items())[:50])
    assert any(facts["annotations"] for facts in few.values())
    scoring.beside_authors(few)
    assert seen == [{}] * 50


def test_labels_without_facts_are_told(held_out):
    scored = scoring.score(held_out, {})
    assert scored.missing == len(held_out)
    assert scored.judged == ()
