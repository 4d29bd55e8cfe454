"""What a membership carries here: grants, and a word that rules ask for."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from accounts.leaving import counted
from accounts.models import Membership
from accounts.tenancy import TenantQuerySet
from policies import deciders
from policies.models import Grant

# Of the rules that a page names; the others are counted.
NAMED = 5


def said(member: Membership) -> list[str]:
    lasting = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    count = _grants(member).filter(lasting).count()
    return [
        counted(
            count,
            "grant is revoked for good: its client gets 401 from the next call on.",
            "grants are revoked for good: their clients get 401 from the next call on.",
        )
    ]


def warned(member: Membership, role: str | None) -> list[str]:
    left = deciders.left_without(member.organization, without=member, role=role)
    told = [
        f"Nobody could decide what {each.rule} of the policy “{each.policy.name}” asks"
        f" about calls of the grant “{each.grant.label}”."
        for each in left[:NAMED]
    ]
    more = counted(len(left[NAMED:]), "more like this.", "more like these.")
    return [*told, more] if more else told


def end(member: Membership) -> None:
    _grants(member).update(revoked_at=timezone.now())


def _grants(member: Membership) -> TenantQuerySet[Grant]:
    rows = Grant.objects.for_organization(member.organization_id)
    return rows.filter(membership=member, revoked_at=None)
