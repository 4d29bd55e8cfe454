"""The policy that is drafted for a server added in the browser.

Its part of SERVER_BEGINNINGS. A draft only: nothing is in force until it is published.
"""

from __future__ import annotations

from django.urls import reverse

from accounts.models import Organization, User
from policies import drafting, publishing
from policies.drafting import Start
from policies.models import Policy
from policies.pinned import pinned
from servers.beginnings import Offer
from servers.models import Server

SUFFIX = " – recommended"


def begin(server: Server, by: User) -> None:
    draft = drafting.first_draft(Start.RECOMMENDED, pinned(server), server.organization)
    publishing.create(server, free_name(server.organization, server.name), draft, by)


def offered(server: Server) -> list[Offer]:
    """The draft to review, while nothing is published for the server."""
    rows = Policy.objects.for_organization(server.organization_id)
    mine = list(rows.filter(server=server).order_by("created_at")[:50])
    if not mine or any(policy.current_id for policy in mine):
        return []
    text = (
        "A policy is drafted for these tools: each has a choice that fits what it can"
        " do, and the reason. Nothing is in force until you publish it."
    )
    address = reverse("policies:detail", args=[mine[0].pk])
    return [Offer(text, "Review the drafted policy", address)]


def free_name(organization: Organization, of: str, suffix: str = SUFFIX) -> str:
    """`<of> – recommended`, numbered where a policy has that name already."""
    rows = Policy.objects.for_organization(organization)
    number, ending = 1, suffix
    while True:
        name = of[: publishing.NAME_LENGTH - len(ending)].rstrip() + ending
        if not rows.filter(name=name).exists():
            return name
        number += 1
        ending = f"{suffix} {number}"
