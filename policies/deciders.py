"""Who can decide what a document asks, and where nobody but the requester can.

Memberships only: delegations end, so they do not count here. Whoever may vote on one
approval is found by approvals/eligible.py, from the same words.

What is found is refused at publishing and at minting or moving a grant; where a role
changes or a member leaves, people are warned (`left_without`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone

from accounts.models import Membership, Organization, Role, User
from accounts.tenancy import TenantQuerySet
from policies.approving import Asked, Asking, Terms, askings
from policies.compile import CompiledPolicy, compile_document
from policies.document import DocumentError, parse
from policies.models import Grant, Policy

_ROLE = "role:"
_READS = ("/resources/", "/prompts/")


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

    requester: int
    self_approval: bool
    publisher: int | None = None

    def bars(self, member: Membership) -> str:
        """`own`, `publisher`, or nothing."""
        if self.publisher is not None and member.user_id == self.publisher:
            return "publisher"
        own = member.user_id == self.requester
        return "own" if own and not self.self_approval else ""


class Undecidable(NamedTuple):
    """What asks, for which grant's calls, and why it could never be decided."""

    rule: str
    grant: Grant
    message: str


class Left(NamedTuple):
    """A rule of a policy in force that nobody could decide for this grant."""

    policy: Policy
    rule: str
    grant: Grant


class Short(NamedTuple):
    """The first terms that cannot be met, and how many people could decide."""

    terms: Terms
    able: int


@dataclass(frozen=True)
class Bench:
    """All who could decide: the active members, and the publisher if barred."""

    members: Sequence[Membership]
    publisher: int | None
    _known: dict[Hashable, Short | None] = field(default_factory=dict, compare=False)

    def short(self, asked: Asked, requester: int) -> Short | None:
        """None where all terms can be met; one person may count for several."""
        # A document has up to 2,000 entries, which differ little in whom they ask.
        key = (asked.terms, asked.self_approval, requester)
        if key not in self._known:
            barred = Barred(requester, asked.self_approval, self.publisher)
            self._known[key] = self._short(asked.terms, barred)
        return self._known[key]

    def _short(self, all_terms: Sequence[Terms], barred: Barred) -> Short | None:
        free = [member for member in self.members if not barred.bars(member)]
        for terms in all_terms:
            able = sum(named_by(terms.approvers, member) for member in free)
            if able < terms.quorum:
                return Short(terms, able)
        return None

    def failing(
        self, asking: Sequence[Asking], grant: Grant
    ) -> Iterator[tuple[Asking, Short]]:
        """What nobody could decide for this grant; what fails alone is not told again
        together with others."""
        told: set[str] = set()
        for one in asking:
            if told.isdisjoint(one.rules) and (
                short := self.short(one.asked, grant.membership.user_id)
            ):
                told.update(one.rules)
                yield one, short


def undecidable(
    policy: Policy, compiled: CompiledPolicy, publisher: User | None
) -> list[Undecidable]:
    """Of the grants that `policy` governs, if `publisher` published `compiled`. One
    for each rule, with the first grant that it fails for."""
    asking = list(askings(compiled))
    if not asking:
        return []
    bench, found = _bench(policy.organization, publisher), dict[str, Undecidable]()
    grants = {grant.membership.user_id: grant for grant in _active(policy).reverse()}
    for grant in sorted(grants.values(), key=lambda grant: grant.label):
        for one, short in bench.failing(asking, grant):
            message = _message(bench, one, grant, short)
            found.setdefault(one.rule, Undecidable(one.rule, grant, message))
    return list(found.values())


def undecidable_for(grant: Grant, policy: Policy) -> Undecidable | None:
    """The first rule in force that nobody could decide about the calls of `grant`,
    which need not be stored yet."""
    compiled = _in_force(policy)
    if policy.current is None or compiled is None:
        return None
    bench = _bench(policy.organization, policy.current.published_by)
    for one, short in bench.failing(list(askings(compiled)), grant):
        return Undecidable(one.rule, grant, _message(bench, one, grant, short))
    return None


def without_others(policy: Policy, compiled: CompiledPolicy) -> str:
    """The first rule that could not be decided for a grant of the only member there is;
    empty where there are several members, or a grant already, which tells more."""
    asking = list(askings(compiled))
    if not asking or _active(policy).exists():
        return ""
    bench = _bench(policy.organization, None)
    if len(bench.members) != 1:
        return ""
    only = bench.members[0].user_id
    found = (one.rule for one in asking if bench.short(one.asked, only))
    return next(found, "")


def left(organization: Organization) -> list[Left]:
    """What nobody can decide as things are."""
    policies = list(_with_grants(organization))
    return list(_left(organization, policies, list(_members(organization))))


def left_without(
    organization: Organization, *, without: Membership, role: str | None = None
) -> list[Left]:
    """What could be decided and could no longer be if this member left, or had `role`
    instead."""
    members = list(_members(organization))
    others = [member for member in members if member.pk != without.pk]
    after = others if role is None else [*others, _with_role(without, role)]
    policies = list(_with_grants(organization))
    before = set(_left(organization, policies, members))
    return [
        each
        for each in _left(organization, policies, after)
        # Whose member leaves, that grant ends.
        if (role is not None or each.grant.membership_id != without.pk)
        and each not in before
    ]


def _left(
    organization: Organization,
    policies: Sequence[Policy],
    members: Sequence[Membership],
) -> Iterator[Left]:
    for policy in policies:
        compiled = _in_force(policy)
        if compiled is None or policy.current is None:
            continue
        asking = list(askings(compiled))
        bench = Bench(members, _barred(organization, policy.current.published_by))
        for grant in _active(policy) if asking else ():
            for one, _ in bench.failing(asking, grant):
                yield Left(policy, one.rule, grant)


def drafts_self_approval(organization: Organization) -> bool:
    """Drafts that the product writes allow self-approval while one member at most
    could decide."""
    approvers = [m for m in _members(organization) if m.at_least(Role.APPROVER)]
    return len(approvers) <= 1


def _message(bench: Bench, one: Asking, grant: Grant, short: Short) -> str:
    terms, able = short
    said = "nobody"
    if terms.quorum > 1:
        said = f"{able} of the {terms.quorum} people" if able else "none of the people"
    elif _would_suffice(bench, one, grant):
        said = f"nobody but {grant.membership.user.email}"
    rule = f"{one.rule} together with {one.also}" if one.also else one.rule
    return (
        f"{rule} asks about calls of the grant “{grant.label}”, and {said} can decide:"
        f" {_ways_out(bench, one, grant)}."
    )


def _ways_out(bench: Bench, one: Asking, grant: Grant) -> str:
    if one.rule.startswith(_READS):
        return "invite somebody, or let the limit deny"
    if _would_suffice(bench, one, grant):
        return "invite somebody, or set self_approval"
    return "invite somebody who can, or ask others in its approval"


def _would_suffice(bench: Bench, one: Asking, grant: Grant) -> bool:
    """Self-approval."""
    alone = one.asked._replace(self_approval=True)
    return bench.short(alone, grant.membership.user_id) is None


def _bench(organization: Organization, publisher: User | None) -> Bench:
    return Bench(list(_members(organization)), _barred(organization, publisher))


def _barred(organization: Organization, publisher: User | None) -> int | None:
    if organization.publishers_decide or publisher is None:
        return None
    return publisher.pk


def _members(organization: Organization) -> TenantQuerySet[Membership]:
    return (
        Membership.objects.for_organization(organization)
        .filter(user__is_active=True)
        .select_related("user")
    )


def _active(policy: Policy) -> TenantQuerySet[Grant]:
    return (
        Grant.objects.for_organization(policy.organization_id)
        .filter(_alive(), policy=policy)
        .select_related("membership__user")
        .order_by("label")
    )


def _alive() -> Q:
    lasting = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return lasting & Q(revoked_at=None)


def _with_grants(organization: Organization) -> TenantQuerySet[Policy]:
    alive = Grant.objects.for_organization(organization).filter(_alive())
    return (
        Policy.objects.for_organization(organization)
        .filter(pk__in=alive.values("policy"))
        .select_related("organization", "current__published_by")
        .order_by("name")
    )


def _in_force(policy: Policy) -> CompiledPolicy | None:
    """None where there is no version, or one that earlier rules let through."""
    if policy.current is None:
        return None
    try:
        return compile_document(parse(policy.current.text))
    except DocumentError:
        return None


def _with_role(member: Membership, role: str) -> Membership:
    changed = Membership(user=member.user, role=role)
    changed.pk, changed.organization_id = member.pk, member.organization_id
    return changed
