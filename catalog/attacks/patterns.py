"""All attack patterns, in the order of the page, and how they are found. Pure."""

from __future__ import annotations

from catalog.attacks.contents import CONTENTS
from catalog.attacks.definitions import DEFINITIONS
from catalog.attacks.disguises import DISGUISES
from catalog.attacks.pattern import Pattern
from catalog.attacks.running import RUNNING
from catalog.attacks.trust import TRUST
from catalog.attacks.wire import WIRE

# Heading of the page's section, and what stands in it.
SECTIONS: tuple[tuple[str, tuple[Pattern, ...]], ...] = (
    ("Through what a server says of its tools", DEFINITIONS),
    ("Through what a name or a text looks like", DISGUISES),
    ("Through what a tool answers", CONTENTS),
    ("Through what a server runs, and where it reaches", RUNNING),
    ("Through credentials, identity and the people who decide", TRUST),
    ("Through the protocol itself", WIRE),
)
PATTERNS: tuple[Pattern, ...] = tuple(
    pattern for _, patterns in SECTIONS for pattern in patterns
)
BY_SLUG = {pattern.slug: pattern for pattern in PATTERNS}


def find(slug: str) -> Pattern | None:
    return BY_SLUG.get(slug)


def for_category(category: str) -> list[tuple[str, str]]:
    """`(slug, name)` of the patterns that abuse tools of this category."""
    return [
        (pattern.slug, pattern.name)
        for pattern in PATTERNS
        if category in pattern.categories
    ]
