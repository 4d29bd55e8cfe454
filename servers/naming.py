"""A name for a server that was given none."""

from __future__ import annotations

from accounts.models import Organization
from servers.definitions import printable
from servers.discovery import Discovery
from servers.models import Server

LONGEST = 80


def free_name(organization: Organization, found: Discovery, host: str) -> str:
    """What the server calls itself, else its host; numbered where it is taken."""
    own = found.identity.get("title") or found.identity.get("name")
    name = printable(own, LONGEST) if isinstance(own, str) else ""
    name = name or host[:LONGEST]
    rows = Server.objects.for_organization(organization)
    taken = set(rows.filter(name__startswith=name).values_list("name", flat=True))
    number = 1
    candidate = name
    while candidate in taken:
        number += 1
        candidate = f"{name} {number}"
    return candidate
