"""Structured data of pages that are lists or texts: `{% load jsonld %}`.

{% index_jsonld base servers %}   the catalogue itself; nothing where it is filtered
{% attacks_jsonld sections %}
{% attack_jsonld pattern %}
{% risk_jsonld %}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from catalog import jsonld
from catalog.attacks.pattern import Pattern
from catalog.jsonld import Crumb
from catalog.models import CatalogServer

register = template.Library()


@register.simple_tag
def index_jsonld(
    base: Mapping[str, int], servers: Sequence[CatalogServer] | None
) -> SafeString | str:
    if not base:
        return ""
    places = [Crumb(row.name, jsonld.server_path(row)) for row in servers or []]
    return jsonld.script(
        jsonld.dataset(base["servers"], base["tools"]),
        jsonld.listing("MCP servers", places),
    )


@register.simple_tag
def attacks_jsonld(sections: Sequence[tuple[str, Sequence[Pattern]]]) -> SafeString:
    places = [
        Crumb(pattern.name, _attack(pattern))
        for _, patterns in sections
        for pattern in patterns
    ]
    return jsonld.script(jsonld.listing("Documented attack patterns", places))


@register.simple_tag
def attack_jsonld(pattern: Pattern) -> SafeString:
    path = _attack(pattern)
    return jsonld.script(
        jsonld.article(path, pattern.name, pattern.line),
        jsonld.crumbs(
            Crumb("Attacks", reverse("catalog:attacks")), Crumb(pattern.name, path)
        ),
    )


@register.simple_tag
def risk_jsonld() -> SafeString:
    says = (
        "Each tool has a category, a severity and a confidence, with the words that"
        " they rest on."
    )
    path = reverse("catalog:risk")
    return jsonld.script(jsonld.article(path, "How risk is judged", says))


def _attack(pattern: Pattern) -> str:
    return reverse("catalog:attack", args=[pattern.slug])
