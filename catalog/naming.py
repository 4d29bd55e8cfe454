"""Slugs and publishers, made from names that strangers chose. Pure."""

from __future__ import annotations

import re
from collections.abc import Container
from urllib.parse import urlsplit

# Addresses beside servers and tools.
RESERVED = frozenset({"changes", "policy", "use"})
LONGEST = 190  # leaves room for a number
PUBLISHERS = {
    "awslabs": "AWS Labs",
    "azure": "Microsoft Azure",
    "circleci": "CircleCI",
    "hubspot": "HubSpot",
    "modelcontextprotocol": "Model Context Protocol",
    "notionhq": "Notion",
    "xeroapi": "Xero",
}


def slug(text: str) -> str:
    kept = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return kept[:LONGEST].strip("-") or "unnamed"


def server_slug(kind: str, name: str) -> str:
    if kind != "url":
        return slug(name)
    parts = urlsplit(name)
    return slug(f"{parts.netloc}{parts.path}")


def free(wanted: str, taken: Container[str]) -> str:
    """`wanted`, or with the first number that makes it new."""
    found, number = wanted, 1
    while found in taken or found in RESERVED:
        number += 1
        found = f"{wanted}-{number}"
    return found


def publisher(kind: str, name: str) -> str:
    """The npm scope, the host, `awslabs` for its packages, or the package itself."""
    if kind == "url":
        return slug(urlsplit(name).hostname or "")
    if name.startswith("@"):
        return slug(name.partition("/")[0])
    if slug(name).startswith("awslabs-"):
        return "awslabs"
    return slug(name)


def publisher_name(publisher: str) -> str:
    return PUBLISHERS.get(publisher) or publisher.replace("-", " ").capitalize()


def same_project(one: str, other: str) -> bool:
    """Whether a Python registry takes both for one name (PEP 503)."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def words_of(name: str) -> list[str]:
    """`listMyThings_v2` -> list, my, things, v2."""
    apart = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3 \2\4", name)
    return re.findall(r"[^\W_]+", apart.lower())
