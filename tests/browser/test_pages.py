"""Every page of tests/routes.py: wide and narrow, light and dark, full and empty.

axe finds no violation of WCAG 2.2 AA, nothing is wider than the screen, the browser
complains about nothing (a strict CSP would make it), and there is a heading.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import DESK, PHONE, Opener
from tests.routes import EVERYBODY, ROUTES, Route
from tests.test_matrix import names_an_object, place
from tests.world import World, make_world

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]
AXE = Path(__file__).parent.parent / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGES = [route for route in ROUTES if route.page and route.get is not None]
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# The longest test is what the last worker is waited for.
PARTS = 2
# Only what is violated is put into words, which is most of what axe does. Nothing of
# what it would load, to look at rules that are not asked for, is loaded.
TOLD = """async (only) => {
  const found = await axe.run({
    runOnly: only, resultTypes: ['violations'], preload: false, iframes: false});
  return found.violations.map((broken) =>
    [broken.id, ...broken.nodes.map((node) => node.html.slice(0, 160))].join(' '));
}"""
ALL = {"type": "tag", "values": RULES}
# What colours decide.
CONTRAST = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
# What decides about the contrast of each text that is shown: its own colour and size,
# and what it and all around it lie upon. Colours on their way to others arrive.
COMBINATIONS = """() => {
  document.getAnimations().filter((one) =>
    one.effect.getComputedTiming().endTime !== Infinity).forEach((one) => one.finish());
  const said = new Map();
  const behind = (node) => {
    if (!node) return '';
    if (!said.has(node)) {
      const {backgroundColor, backgroundImage, opacity} = getComputedStyle(node);
      const own = `${backgroundColor} ${backgroundImage} ${opacity}; `;
      said.set(node, behind(node.parentElement) + own);
    }
    return said.get(node);
  };
  const found = new Set();
  for (const node of document.body.querySelectorAll('*')) {
    const texts = [...node.childNodes].some(
      (one) => one.nodeType === Node.TEXT_NODE && one.data.trim());
    if ((!texts && !node.matches('input, select, textarea')) || !node.checkVisibility())
      continue;
    const {color, fontSize, fontWeight, textShadow, textDecorationLine} =
      getComputedStyle(node);
    const own = [node.localName, color, fontSize, fontWeight, textShadow];
    const beside = [textDecorationLine, getComputedStyle(node.parentElement).color];
    found.add([...own, ...beside, behind(node)].join(' '));
  }
  return [...found];
}"""
# Those in which axe found nothing wrong.
JUDGED: set[str] = set()
# All rules in both widths and in both themes; in the other two what colours decide.
LOOKS: tuple[tuple[Literal["light", "dark"], int, bool], ...] = (
    ("light", DESK, True),
    ("light", PHONE, False),
    ("dark", PHONE, True),
    ("dark", DESK, False),
)


@pytest.fixture
def world(transactional_db: None, settings) -> World:
    settings.ACCOUNT_RATE_LIMITS = False
    return make_world()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("who", ["nobody", "alice", "charlie"])
def test_pages(open_page: Opener, world: World, who, part):
    """alice sees everything at its worst; charlie's organization is empty."""
    page = open_page(world.people.get(who))
    wrong = {}
    for route in PAGES[part::PARTS]:
        if opens(route, who):
            answer = page.goto(place(route, world))
            wrong[route.name] = seen(page, f"{route.name}-{who}")
            if answer is None or answer.status != route.get:
                wrong[route.name].append(f"answered {answer and answer.status}")
    wrong = {name: found for name, found in wrong.items() if found}
    assert not wrong, "\n".join(f"{name}: {found}" for name, found in wrong.items())


def opens(route: Route, who: str) -> bool:
    if who == "nobody":
        return route.minimum == EVERYBODY
    if who == "charlie":
        return route.minimum != EVERYBODY and not names_an_object(route)
    return route.minimum != EVERYBODY or route.name == "home"


def seen(page: Page, name: str) -> list[str]:
    """What is wrong with what is on the screen: wide and narrow, light and dark.

    One page for all four: the third time axe is twice as quick as on a new one.
    """
    page.evaluate(AXE.read_text())
    found: list[str] = []
    for theme, width, everything in LOOKS:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 800})
        found += [f"{theme}, {width}: {one}" for one in broken(page, everything)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"wider than {width}")
        draw(page, f"{name}-{theme}-{width}")
    if page.locator("h1").count() != 1:
        found.append("has no heading, or several")
    return found


def broken(page: Page, everything: bool = True) -> list[str]:
    """What axe finds; what colours decide only if one of them is in a new place."""
    shown = set(page.evaluate(COMBINATIONS))
    if not everything and shown <= JUDGED:
        return []
    found: list[str] = page.evaluate(TOLD, ALL if everything else CONTRAST)
    if not found:
        JUDGED.update(shown)
    return found


def draw(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name.replace(':', '_')}.png", full_page=True)
