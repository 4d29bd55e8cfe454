"""Risk and attacks: generated from the code, cacheable, bounded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from catalog import attack_pages, risk_pages
from catalog.attacks.patterns import BY_SLUG, PATTERNS
from catalog.classifier.rubric import rubric
from catalog.evaluation import history
from catalog.models import CatalogTool
from policies.recommended import PER_MINUTE
from tests.world import make_catalog

pytestmark = pytest.mark.django_db
GUIDE = Path(__file__).resolve().parent.parent.parent / "docs" / "labelling.md"


@pytest.fixture
def risk() -> str:
    risk_pages.context.cache_clear()
    return Client().get("/risk/").content.decode()


def test_risk_shows_every_rule_of_the_code(risk):
    rules = rubric()
    for category in rules["categories"]:
        assert f'id="{category["name"].lower()}"' in risk
        for verbs in category["verbs"].values():
            assert not verbs or ", ".join(verbs) in risk
    for signal in rules["signals"]:
        assert f'id="signal-{signal["signal"]}"' in risk
    for doubt in rules["confidence"]["doubts"]:
        assert doubt["why"].replace("'", "&#x27;") in risk
    for rule in rules["raises"]:
        assert rule["why"].replace("'", "&#x27;") in risk
    assert f"version {rules['version']}" in risk


def test_a_changed_rule_changes_the_page(risk, monkeypatch):
    """Nothing on it is typed a second time."""
    assert "mine_bitcoin" not in risk and "at most 77" not in risk
    changed = rubric()
    changed["categories"][0]["verbs"]["strong"].append("mine_bitcoin")
    monkeypatch.setattr(risk_pages, "rubric", lambda: changed)
    monkeypatch.setitem(PER_MINUTE, "Write", 77)
    risk_pages.context.cache_clear()
    page = Client().get("/risk/").content.decode()
    risk_pages.context.cache_clear()
    assert "mine_bitcoin" in page and "at most 77" in page


def test_questions_are_the_labelling_guides():
    rows = dict(re.findall(r"^\| (\w+) \| (.+?) \|", GUIDE.read_text(), re.M))
    rows = {name: rows[name] for name in risk_pages.QUESTIONS}
    assert rows == risk_pages.QUESTIONS


def test_measured_figures_are_those_of_the_history(risk, tmp_path, monkeypatch):
    entries = history.read()
    shown = risk_pages.measured()
    assert bool(shown) == bool(entries)
    if entries and shown:
        figures = next(e for e in entries if e["version"] == shown["version"])[
            "figures"
        ]
        told = figures["classes"]["Destructive"]["recall"]
        assert f"{told['hits']} of {told['of']};" in risk
    monkeypatch.setattr(history, "read", list)
    assert risk_pages.measured() is None


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.slug)
def test_each_attack_has_a_page(pattern, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        page = Client().get(f"/attacks/{pattern.slug}/")
    assert page.status_code == 200 and page["Cache-Control"].startswith("public")
    text = page.content.decode()
    assert all(
        source.title.replace("'", "&#x27;") in text for source in pattern.sources
    )
    assert ("policy.json" in text) == bool(pattern.policy)


def test_an_attack_that_nobody_documented_is_not_there():
    assert Client().get("/attacks/moon-rays/").status_code == 404


def test_related_tools_have_its_category_and_signal(acme):
    make_catalog(acme)
    CatalogTool.objects.update(verdict={"signals": []})
    pattern = BY_SLUG["raw-queries"]
    assert attack_pages.related(pattern) == []
    row = CatalogTool.objects.filter(
        category__in=pattern.categories, listed=True
    ).last()
    assert row
    row.verdict = {"signals": [{"signal": "free_query", "field": "x", "why": "y"}]}
    row.save(update_fields=["verdict"])
    assert [tool.pk for tool in attack_pages.related(pattern)] == [row.pk]


def test_only_the_newest_tools_are_looked_at(acme, monkeypatch):
    make_catalog(acme)
    pattern = BY_SLUG["line-jumping"]
    assert attack_pages.related(pattern)
    monkeypatch.setattr(attack_pages, "LOOKED_AT", 0)
    assert attack_pages.related(pattern) == []
