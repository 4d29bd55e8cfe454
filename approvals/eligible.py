"""Who may decide one approval, looked up at the moment of asking.

A member has a word where one of the terms names them, by role or e-mail, and nothing
bars them: the requester has none (unless the policy allows it), and whoever published
the rule has none where the organization says so. A delegate acts in the place of a
member who has a word; giver and delegate count as one person, and neither is the
requester. Whom an approval escalates to has a word from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db.models.functions import Now

from accounts.models import Membership
from approvals.models import Approval, Delegation, Vote
from policies.approving import Terms
from policies.deciders import Barred, named_by
from policies.models import PolicyVersion

NOT_NAMED = "You are none of those who are asked to decide this."
WHY = {
    "own": "It is a call of your own grant: somebody else must decide.",
    "publisher": "You published this rule; your organization lets others decide.",
}
TAKEN = "Whose place you take has decided already."


class Eligible(NamedTuple):
    """`for_member` is whose place is taken by a delegate; `code` is one of the codes
    of deciding.Refused where it is not allowed."""

    allowed: bool
    why: str
    for_member: Membership | None = None
    needs_fresh: bool = False
    code: str = ""


@dataclass(frozen=True)
class Panel:
    """All that decides about the words of one approval, read at one moment."""

    approval: Approval
    terms: tuple[Terms, ...]
    members: tuple[Membership, ...]
    barred: Barred
    delegations: tuple[tuple[UUID, UUID], ...]
    votes: tuple[Vote, ...]

    def has_word(self, member: Membership, terms: Iterable[Terms] = ()) -> bool:
        """Of their own, on any of `terms` (all where none are given)."""
        if self.barred.bars(member):
            return False
        return any(named_by(each.approvers, member) for each in terms or self.terms)

    def givers(self, delegate: Membership) -> list[Membership]:
        """In whose place this member may decide: never as the requester."""
        if self._never_delegates(delegate):
            return []
        ids = {giver for giver, to in self.delegations if to == delegate.pk}
        return [
            member
            for member in self.members
            if member.pk in ids
            and member.user_id != self.barred.requester
            and self.has_word(member)
        ]

    def unmet(self, votes: Sequence[Vote]) -> list[Terms]:
        """The terms that these words do not meet, by the rights of this moment."""
        people = {p.pk: p for v in votes if v.approves and (p := self.person(v))}
        return [
            each
            for each in self.terms
            if sum(named_by(each.approvers, p) for p in people.values()) < each.quorum
        ]

    def person(self, vote: Vote) -> Membership | None:
        """Who counts for a word: the giver for a delegate's; None where either has
        lost the right since, or is no member any more."""
        voter = next((m for m in self.members if m.user_id == vote.user_id), None)
        if voter is None:
            return None
        if not vote.for_email:
            return voter if self.has_word(voter) else None
        email = vote.for_email.lower()
        giver = next((m for m in self.members if m.user.email.lower() == email), None)
        return giver if giver is not None and self.has_word(giver) else None

    def _never_delegates(self, member: Membership) -> bool:
        return member.user_id in (self.barred.requester, self.barred.publisher)


def panel(approval: Approval) -> Panel:
    organization_id = approval.organization_id
    members = Membership.objects.for_organization(organization_id)
    return Panel(
        approval,
        tuple(_terms(approval)),
        tuple(
            members.filter(user__is_active=True)
            .select_related("user", "organization")
            .order_by("created_at", "pk")
        ),
        Barred(
            approval.requester.user_id,
            approval.self_approval,
            _publisher(approval),
        ),
        tuple(
            Delegation.objects.for_organization(organization_id)
            .filter(ended_at=None, starts_at__lte=Now(), ends_at__gt=Now())
            .values_list("giver_id", "to_id")
        ),
        tuple(
            Vote.objects.for_organization(organization_id)
            .filter(approval=approval)
            .order_by("at", "pk")
        ),
    )


def standing_of(approval: Approval, member: Membership) -> Eligible:
    """May this member decide now, and as whom?"""
    return judged(panel(approval), member)


def judged(seen: Panel, member: Membership) -> Eligible:
    current = next((m for m in seen.members if m.pk == member.pk), None)
    if current is None:
        return Eligible(False, NOT_NAMED, code="not_approver")
    places = _places(seen, current)
    if not places:
        return _refused(seen, current)
    # A word is given once: where it still counts for something, if there is a choice.
    unmet = seen.unmet(seen.votes)
    place = next((each for each in places if seen.has_word(each, unmet)), places[0])
    own = current.user_id == seen.barred.requester
    giver = None if place.pk == current.pk else place
    return Eligible(True, "", giver, seen.approval.critical or own)


def approvers(approval: Approval) -> list[Membership]:
    """Who is told that it waits: those with a word, and their delegates."""
    seen = panel(approval)
    return [m for m in seen.members if seen.has_word(m) or seen.givers(m)]


def of_escalation(approval: Approval) -> list[Membership]:
    """Who is told at three quarters of the time."""
    seen = panel(approval)
    return [
        member
        for member in seen.members
        if named_by(approval.escalate_to, member) and not seen.barred.bars(member)
    ]


def _places(seen: Panel, member: Membership) -> list[Membership]:
    """Their own, and those of givers who have not spoken."""
    own = [member] if seen.has_word(member) else []
    return own + [g for g in seen.givers(member) if not _has_spoken(seen, g)]


def _refused(seen: Panel, member: Membership) -> Eligible:
    if seen.givers(member):
        return Eligible(False, TAKEN, code="decided")
    named = any(named_by(each.approvers, member) for each in seen.terms)
    bar = seen.barred.bars(member)
    if bar == "own" or (bar and named):
        return Eligible(False, WHY[bar], code=bar)
    return Eligible(False, NOT_NAMED, code="not_approver")


def _has_spoken(seen: Panel, giver: Membership) -> bool:
    """The giver, or another delegate in the same place."""
    email = giver.user.email.lower()
    return any(
        vote.user_id == giver.user_id or vote.for_email.lower() == email
        for vote in seen.votes
    )


def _terms(approval: Approval) -> Iterator[Terms]:
    """By `approvers` those who are asked by now."""
    for each in approval.terms:
        others = each.get("escalate_to", ()) if approval.escalated_at else ()
        yield Terms((*each["approvers"], *others), each["quorum"])


def _publisher(approval: Approval) -> int | None:
    """The user who published the version that asked, where they may not decide."""
    number = approval.policy_version
    if approval.organization.publishers_decide or number is None:
        return None
    return (
        PolicyVersion.objects.for_organization(approval.organization_id)
        .filter(policy=approval.policy_id, number=number)
        .values_list("published_by", flat=True)
        .first()
    )
