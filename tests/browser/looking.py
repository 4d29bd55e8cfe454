"""What is wrong with what is on the screen: axe, and whether it fits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal
from weakref import WeakKeyDictionary

from playwright.sync_api import Page

DESK, PHONE = 1280, 390
HERE = Path(__file__).parent
AXE = HERE.parent / "node_modules" / "axe-core" / "axe.min.js"
SCRIPT = f"{AXE.read_text()};\n{(HERE / 'looking.js').read_text()}"
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
ALL = {"type": "tag", "values": RULES}
# What colours decide.
CONTRAST = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
# All rules in both widths and in both themes; in the other two what colours decide.
LOOKS: tuple[tuple[Theme, int, bool], ...] = (
    ("light", DESK, True),
    ("light", PHONE, False),
    ("dark", PHONE, True),
    ("dark", DESK, False),
)
# What decides about the contrast of a text: where axe has looked at it and found
# nothing wrong, and where it has said that the contrast is enough. It says that of no
# text that is disabled, covered, or of one letter: it has yet to judge others of those
# colours.
SEEN: set[str] = set()
PASSED: set[str] = set()
# Compiled once a browser process, and not with each page.
STAYING: WeakKeyDictionary[Page, Any] = WeakKeyDictionary()


def prepare(page: Page) -> None:
    """axe in this page, and in those that follow in its tab."""
    if page.evaluate("'looking' in window"):
        return
    page.evaluate(SCRIPT)
    if page not in STAYING:
        STAYING[page] = page.add_init_script(SCRIPT)


def leave(page: Page) -> None:
    """Pages that follow are as they would be without a look at them."""
    if page in STAYING:
        STAYING.pop(page).close()


def seen(page: Page, name: str) -> list[str]:
    """What is wrong: wide and narrow, light and dark. One page for all four."""
    prepare(page)
    found: list[str] = []
    shown = ""
    for theme, width, everything in LOOKS:
        if theme != shown:
            page.emulate_media(color_scheme=theme)
            shown = theme
        if page.viewport_size != {"width": width, "height": 800}:
            page.set_viewport_size({"width": width, "height": 800})
        found += [f"{theme}, {width}: {one}" for one in broken(page, everything)]
        draw(page, f"{name}-{theme}-{width}")
    if page.locator("h1").count() != 1:
        found.append("has no heading, or several")
    return found


def broken(page: Page, everything: bool = True) -> list[str]:
    """What axe finds, and what does not fit on the screen.

    What colours decide is judged only if one of them is in a new place.
    """
    answer = page.evaluate("looking.shown()")
    shown = set(answer["keys"])
    wide = ["wider than the screen"] if answer["wider"] else []
    if not everything and shown <= SEEN:
        return wide
    return wide + judged(page, shown, ALL if everything else CONTRAST)


def judged(page: Page, shown: set[str], only: dict[str, Any]) -> list[str]:
    wanted = {"only": only, "passed": list(shown & PASSED)}
    answer = page.evaluate("(wanted) => looking.judge(wanted)", wanted)
    wrong: list[str] = answer["wrong"]
    if not wrong:
        SEEN.update(shown)
        PASSED.update(answer["passed"])
    return wrong


def draw(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name.replace(':', '_')}.png", full_page=True)
