"""Why a registry could not be read to its end.

RegistryError    the reason, for people; the pass stops and is resumed later
├── Again        may pass: busy, broken or cut off; asked again a few times
│   └── Garbled  the answer is no page of a registry
├── Bulky        the answer is larger than we take; fewer entries are asked for
└── Unknown      the registry knows no such cursor or name
"""

from __future__ import annotations


class RegistryError(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Again(RegistryError):
    """`after` is how many seconds the registry asks us to wait, if it does."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Garbled(Again):
    pass


class Bulky(RegistryError):
    pass


class Unknown(RegistryError):
    pass
