"""Asking: is this very call approved, waiting, denied, or has it run; if not, ask.

Calls are one and the same where their binding is: grant, its member, server, method,
name, arguments, pinned definition, and the policy's entry. Whoever asks locks the grant
first, so that of identical calls at one time the first asks and the others join it, and
no grant gets past its number of waiting questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, IntegerField, Value, When
from django.db.models.functions import Now

from approvals import binding, clock, ending
from approvals.looking import NONE, Standing, recent, standing_of
from approvals.models import OPEN, Approval, State
from policies.approving import Asked
from policies.decision import Ask
from policies.models import Grant
from servers.models import Origin, Severity, ToolDefinition

__all__ = ["NONE", "Question", "Standing", "ask", "find"]

TOOL = "tools/call"
CLIENT_LENGTH = 256
MORE_RULES = (
    "Another rule asks about this call now, which was not among those shown: all of"
    " them are asked again."
)
MOVED = "The grant belongs to another member now."


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A judged call. `arguments` are the judged JSON, `b"{}"` for none; `fingerprint`
    is the pinned definition's, empty for reads; `call` its id in the activity log."""

    organization_id: UUID
    grant_id: UUID
    server_id: UUID
    method: str
    name: str
    arguments: bytes
    fingerprint: str
    entry_digest: str
    policy_id: UUID | None
    policy_version: int | None
    asks: tuple[Ask, ...]
    asked: Asked
    client: str
    call: UUID

    @property
    def rules(self) -> frozenset[str]:
        return frozenset(ask.rule for ask in self.asks)


@dataclass(frozen=True, slots=True)
class Bound:
    """Canonical arguments, their digest, and the digest over all that binds."""

    arguments: str
    digest: str
    binding: str


def find(q: Question) -> Standing:
    """How this call stands. Changes nothing."""
    looked = _latest(q, bind(q).binding)
    return NONE if looked is None else recent(*looked)


@transaction.atomic
def ask(q: Question) -> Standing:
    """As `find`; where nobody was asked yet, or that is over, people are asked now.

    Raises Grant.DoesNotExist.
    """
    grant = _locked(q)
    bound = bind(q)
    if (looked := _latest(q, bound.binding)) is not None:
        found = recent(*looked)
        if found.kind == "ran":
            ending.told(looked[0])
        covered = found.kind != "pending" or q.rules <= found.rules
        if found.kind != "none" and covered:
            return found
    _end_open(grant, bound)
    if _waiting(grant) >= grant.organization.pending_most:
        return NONE._replace(kind="too_many")
    made = _make(q, bound, grant, clock.now())
    ending.said(made, "requested")
    return standing_of(made, made.created_at)._replace(new=True)


def bind(q: Question) -> Bound:
    arguments = binding.canonical(q.arguments)
    digest = binding.digest(arguments)
    ids = (q.organization_id.hex, q.grant_id.hex, q.server_id.hex)
    bound = binding.binding(
        *ids, q.method, q.name, digest, q.fingerprint, q.entry_digest
    )
    return Bound(arguments, digest, bound)


def _locked(q: Question) -> Grant:
    # Locked, as two identical calls would both ask, and any number of different ones
    # would pass the bound on those that wait. A lock and not ON CONFLICT alone, which
    # would know only the first of these. Nothing is joined: after waiting, Postgres
    # would join the member who was there before.
    rows = Grant.objects.for_organization(q.organization_id)
    return rows.select_for_update(no_key=True).get(pk=q.grant_id)


def _latest(q: Question, bound: str) -> tuple[Approval, datetime] | None:
    """The open one, else the newest, and when that was looked at."""
    open_first = Case(
        When(state__in=OPEN, then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )
    row = (
        Approval.objects.for_organization(q.organization_id)
        .filter(binding=bound, requester=F("grant__membership"))
        .annotate(looked_at=Now())
        .select_related("organization")
        .defer("arguments")
        .order_by(open_first, "-created_at")
        .first()
    )
    return None if row is None else (row, row.looked_at)


def _end_open(grant: Grant, bound: Bound) -> None:
    """Ends what is still open of this call and does not answer it."""
    rows = Approval.objects.for_organization(grant.organization_id)
    for row in rows.filter(binding=bound.binding, state__in=OPEN):
        moved = row.requester_id != grant.membership_id
        if not ending.expire(row):
            ending.void(row, MOVED if moved else MORE_RULES)


def _waiting(grant: Grant) -> int:
    return (
        Approval.objects.for_organization(grant.organization_id)
        .filter(grant=grant, state=State.PENDING, expires_at__gt=Now())
        .count()
    )


def _make(q: Question, bound: Bound, grant: Grant, now: datetime) -> Approval:
    tool = _tool(q)
    lasts = timedelta(seconds=q.asked.expires_in)
    return Approval.objects.create(
        organization=grant.organization,
        grant=grant,
        server_id=q.server_id,
        requester=grant.membership,
        policy_id=q.policy_id,
        policy_version=q.policy_version,
        method=q.method,
        name=_storable(q.name),
        arguments=bound.arguments,
        arguments_digest=bound.digest,
        fingerprint=q.fingerprint,
        entry_digest=q.entry_digest,
        binding=bound.binding,
        rules=[{"rule": ask.rule, "reason": ask.reason} for ask in q.asks],
        terms=[
            {
                "approvers": list(terms.approvers),
                "quorum": terms.quorum,
                "escalate_to": list(terms.escalate_to),
            }
            for terms in q.asked.terms
        ],
        self_approval=q.asked.self_approval,
        escalate_to=list(q.asked.escalate_to),
        category="" if tool is None else tool.category,
        severity="" if tool is None else tool.severity,
        critical=q.method == TOOL and _is_critical(tool),
        client=_storable(q.client)[:CLIENT_LENGTH],
        first_call=q.call,
        use_within=q.asked.use_within,
        created_at=now,
        remind_at=now + lasts / 2,
        escalate_at=now + lasts * 3 / 4,
        expires_at=now + lasts,
    )


def _tool(q: Question) -> ToolDefinition | None:
    if q.method != TOOL:
        return None
    rows = ToolDefinition.objects.for_organization(q.organization_id)
    return rows.filter(server=q.server_id, name=q.name).first()


def _is_critical(tool: ToolDefinition | None) -> bool:
    """A verdict of nobody is no verdict."""
    if tool is None or tool.verdict_origin == Origin.UNSET:
        return True
    return tool.severity == Severity.CRITICAL


def _storable(text: str) -> str:
    """Postgres keeps no NUL; what the call is known by again keeps it."""
    return text.replace("\x00", "\ufffd")
