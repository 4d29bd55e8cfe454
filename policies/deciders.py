"""Who can decide what a document asks: memberships only.

Delegations do not count here: they end. Whoever may vote on one approval is found by
approvals/eligible.py, from the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.models import Membership
from policies.approving import Terms

_ROLE = "role:"


def named_by(approvers: Iterable[str], member: Membership) -> bool:
    """Whether this member is meant: by role or wider, or by e-mail."""
    email = member.user.email.lower()
    for approver in approvers:
        if approver.startswith(_ROLE):
            if member.at_least(approver.removeprefix(_ROLE)):
                return True
        elif approver.lower() == email:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Barred:
    """Who has no word: the requester unless the policy says otherwise, and whoever
    published the rule where the organization says so. Ids of users."""

    requester: UUID | int
    self_approval: bool
    publisher: UUID | int | None = None

    def bars(self, member: Membership) -> str:
        """`own`, `publisher`, or nothing."""
        if self.publisher is not None and member.user_id == self.publisher:
            return "publisher"
        own = member.user_id == self.requester
        return "own" if own and not self.self_approval else ""


def decidable(
    terms: Sequence[Terms], barred: Barred, members: Iterable[Membership]
) -> bool:
    """Each of `terms` has enough different people; one person may count for several."""
    free = [member for member in members if not barred.bars(member)]
    return all(
        sum(named_by(each.approvers, member) for member in free) >= each.quorum
        for each in terms
    )
