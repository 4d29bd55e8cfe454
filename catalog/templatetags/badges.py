"""The badge of a server, for its page: `{% load badges %}`.

{% badge_of server as badge %}   badge.path, badge.words, badge.width, badge.snippet
"""

from __future__ import annotations

from typing import NamedTuple

from django import template
from django.urls import reverse

from catalog import badges, jsonld
from catalog.models import CatalogServer
from catalog.public import absolute

register = template.Library()


class Badge(NamedTuple):
    """`snippet` is Markdown for a README, with addresses that hold anywhere."""

    path: str
    words: str
    width: int
    snippet: str


@register.simple_tag
def badge_of(server: CatalogServer) -> Badge:
    path, words = reverse("catalog:badge", args=[server.slug]), badges.words(server)
    page = absolute(jsonld.server_path(server))
    image = f"![{badges.LABEL}: {words}]({absolute(path)})"
    return Badge(path, words, badges.total_width(words), f"[{image}]({page})\n")
