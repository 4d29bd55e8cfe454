"""Two organizations with one of everything, for tests that walk over all pages.

A name that a stranger could choose is hostile: 128 characters (as long as its column
allows), HTML, a mark that turns the reading direction, a control character.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from accounts.models import (
    ApiToken,
    Invitation,
    Membership,
    Organization,
    Role,
)
from approvals.models import (
    Approval,
    BreakGlass,
    Delegation,
    Delivery,
    Hook,
    Kind,
    Notice,
    State,
    Task,
    Via,
    Vote,
    Waiver,
)
from audit.ids import time_of, uuid7
from audit.models import Record
from catalog.config_scan.keeping import hashed
from catalog.models import (
    CatalogServer,
    CatalogTool,
    Change,
    ChangeKind,
    Dispute,
    DisputeState,
    KeptReport,
    Scan,
    Source,
)
from policies.models import Grant, Policy, PolicyVersion
from servers.models import Credential, DriftNotice, Health, Server, ToolDefinition
from tests.conftest import member

HOSTILE = "<script>alert(1)</script>\u202eevil\u200f" + "x" * 95
DOCUMENT = '{\n  "version": "1",\n  "default": "deny"\n}\n'
KEPT_KEY = "key-of-a-kept-report"
PEOPLE = {
    "alice": Role.OWNER,
    "adam": Role.ADMIN,
    "bob": Role.POLICY_MANAGER,
    "anna": Role.APPROVER,
    "dora": Role.VIEWER,
}


@dataclass
class Asked:
    """What hangs on one approval that waits."""

    approval: Approval
    waiver: Waiver
    opening: BreakGlass
    delegation: Delegation
    hook: Hook
    delivery: Delivery
    token: ApiToken
    invitation: Invitation


@dataclass
class World:
    acme: Organization
    people: dict[str, Membership]
    server: Server
    tool: ToolDefinition
    policy: Policy
    version: PolicyVersion
    grant: Grant
    record: Record
    asked: Asked
    catalog: CatalogTool


def make_world() -> World:
    """Acme has everything; charlie owns Other, where there is nothing."""
    acme = Organization.objects.create(slug="acme", name=HOSTILE[:120], shard=7)
    other = Organization.objects.create(slug="other", name="Other", shard=7)
    people = {name: member(acme, name, role) for name, role in PEOPLE.items()}
    people["charlie"] = member(other, "charlie", Role.OWNER)
    server = make_server(acme)
    policy, version = make_policy(server)
    grant = make_grants(people["alice"], policy)
    return World(
        acme,
        people,
        server,
        make_tools(server),
        policy,
        version,
        grant,
        make_records(server),
        make_asked(grant),
        make_catalog(acme),
    )


def make_server(acme: Organization) -> Server:
    hostile = Server(
        organization=acme,
        name=HOSTILE[:100],
        url="http://127.0.0.1:1/mcp",
        health=Health.FAILING,
        error=f"It said {HOSTILE}",
        identity={"name": HOSTILE, "version": "1"},
        instructions=HOSTILE,
    )
    others = [
        Server(organization=acme, name=f"Server {n}", url=f"http://127.0.0.1:1/{n}")
        for n in range(12)
    ]
    Server.objects.bulk_create([hostile, *others])
    Credential.objects.create(
        organization=acme,
        server=hostile,
        header=f"X-{secrets.token_hex(4)}",
        key_id="k1",
        ciphertext=b"x",
    )
    return hostile


# A new verdict of each tool, which waits.
JUDGED = {
    "judged_category": "Destructive",
    "judged_severity": "critical",
    "judged_doubtful": True,
    "judged_version": "1",
    "judged_evidence": [
        {"field": HOSTILE, "words": [HOSTILE], "says": HOSTILE, "why": HOSTILE}
    ],
    "judged_signals": [{"signal": HOSTILE, "field": HOSTILE, "why": HOSTILE}],
}


def make_tools(server: Server) -> ToolDefinition:
    tools = [
        ToolDefinition(
            organization_id=server.organization_id,
            server=server,
            name=name,
            definition='{"description":"<b>x</b>","inputSchema":{"type":"object"}}',
            fingerprint="0" * 64,
            category="Read",
            verdict_origin="classifier",
            **JUDGED,
        )
        for name in (HOSTILE, *(f"tool_{n}" for n in range(14)))
    ]
    people = Membership.objects.for_organization(server.organization_id)
    DriftNotice.objects.create(
        organization_id=server.organization_id,
        server=server,
        user=people.earliest("created_at").user,
        tools=[],
        due_at=timezone.now(),
        dropped_at=timezone.now(),
    )
    return ToolDefinition.objects.bulk_create(tools)[0]


def make_policy(server: Server) -> tuple[Policy, PolicyVersion]:
    owner = {"organization_id": server.organization_id}
    policies = Policy.objects.bulk_create(
        Policy(server=server, name=name, draft=DOCUMENT, **owner)
        for name in (HOSTILE[:100], *(f"Policy {n}" for n in range(12)))
    )
    versions = PolicyVersion.objects.bulk_create(
        PolicyVersion(policy=each, number=1, text=DOCUMENT, digest="0" * 64, **owner)
        for each in policies
    )
    for policy, version in zip(policies, versions, strict=True):
        policy.current = version
    Policy.objects.across_organizations().bulk_update(policies, ["current"])
    return policies[0], versions[0]


def make_grants(membership: Membership, policy: Policy) -> Grant:
    grants = [
        Grant(
            organization_id=policy.organization_id,
            membership=membership,
            server_id=policy.server_id,
            policy=policy,
            label=label,
            tags=["prod", HOSTILE[:50]],
            token_hash=secrets.token_bytes(32),
            token_prefix="pl_abcd",
        )
        for label in (HOSTILE[:100], *(f"grant {n}" for n in range(12)))
    ]
    return Grant.objects.bulk_create(grants)[0]


def make_records(server: Server) -> Record:
    return Record.objects.bulk_create([make_record(server, n) for n in range(20)])[0]


def make_record(server: Server, number: int) -> Record:
    call = uuid7()
    return Record(
        time=time_of(call),
        id=call,
        organization_id=server.organization_id,
        server_id=server.pk,
        server_name=server.name,
        grant_label=HOSTILE[:100],
        method="tools/call",
        name=HOSTILE,
        decision=("deny", "allow", "limit", "hide", "require_approval")[number % 5],
        rule="/default",
        arguments='{"note": "<script>alert(1)</script>"}',
    )


def make_asked(grant: Grant) -> Asked:
    """A grant's approvals in every state, the waiting one first, and all around it."""
    owner = {"organization_id": grant.organization_id}
    approvals = Approval.objects.bulk_create(
        make_approval(grant, state) for state in State
    )
    first, soon = approvals[0], timezone.now() + timedelta(minutes=30)
    member = grant.membership
    vote = {"user": member.user, "email": member.user.email, "role": member.role}
    Vote.objects.create(
        approval=approvals[1], approves=True, via=Via.PAGE, **vote, **owner
    )
    opening = BreakGlass.objects.create(
        grant=grant,
        tool=HOSTILE,
        reason=HOSTILE,
        by=member.user,
        by_email=member.user.email,
        expires_at=soon,
        **owner,
    )
    Notice.objects.create(
        approval=first, opening=opening, kind=Kind.REQUEST, user=member.user, **owner
    )
    hook = Hook.objects.create(
        name=HOSTILE[:100],
        url="http://127.0.0.1:1/hook",
        format=Hook.Format.JSON,
        key_id="k1",
        secret=b"x",
        **owner,
    )
    delivery = make_delivery(hook, first)
    Task.objects.create(
        approval=first,
        grant=grant,
        token_hash=secrets.token_bytes(32),
        call=uuid7(),
        request="{}",
        expires_at=soon,
        **owner,
    )
    return Asked(
        approval=first,
        waiver=make_waiver(approvals[1]),
        opening=opening,
        delegation=Delegation.objects.create(
            giver=member, to=member, ends_at=soon, **owner
        ),
        hook=hook,
        delivery=delivery,
        token=make_token(member),
        invitation=Invitation.objects.create(
            email="invited@example.com",
            role=Role.VIEWER,
            token_hash=secrets.token_bytes(32),
            expires_at=soon,
            **owner,
        ),
    )


def make_approval(grant: Grant, state: str) -> Approval:
    now = timezone.now()
    return Approval(
        organization_id=grant.organization_id,
        grant=grant,
        server_id=grant.server_id,
        requester=grant.membership,
        policy=grant.policy,
        policy_version=1,
        method="tools/call",
        name=HOSTILE,
        arguments='{"amount":20000,"note":"<script>alert(1)</script>"}',
        arguments_digest="0" * 64,
        fingerprint="0" * 64,
        entry_digest="0" * 64,
        binding=secrets.token_hex(32),
        rules=[{"rule": "/tools/x/action", "reason": HOSTILE}],
        terms=[{"approvers": ["role:approver"], "quorum": 1}],
        severity="critical",
        category="Financial",
        client=HOSTILE,
        state=state,
        first_call=uuid7(),
        use_within=900,
        remind_at=now + timedelta(minutes=15),
        escalate_at=now + timedelta(minutes=22),
        expires_at=now + timedelta(minutes=30),
        decided_at=None if state == State.PENDING else now,
    )


def make_delivery(hook: Hook, approval: Approval) -> Delivery:
    owner = {"organization_id": hook.organization_id, "hook": hook}
    text = {"event": "approval.requested", "payload": "{}"}
    first = Delivery.objects.create(approval=approval, due_at=None, **text, **owner)
    return Delivery.objects.create(
        approval=approval, due_at=None, resent_from=first, **text, **owner
    )


def make_waiver(approval: Approval) -> Waiver:
    return Waiver.objects.create(
        organization_id=approval.organization_id,
        approval=approval,
        grant_id=approval.grant_id,
        tool=approval.name,
        fingerprint=approval.fingerprint,
        entry_digest=approval.entry_digest,
        rules=["/tools/x/action"],
        arguments={},
        expires_at=timezone.now() + timedelta(hours=1),
    )


def make_token(member: Membership) -> ApiToken:
    return ApiToken.objects.create(
        organization_id=member.organization_id,
        membership=member,
        label=f"{HOSTILE[:90]}{secrets.token_hex(4)}",
        scopes=["approvals:read"],
        token_hash=secrets.token_bytes(32),
        token_prefix="plm_abcdefg",
    )


# Name, category, severity, confidence: one of each category, and two to doubt.
CATALOGUE = [
    (HOSTILE, "Destructive", "critical", 0.97),
    ("list_buckets", "Read", "low", 0.93),
    ("put_object", "Write", "medium", 0.91),
    ("run_query", "Execute", "high", 0.95),
    ("create_refund", "Financial", "critical", 0.96),
    ("manage_things", "Other", "high", 0.41),
    ("ping", "Other", "low", 0.72),
]


def make_kept() -> KeptReport:
    """What somebody kept of a scan: a known server, an unknown one, a hostile name."""
    return KeptReport.objects.create(
        key_hash=hashed(KEPT_KEY),
        servers=[
            {"name": HOSTILE[:100], "command": "uvx", "args": ["hostile-mcp-server"]},
            {"name": "other", "command": "npx", "args": ["-y", "unknown-server"]},
        ],
        expires_at=timezone.now() + timedelta(days=30),
    )


def make_catalog(acme: Organization) -> CatalogTool:
    """A server of the public catalogue; the tool with the hostile name is disputed."""
    server = CatalogServer.objects.create(
        slug="hostile-mcp-server",
        name=HOSTILE,
        publisher="hostile",
        publisher_name=HOSTILE,
        source_kind=Source.PYPI,
        source="hostile-mcp-server",
        version="1.0.0",
        tools_listed=len(CATALOGUE),
        counts=dict(Counter(category for _, category, _, _ in CATALOGUE)),
        severities=dict(Counter(severity for _, _, severity, _ in CATALOGUE)),
        severity="critical",
        scanned_at=timezone.now(),
    )
    Scan.objects.create(
        server=server,
        version="1.0.0",
        transport="stdio",
        revision="2025-06-18",
        identity={"name": HOSTILE, "version": "1"},
        tools=len(CATALOGUE),
        environment="unprivileged user, no credentials",
        problems=[HOSTILE],
    )
    tools = CatalogTool.objects.bulk_create(
        make_listed(server, *row) for row in CATALOGUE
    )
    make_changes(server)
    make_kept()
    Dispute.objects.create(
        organization=acme,
        tool=tools[0],
        fingerprint=tools[0].fingerprint,
        category="Execute",
        severity="high",
        reason=HOSTILE,
        state=DisputeState.OPEN,
    )
    return tools[0]


def make_listed(
    server: CatalogServer, name: str, category: str, severity: str, confidence: float
) -> CatalogTool:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:200]
    return CatalogTool(
        server=server,
        slug=slug,
        name=name,
        facts=make_facts(name),
        fingerprint="1" * 64,
        category=category,
        severity=severity,
        confidence=confidence,
        verdict=make_verdict(name, category, severity, confidence),
        classifier="1",
        publisher=server.publisher,
        words=f"{name} {server.name} {category}",
    )


def make_facts(name: str) -> dict[str, object]:
    parameter = {
        "path": HOSTILE,
        "types": ["string", HOSTILE],
        "required": True,
        "sha256": "2" * 64,
        "length": 40,
        "stems": ["thing"],
        "values": [HOSTILE],
        "said": [],
    }
    return {
        "name": name,
        "description": {"sha256": "3" * 64, "length": 120},
        "stems": ["delet", "thing"],
        "said": [],
        "parameters": [parameter, parameter | {"path": "sql", "required": False}],
        "annotations": {"destructiveHint": True},
        "fingerprint": "1" * 64,
    }


def make_verdict(
    name: str, category: str, severity: str, confidence: float
) -> dict[str, object]:
    evidence = {"field": "name", "words": [name], "says": category, "why": HOSTILE}
    signal = {"signal": "free_code", "field": f"parameters.{HOSTILE}", "why": HOSTILE}
    return {
        "category": category,
        "severity": severity,
        "confidence": confidence,
        "evidence": [evidence],
        "signals": [signal],
        "described": True,
        "doubtful": confidence < 0.6,
        "version": "1",
    }


def make_changes(server: CatalogServer) -> None:
    detail = {
        "parameters": {"added": [HOSTILE], "removed": []},
        "category": ["Execute", "Destructive"],
        "severity": ["high", "critical"],
        "fields": ["description"],
    }
    Change.objects.bulk_create(
        Change(
            server=server,
            tool=HOSTILE,
            kind=kind,
            before_version="0.9.0",
            after_version="1.0.0",
            before="0" * 64,
            after="1" * 64,
            detail=detail,
        )
        for kind in ChangeKind
    )
