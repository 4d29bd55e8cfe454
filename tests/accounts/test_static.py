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

MAILS = ROOT / "templates" / "emails"
LOADS_OR_RUNS = re.compile(
    r"<(?:script|img|link|iframe|video|object)\b|\son\w+=|url\(|@import|srcset", re.I
)


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


def test_mails_load_and_run_nothing():
    """Their styles are inline, as mail programs know no others."""
    mails = {path.name: path.read_text() for path in MAILS.glob("*.html")}
    assert "invitation.html" in mails
    assert not [name for name, text in mails.items() if LOADS_OR_RUNS.search(text)]
    assert LOADS_OR_RUNS.search('<img alt="" src="https://a/b.png">')
    assert LOADS_OR_RUNS.search("<p style='background: url(https://a/b.png)'>")


def test_templates_hold_no_inline_script_style_or_handler():
    """The policy of the pages (CSP) would switch it off without a word to people."""
    wrong = [
        path.name
        for path in (ROOT / "templates").rglob("*.html")
        if path.parent != MAILS and INLINE.search(TAGS.sub("", path.read_text()))
    ]
    assert not wrong
    assert INLINE.search("<a onclick='x'>") and INLINE.search("<script>x")
