"""What the page of a request shows: arguments, schema, rules, differences, words."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

import orjson
from django.db.models import F, FilteredRelation, OuterRef, Q, Subquery

from accounts.models import Organization, Role
from accounts.tenancy import TenantQuerySet
from approvals.eligible import Panel
from approvals.models import Approval, State
from audit.passages import Passage, indented, passage
from policies.deciders import named_by
from policies.models import PolicyVersion
from servers.definitions import pretty
from servers.models import Origin

MOST_COMPARED_LINES = 4000
ROLE = "role:"
# Of the tool as it is now, joined to the approval.
PINNED = {
    "tool_id": "pinned__pk",
    "tool_definition": "pinned__definition",
    "tool_fingerprint": "pinned__fingerprint",
    "tool_origin": "pinned__verdict_origin",
}


class Line(NamedTuple):
    """`kind`: added, removed, place, or nothing."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Asking:
    """A rule that asked, with its reason and where it stands in the policy."""

    rule: str
    reason: str | None
    passage: Passage | None


@dataclass(frozen=True, slots=True)
class Need:
    """Whose word is needed, how many words, and how many there are."""

    words: str
    quorum: int
    given: int

    @property
    def missing(self) -> int:
        return max(self.quorum - self.given, 0)


@dataclass(frozen=True, slots=True)
class Tool:
    """The tool as it is now; `changed`: it is not what the call was asked for with.
    `verdict` says who classified it, `unset` that nobody did."""

    id: UUID
    description: str
    schema: str
    verdict: str
    unset: bool
    changed: bool


def rows(organization: Organization) -> TenantQuerySet[Approval]:
    """With all that names it on a page, the text of the policy that asked, and the tool
    as it is now: `policy_text` and the fields of PINNED, None where there is none."""
    versions = PolicyVersion.objects.for_organization(organization).filter(
        policy=OuterRef("policy"), number=OuterRef("policy_version")
    )
    named = Approval.objects.for_organization(organization).select_related(
        "organization", "grant", "server", "policy", "requester__user"
    )
    same_name = Q(server__tools__name=F("name"))
    found = named.annotate(
        policy_text=Subquery(versions.values("text")[:1]),
        pinned=FilteredRelation("server__tools", condition=same_name),
        **{name: F(column) for name, column in PINNED.items()},
    )
    return cast(TenantQuerySet[Approval], found)


def state_of(approval: Approval, now: datetime) -> str:
    """What is true at `now`, also where nobody has written it yet."""
    state = State(approval.state)
    late = state == State.PENDING and approval.expires_at <= now
    unused = (
        state == State.APPROVED
        and approval.usable_until is not None
        and approval.usable_until <= now
    )
    return State.EXPIRED if late or unused else state


def asking(approval: Approval, text: str | None) -> list[Asking]:
    return [
        Asking(
            each["rule"],
            each.get("reason"),
            passage(text, each["rule"]) if text else None,
        )
        for each in approval.rules
    ]


def needs(panel: Panel) -> list[Need]:
    said = [vote for vote in panel.votes if vote.approves]
    people = {p.pk: p for vote in said if (p := panel.person(vote)) is not None}
    return [
        Need(
            who(terms.approvers),
            terms.quorum,
            sum(named_by(terms.approvers, person) for person in people.values()),
        )
        for terms in panel.terms
    ]


def who(approvers: Sequence[str]) -> str:
    """For members of the organization: roles in words, addresses as they are."""
    return " or ".join(map(_who, approvers))


def _who(name: str) -> str:
    if not name.startswith(ROLE):
        return name
    label = Role(name.removeprefix(ROLE)).label.lower()
    article = "an" if label[0] in "aeiou" else "a"
    return f"{article} {label}" if label == "owner" else f"{article} {label} or above"


def tool(approval: Any) -> Tool | None:
    """Of a row of rows(). None for reads, and for a tool that is gone."""
    if approval.method != "tools/call" or approval.tool_id is None:
        return None
    definition: Any = orjson.loads(approval.tool_definition)
    schema = definition.get("inputSchema")
    origin = Origin(approval.tool_origin)
    return Tool(
        approval.tool_id,
        str(definition.get("description", "")),
        pretty(orjson.dumps(schema).decode()) if schema is not None else "",
        origin.label,
        origin == Origin.UNSET,
        approval.tool_fingerprint != approval.fingerprint,
    )


def last_approved(approval: Approval) -> Approval | None:
    """The newest call of this tool that people approved before."""
    return (
        Approval.objects.for_organization(approval.organization_id)
        .filter(
            server=approval.server_id,
            method=approval.method,
            name=approval.name,
            state__in=(State.APPROVED, State.USED),
            created_at__lt=approval.created_at,
        )
        .select_related("grant")
        .order_by("-created_at")
        .first()
    )


def difference(before: str, after: str) -> list[Line] | None:
    """From one JSON text to another, whole; None where they are too long to compare."""
    one, other = indented(before).splitlines(), indented(after).splitlines()
    if len(one) + len(other) > MOST_COMPARED_LINES:
        return None
    lines = difflib.unified_diff(one, other, n=len(one) + len(other), lineterm="")
    return [_line(text) for text in lines if not text.startswith(("---", "+++", "@@"))]


def _line(text: str) -> Line:
    return Line({"+": "added", "-": "removed"}.get(text[:1], ""), text)
