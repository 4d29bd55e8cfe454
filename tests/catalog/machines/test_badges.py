from __future__ import annotations

from xml.etree import ElementTree

import pytest
from django.test import Client

from catalog import badges
from catalog.models import CatalogServer
from tests.catalog.machines import places

pytestmark = pytest.mark.django_db
SVG = "{http://www.w3.org/2000/svg}"


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, of two colours such as `#1d5fbf`."""

    def luminance(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def drawn(slug: str) -> ElementTree.Element:
    answer = Client().get(f"/tools/{slug}/badge.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    return ElementTree.fromstring(answer.content)  # noqa: S314 - of our own


def test_it_says_count_and_severity_in_words(tidy):
    badge = drawn("acme-storage")
    assert badge.tag == SVG + "svg"
    assert badge.findtext(SVG + "title") == "PolicyLayer: 4 tools, worst: critical"
    assert badge.get("aria-label") == badge.findtext(SVG + "title")
    words = [each.text for each in badge.iter(SVG + "text")]
    assert words == ["PolicyLayer", "4 tools, worst: critical"]


def test_words_stand_within_it(tidy):
    badge = drawn("acme-storage")
    edge = float(badge.get("width", 0))
    for each in badge.iter(SVG + "text"):
        end = float(each.get("x", 0)) + float(each.get("textLength", 0))
        assert end <= edge - badges.PAD


def test_a_server_without_tools(tidy):
    CatalogServer.objects.filter(slug="acme-storage").update(tools_listed=0)
    assert drawn("acme-storage").findtext(SVG + "title") == (
        "PolicyLayer: no tools listed"
    )


def test_it_is_legible_on_any_page():
    """White on its own grounds, which are opaque: no theme shows through."""
    for colour in (badges.GROUND, *badges.COLOURS.values()):
        assert contrast("#ffffff", colour) >= 4.5, colour


def test_nothing_of_a_stranger_is_drawn(hostile):
    answer = Client().get(f"/tools/{places.SERVER}/badge.svg").content.decode()
    assert "script" not in answer and "evil" not in answer
    assert "style=" not in answer  # which the policy of the answer would not allow


def test_there_is_no_badge_of_nothing(tidy):
    assert Client().get("/tools/none/badge.svg").status_code == 404


def test_the_page_shows_what_to_paste(tidy):
    page = Client().get("/tools/acme-storage/").content.decode()
    assert "http://127.0.0.1:8000/tools/acme-storage/badge.svg" in page
