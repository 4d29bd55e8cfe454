"""Tags of public pages: `{% load public %}`.

{{ request.path|absolute }}    the canonical address
{{ scan.scanned_at|day }}      <time>, as a date: what is kept knows no "ago"
"""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog import public

register = template.Library()


@register.filter
def absolute(path: str) -> str:
    return public.absolute(path)


@register.filter
def day(moment: datetime | None) -> SafeString | str:
    if moment is None:
        return "–"
    there = moment.astimezone(UTC)
    said = f"{there.day} {there:%b %Y}"
    exact = f"{there:%Y-%m-%dT%H:%M:%SZ}"
    return format_html('<time datetime="{}" title="{}">{}</time>', exact, exact, said)
