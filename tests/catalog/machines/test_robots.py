"""robots.txt, read as RFC 9309 says, against every address there is."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from catalog import robots
from tests.routes import EVERYBODY, ROUTES
from tests.test_matrix import place
from tests.world import make_world

pytestmark = pytest.mark.django_db


def matches(rule: str, path: str) -> bool:
    end = "$" if rule.endswith("$") else ""
    pattern = re.escape(rule.removesuffix("$")).replace(r"\*", ".*")
    return re.match(pattern + end, path) is not None


def allowed(path: str) -> bool:
    """2.2.2: the longest match decides, and allowing wins among equals."""
    rules = [line.partition(": ")[::2] for line in robots.text().splitlines()]
    fitting = [
        (len(rule), kind == "Allow")
        for kind, rule in rules
        if kind in {"Allow", "Disallow"} and matches(rule, path)
    ]
    return max(fitting, default=(0, True))[1]


def test_the_app_is_closed_and_the_catalogue_open(valkey):
    world = make_world()
    for route in ROUTES:
        path = place(route, world)
        if route.name.startswith(("catalog:", "api:catalog:")):
            public = route.minimum == EVERYBODY and route.name != "catalog:kept"
            assert allowed(path) == public, path
        elif route.minimum != EVERYBODY or route.name.startswith("api:"):
            assert not allowed(path), path
    assert allowed("/")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/tools/?q=x", False),
        ("/tools/?category=Read&q=x", False),
        ("/tools/?category=Read", True),
        ("/tools/acme/list/use/", False),
        ("/scan/abc/", False),
        ("/scan/", True),
        ("/static/app.css", True),
    ],
)
def test_searches_are_closed(path, expected):
    assert allowed(path) == expected


def test_it_names_the_sitemap(valkey):
    answer = Client().get("/robots.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "\nSitemap: http://127.0.0.1:8000/sitemap.xml\n" in answer.content.decode()
