"""What a server that is added in the browser begins with, and what its page offers.

Apps above this one have things that belong to a new server: a drafted policy. Each such
app has a module that answers for its own; `SERVER_BEGINNINGS` of the settings lists
them.
"""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple, Protocol, cast

from django.conf import settings

from accounts.models import User
from servers.models import Server


class Offer(NamedTuple):
    """A sentence on the server's page, with the one thing to do about it."""

    text: str
    label: str
    url: str


class Beginning(Protocol):
    def begin(self, server: Server, by: User) -> None:
        """Makes it, in the transaction that adds the server."""

    def offered(self, server: Server) -> list[Offer]:
        """What there is to do about it now."""


def begin(server: Server, by: User) -> None:
    for beginning in _beginnings():
        beginning.begin(server, by)


def offered(server: Server) -> list[Offer]:
    return [offer for each in _beginnings() for offer in each.offered(server)]


def _beginnings() -> list[Beginning]:
    names: list[str] = settings.SERVER_BEGINNINGS
    return [cast(Beginning, import_module(name)) for name in names]
