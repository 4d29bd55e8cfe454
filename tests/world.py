"""Two organizations with one of everything, for tests that walk over all pages.

A name that a stranger could choose is hostile: 128 characters (as long as its column
allows), HTML, a mark that turns the reading direction, a control character.
"""

from __future__ import annotations

import functools
import secrets
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from accounts.models import Membership, Organization, Role, User
from audit.ids import time_of, uuid7
from audit.models import Record
from policies.models import Grant, Policy, PolicyVersion
from servers.models import Credential, Health, Server, ToolDefinition

PASSWORD = "correct horse battery"
HOSTILE = "<script>alert(1)</script>\u202eevil\u200f" + "x" * 95
DOCUMENT = '{\n  "version": "1",\n  "default": "deny"\n}\n'
PEOPLE = {
    "alice": Role.OWNER,
    "adam": Role.ADMIN,
    "bob": Role.POLICY_MANAGER,
    "anna": Role.APPROVER,
    "dora": Role.VIEWER,
}


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


def make_world() -> World:
    """Acme has everything; charlie owns Other, where there is nothing."""
    acme = Organization.objects.create(slug="acme", name=HOSTILE[:120], shard=7)
    other = Organization.objects.create(slug="other", name="Other", shard=7)
    people = {name: join(acme, name, role) for name, role in PEOPLE.items()}
    people["charlie"] = join(other, "charlie", Role.OWNER)
    server = make_server(acme)
    policy, version = make_policy(server)
    return World(
        acme,
        people,
        server,
        make_tools(server),
        policy,
        version,
        make_grants(people["alice"], policy),
        make_records(server),
    )


@functools.cache
def hashed() -> str:
    return make_password(PASSWORD)


def join(organization: Organization, name: str, role: str) -> Membership:
    """A member with the password of the cast, hashed once: that takes long."""
    email = f"{name}@example.com"
    user = User.objects.create(email=email, name=name.title(), password=hashed())
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return Membership.objects.create(organization=organization, user=user, role=role)


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
        organization=acme, server=hostile, header="X-Key", key_id="k1", ciphertext=b"x"
    )
    return hostile


def make_tools(server: Server) -> ToolDefinition:
    tools = [
        ToolDefinition(
            organization_id=server.organization_id,
            server=server,
            name=name,
            definition='{"description":"<b>x</b>","inputSchema":{"type":"object"}}',
            fingerprint="0" * 64,
        )
        for name in (HOSTILE, *(f"tool_{n}" for n in range(14)))
    ]
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
