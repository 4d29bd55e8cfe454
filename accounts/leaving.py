"""What a membership carries in other apps, and what becomes of it.

Apps above this one have things that end with a membership: grants, delegations, open
questions. Each such app has a module that answers for its own; `MEMBERSHIP_ENDINGS` of
the settings lists them in the order in which they end.
"""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from django.conf import settings
from django.utils import timezone

from accounts import api_tokens
from accounts.models import ApiToken, Membership


class Ending(Protocol):
    def said(self, member: Membership) -> list[str]:
        """What ends with it, in sentences with numbers; nothing where nothing does."""

    def warned(self, member: Membership, role: str | None) -> list[str]:
        """What nobody could do any more if the member had this role, or had left."""

    def end(self, member: Membership) -> None:
        """Ends it, in the transaction in which the membership ends."""


def said(member: Membership) -> list[str]:
    tokens = api_tokens.standing(member).count()
    found = [counted(tokens, "API token stops working.", "API tokens stop working.")]
    for ending in _endings():
        found += ending.said(member)
    return [sentence for sentence in found if sentence]


def warned(member: Membership, role: str | None) -> list[str]:
    return [text for ending in _endings() for text in ending.warned(member, role)]


def end(member: Membership) -> None:
    rows = ApiToken.objects.for_organization(member.organization_id)
    rows.filter(membership=member, revoked_at=None).update(revoked_at=timezone.now())
    for ending in _endings():
        ending.end(member)


def counted(count: int, one: str, many: str) -> str:
    """`3 grants are revoked.`, and nothing of none."""
    return f"{count:,} {one if count == 1 else many}" if count else ""


def _endings() -> list[Ending]:
    return [cast(Ending, import_module(name)) for name in settings.MEMBERSHIP_ENDINGS]
