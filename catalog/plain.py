"""Words of strangers for formats that machines read: one line, nothing invisible.

Names of tools and servers are hostile wherever they go. Each format escapes in its own
way afterwards; what is invisible is shown here, as it is on the pages.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from accounts.templatetags.ui import visible

# What could end a script element or begin a comment, wherever a body is shown.
MARKUP = {"<": "\\u003c", ">": "\\u003e"}


def line(text: object) -> str:
    """On one line, runs of space as one; control characters as ‹U+202E›."""
    return " ".join(visible(text).split())


def as_json(value: Any, indent: int | None = None) -> str:
    """ASCII alone and without markup: exact for whoever parses it, inert for others.

    Outside of strings JSON has none of these characters, so replacing them is exact.
    """
    text = json.dumps(value, indent=indent, allow_nan=False)
    for character, escape in MARKUP.items():
        text = text.replace(character, escape)
    return text


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def moment(at: datetime) -> str:
    """RFC 3339, in UTC, as exact as it is known."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def day(at: datetime) -> str:
    """`21 Nov 2026`, as the pages say it."""
    there = at.astimezone(UTC)
    return f"{there.day} {there:%b %Y}"
