"""Tags of the catalogue's pages: `{% load catalog %}`.

{{ tool|does }}                 what it does, in our words
{% bar server.counts %}         a bar of its tools by category, as SVG
{% verdict tool %}              its category and severity, as badges
{{ count|tools_said }}          "1 tool", "12 tools"
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from catalog.models import CatalogTool
from catalog.naming import words_of
from catalog.plain import plural
from catalog.wording import sentence
from servers.models import Category

register = template.Library()
WIDTH = 100
CHANGE_ICONS = {"added": "plus", "removed": "delete", "changed": "edit"}


@register.filter
def does(tool: CatalogTool) -> str:
    return sentence(tool.name, words_of(tool.server.slug))


@register.simple_tag
def verdict(tool: CatalogTool) -> SafeString:
    """Its badges. A page has hundreds of a few kinds: each is drawn once a process."""
    return badge("category", tool.category) + badge("severity", tool.severity)


@functools.cache
def badge(kind: str, word: str) -> SafeString:
    return mark_safe(render_to_string("_badge.html", {kind: word}))


@register.filter
def tools_said(count: int) -> str:
    return plural(count, "tool")


@register.filter
def joined(words: Iterable[object], between: str) -> str:
    """Not `join`, which escapes what `inert` escapes again."""
    return between.join(map(str, words))


@register.filter
def by_category(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(word, counts[word]) for word in Category.values if counts.get(word)]


@register.filter
def change_icon(kind: str) -> str:
    return CHANGE_ICONS.get(kind, "history")


@register.simple_tag
def bar(counts: Mapping[str, int]) -> SafeString:
    """As wide as its place. A screen reader hears the numbers."""
    given = {word: counts.get(word, 0) for word in Category.values}
    total = sum(given.values())
    if not total:
        return SafeString("")
    said = ", ".join(f"{count} {word}" for word, count in given.items() if count)
    pieces, left = [], 0.0
    for word, count in given.items():
        width = WIDTH * count / total
        pieces.append((word, f"{left:.2f}", f"{width:.2f}"))
        left += width if count else 0
    drawn = format_html_join(
        "", '<rect class="of-{}" x="{}" y="0" width="{}" height="8"></rect>', pieces
    )
    return format_html(
        '<svg class="bar" viewBox="0 0 {} 8" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">{}</svg>',
        WIDTH,
        said,
        drawn,
    )
