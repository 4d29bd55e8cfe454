"""What every page loads stays small, and every icon that a template names exists."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from django.contrib.staticfiles import finders

from accounts.templatetags import ui

ROOT = Path(__file__).resolve().parent.parent.parent
KB = 1024
SCRIPTS = ("frame.js", "elements.js", "django_htmx/htmx-4.min.js")
NAMED = re.compile(r"""icon(?:=|\s+)"([a-z-]+)\"""")

TAGS = re.compile(r"{% comment %}.*?{% endcomment %}|{%.*?%}", re.S)
INLINE = re.compile(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=")


def compressed(name: str) -> int:
    found = finders.find(name)
    assert isinstance(found, str), name
    return len(gzip.compress(Path(found).read_bytes()))


def test_scripts_and_styles_keep_to_their_budget():
    assert sum(map(compressed, SCRIPTS)) <= 30 * KB
    assert compressed("app.css") <= 20 * KB


def test_the_sprite_has_every_icon_that_is_named():
    sprite = (ROOT / "config" / "static" / "icons.svg").read_text()
    there = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    pages = [path.read_text() for path in (ROOT / "templates").rglob("*.html")]
    named = {name for page in pages for name in NAMED.findall(page)}
    badges = (*ui.DECISIONS.values(), *ui.SEVERITIES.values(), *ui.CATEGORIES.values())
    named |= {badge.icon for badge in badges}
    assert "server" in named
    assert named <= there


def test_templates_hold_no_inline_script_style_or_handler():
    """The policy of the pages (CSP) would switch it off without a word to people."""
    wrong = [
        path.name
        for path in (ROOT / "templates").rglob("*.html")
        if INLINE.search(TAGS.sub("", path.read_text()))
    ]
    assert not wrong
    assert INLINE.search("<a onclick='x'>") and INLINE.search("<script>x")
