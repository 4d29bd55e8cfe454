"""What somebody asks the index for, as its address says it.

    /tools/?q=delete+bucket&category=Destructive&publisher=awslabs&show=tools&after=...

What an address says that means nothing is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from servers.models import Category, Severity

LONGEST_TEXT = 200
LONGEST_WORD = 64
MOST_WORDS = 8
FACETS = ("category", "severity", "publisher")
KINDS = ("servers", "tools")


@dataclass(frozen=True, slots=True)
class Question:
    """`after` is where the page begins (catalog/keysets.py); "" is the first."""

    text: str = ""
    category: str = ""
    severity: str = ""
    publisher: str = ""
    show: str = ""
    after: str = ""

    @property
    def words(self) -> list[str]:
        """In lower case, each once, in their order."""
        found = re.findall(r"[^\W_]+", self.text.lower())
        return list(dict.fromkeys(word[:LONGEST_WORD] for word in found))[:MOST_WORDS]

    @property
    def kind(self) -> str:
        """Servers for whoever looks around, tools for whoever looks for something."""
        return self.show or ("tools" if self.narrowed else "servers")

    @property
    def narrowed(self) -> bool:
        return bool(self.text or self.filters)

    @property
    def filters(self) -> dict[str, str]:
        given = {facet: getattr(self, facet) for facet in FACETS}
        return {facet: value for facet, value in given.items() if value}

    def without(self, facet: str) -> Question:
        return self.but(**{facet: ""})

    def but(self, **changes: str) -> Question:
        """Changed; its first page, as another list begins anew."""
        return replace(self, **({"after": ""} | changes))

    @property
    def address(self) -> str:
        """The query string, the same for equal questions; "" for none."""
        given = {"q": self.text, **self.filters, "show": self.show, "after": self.after}
        said = urlencode({name: value for name, value in given.items() if value})
        return f"?{said}" if said else ""


def read(given: Mapping[str, str]) -> Question:
    def one_of(name: str, words: tuple[str, ...] | list[str]) -> str:
        return given.get(name, "") if given.get(name) in words else ""

    publisher = given.get("publisher", "")
    return Question(
        text=" ".join(given.get("q", "").split())[:LONGEST_TEXT],
        category=one_of("category", Category.values),
        severity=one_of("severity", Severity.values),
        publisher=publisher if re.fullmatch(r"[a-z0-9_-]{1,200}", publisher) else "",
        show=one_of("show", KINDS),
        after=given.get("after", "")[:2000],
    )
