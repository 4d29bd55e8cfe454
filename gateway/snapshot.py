"""All that a call of one grant needs, and what makes it void.

A snapshot is loaded with the generation first and Postgres after it, and believed only
while the script finds that generation in force: a change that commits while it is
being loaded has set another one by the time the call is judged. `epoch` is the Valkey
against which the generation was read; with another server nothing is believed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from audit.entries import CallEntry
from audit.template import Template
from gateway.outcomes import Stream
from gateway.pins import Pin
from policies.compile import CompiledPolicy
from policies.limits import Owners
from servers.addresses import Target

# Seconds after which a snapshot is read again, while Postgres answers.
FRESH = 60.0

# Fields that a snapshot holds: whoever writes one calls accounts.generation.changed in
# the same transaction. What is not named here (a new grant, last used, health) is in
# no snapshot, or decides nothing.
SETS_GENERATION: dict[str, frozenset[str]] = {
    "accounts.Organization": frozenset({"zone", "killed_at"}),
    "accounts.Membership": frozenset({"role"}),
    "accounts.User": frozenset({"email"}),
    "servers.Server": frozenset(
        {"name", "url", "era", "capabilities", "credential_id", "killed_at"}
        | {"hold_seconds", "hold_by_client"}
    ),
    "servers.Credential": frozenset({"header", "ciphertext"}),
    "servers.ToolDefinition": frozenset(
        {"definition", "fingerprint", "held_at", "listed", "category", "severity"}
    ),
    "policies.Policy": frozenset({"current"}),
    "policies.PolicyVersion": frozenset({"text", "digest", "number"}),
    "policies.Grant": frozenset(
        {"membership", "server", "policy", "label", "tags", "token_hash"}
        | {"expires_at", "revoked_at", "killed_at", "helper_tool"}
    ),
    "approvals.Waiver": frozenset({"expires_at", "ended_at"}),
    "approvals.BreakGlass": frozenset({"tool", "expires_at", "ended_at"}),
}


@dataclass(slots=True, frozen=True, eq=False, kw_only=True)
class Upstream:
    """Where the calls go. `headers` are the credentials, ready to send."""

    target: Target | None
    refused: str = ""
    era: str
    capabilities: Mapping[str, object]
    credential_id: UUID
    headers: tuple[tuple[bytes, bytes], ...]
    # Written heads of requests, by method and name.
    heads: dict[object, bytes] = field(default_factory=dict, init=False)


class Waiver(NamedTuple):
    """A time-limited approval of like calls; approvals/waiving.py says which are."""

    approval: UUID
    rules: frozenset[str]
    fingerprint: str
    entry_digest: str
    arguments: Mapping[str, Mapping[str, Any]]
    expires: float


class Opening(NamedTuple):
    """Break-glass: `id` is what the record names."""

    id: str
    expires: float


@dataclass(slots=True, frozen=True, eq=False, kw_only=True)
class Rights:
    """What Postgres says. `waivers` and `break_glass` are by tool; whoever uses one
    looks at the clock. A call may be held for `hold_seconds`. `known` are the facts of
    policies/facts.py from `killed` to `user_role`."""

    organization_id: UUID
    shard: int
    zone: ZoneInfo
    grant_id: UUID
    label: str
    tags: tuple[str, ...]
    expires: float = math.inf
    revoked: bool = False
    killed: bool = False
    member: str
    role: str
    server_id: UUID
    public_id: str
    server_name: str
    upstream: Upstream
    policy: CompiledPolicy | None = None
    policy_id: UUID | None = None
    policy_version: int | None = None
    tools: Mapping[str, Pin] = field(default_factory=dict)
    waivers: Mapping[str, tuple[Waiver, ...]] = field(default_factory=dict)
    break_glass: Mapping[str, tuple[Opening, ...]] = field(default_factory=dict)
    hold_seconds: int = 45
    hold_by_client: Mapping[str, int] = field(default_factory=dict)
    helper_tool: bool = False
    known: tuple[object, ...] = field(init=False)

    def __post_init__(self) -> None:
        known = self.killed, self.label, self.tags, self.member, self.role
        object.__setattr__(self, "known", known)


@dataclass(slots=True, eq=False)
class Snapshot:
    """`loaded` is in seconds of the event loop's clock."""

    rights: Rights
    owners: Owners
    generation: bytes
    epoch: int
    loaded: float
    refreshing: bool = False
    record: Template = field(init=False)
    outcomes: Stream = field(init=False)

    def __post_init__(self) -> None:
        rights = self.rights
        self.record = Template(_common(rights))
        self.outcomes = Stream(rights.shard, rights.organization_id)

    def void(self, now: float) -> str:
        """Why the token is not in force, as the record names it; empty if it is."""
        if self.rights.revoked:
            return "(revoked)"
        return "(expired)" if now >= self.rights.expires else ""


def _common(rights: Rights) -> CallEntry:
    """What the records of all calls of a grant say."""
    return CallEntry(
        id=rights.grant_id,  # each call has its own
        organization=rights.organization_id,
        shard=rights.shard,
        grant_id=rights.grant_id,
        grant=rights.label,
        server_id=rights.server_id,
        server=rights.server_name,
        member=rights.member,
        method="",
        policy_id=rights.policy_id,
        policy_version=rights.policy_version,
        policy_digest=rights.policy.digest if rights.policy else "",
    )
