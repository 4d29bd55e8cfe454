"""The index as it is read here."""

from __future__ import annotations

import re

from django.test import Client

TOOL = re.compile(r'<a class="listed-name mono" href="/tools/([^/]+)/([^/"]+)/"')
SERVER = re.compile(r'<a class="listed-name" href="/tools/([^/]+)/"')
# What a facet's link holds: its value's name, and how many.
FACET = re.compile(
    r'<li><a href="[^"]*"( aria-current="true")?><span class="facet-name">.*?<bdi>(.*?)'
    r'</bdi>.*?<span class="muted">([\d,+]+)</span></a></li>',
    re.S,
)
NEXT = re.compile(r'rel="next" href="([^"]+)"')
TAB = re.compile(r">(Servers|Tools) <span class=\"muted\">&nbsp;([\d,+]+)</span>")


def opened(address: str = "/tools/", **given: str) -> str:
    answer = Client().get(address, given or None)
    assert answer.status_code == 200
    return answer.content.decode()


def tools(page: str) -> list[str]:
    return [tool for _, tool in TOOL.findall(page)]


def facets(page: str) -> dict[str, str]:
    return {name: count for _, name, count in FACET.findall(page)}
