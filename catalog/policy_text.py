"""A recommended policy as its page shows it and as it is downloaded: the same text."""

from __future__ import annotations

from typing import Any

from accounts.templatetags.ui import disguises
from policies import recommended


def written(document: dict[str, Any]) -> str:
    """What is invisible in a name is escaped: seen, and still exactly that name."""
    text = recommended.as_text(document)
    return "".join(escaped(each) if disguises(each) else each for each in text)


def escaped(character: str) -> str:
    """As JSON does: by its UTF-16 code units."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
