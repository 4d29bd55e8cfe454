"""Reading a grant's rights out of Postgres: the cold path, in a thread.

The gateway serves all tenants, so it reads across organizations; a token's hash picks
the one grant, and everything else is reached from that row.
"""

from __future__ import annotations

import math
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone

from approvals import models
from gateway.pins import Pin, pin
from gateway.snapshot import Opening, Rights, Upstream, Waiver
from policies.compile import CompiledPolicy, compile_document
from policies.document import parse
from policies.models import Grant, PolicyVersion
from servers import credentials
from servers.failures import Refused
from servers.models import Server, ToolDefinition
from servers.outbound import Door

USED_EVERY = timedelta(seconds=60)


class Found(NamedTuple):
    """Whose generation to read before anything else of the grant is read."""

    organization_id: UUID
    shard: int
    server_id: UUID
    grant_id: UUID


def find(digest: bytes) -> Found | None:
    row = (
        Grant.objects.across_organizations()
        .filter(token_hash=digest)
        .values_list("organization_id", "organization__shard", "server_id", "id")
        .first()
    )
    return None if row is None else Found(*row)


def load(digest: bytes, door: Door) -> Rights | None:
    """None where no grant has this token (any more)."""
    grant = (
        Grant.objects.across_organizations()
        .select_related("organization", "membership__user", "server", "policy__current")
        .filter(token_hash=digest)
        .first()
    )
    return None if grant is None else _rights(grant, door)


def touch(grant_id: UUID) -> None:
    """Says that the grant is in use, at most once a minute."""
    now = timezone.now()
    Grant.objects.across_organizations().filter(
        Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY),
        pk=grant_id,
        revoked_at=None,
    ).update(last_used_at=now)


def _rights(grant: Grant, door: Door) -> Rights:
    organization, server, member = grant.organization, grant.server, grant.membership
    version = grant.policy.current if grant.policy else None
    killed = (organization.killed_at, server.killed_at, grant.killed_at)
    return Rights(
        organization_id=organization.id,
        shard=organization.shard,
        zone=ZoneInfo(organization.zone),
        grant_id=grant.id,
        label=grant.label,
        tags=tuple(grant.tags),
        expires=grant.expires_at.timestamp() if grant.expires_at else math.inf,
        revoked=grant.revoked_at is not None,
        killed=any(moment is not None for moment in killed),
        member=member.user.email,
        role=member.role,
        server_id=server.id,
        public_id=server.public_id,
        server_name=server.name,
        upstream=_upstream(server, door),
        policy=_compiled(version) if version else None,
        policy_id=grant.policy_id if version else None,
        policy_version=version.number if version else None,
        tools=_pins(server),
        waivers=_waivers(grant),
        break_glass=_openings(grant),
        hold_seconds=server.hold_seconds,
        hold_by_client=server.hold_by_client,
        helper_tool=grant.helper_tool,
    )


def _upstream(server: Server, door: Door) -> Upstream:
    """Connections are pooled by organization and credentials: a server that ties
    what it knows to the connection must not mix them up."""
    target, refused = None, ""
    try:
        target = door.check_url(server.url, owner=str(server.credential_id))
    except Refused as error:
        refused = error.reason
    return Upstream(
        target=target,
        refused=refused,
        era=server.era,
        capabilities=server.capabilities,
        credential_id=server.credential_id,
        headers=tuple(credentials.opened(credentials.of_server(server))),
    )


def _pins(server: Server) -> dict[str, Pin]:
    rows = (
        ToolDefinition.objects.for_organization(server.organization_id)
        .filter(server=server, listed=True)
        .values_list(
            "name", "definition", "fingerprint", "category", "severity", "held_at"
        )
    )
    return {
        name: pin(text, fingerprint, category, severity, held_at is not None)
        for name, text, fingerprint, category, severity, held_at in rows
    }


def _waivers(grant: Grant) -> dict[str, tuple[Waiver, ...]]:
    rows = (
        models.Waiver.objects.for_organization(grant.organization_id)
        .filter(grant=grant, ended_at=None, expires_at__gt=timezone.now())
        .order_by("created_at")
    )
    found: dict[str, tuple[Waiver, ...]] = {}
    for row in rows:
        waiver = Waiver(
            row.approval_id,
            frozenset(row.rules),
            row.fingerprint,
            row.entry_digest,
            row.arguments,
            row.expires_at.timestamp(),
        )
        found[row.tool] = (*found.get(row.tool, ()), waiver)
    return found


def _openings(grant: Grant) -> dict[str, tuple[Opening, ...]]:
    rows = (
        models.BreakGlass.objects.for_organization(grant.organization_id)
        .filter(grant=grant, ended_at=None, expires_at__gt=timezone.now())
        .order_by("-expires_at")
        .values_list("tool", "id", "expires_at")
    )
    found: dict[str, tuple[Opening, ...]] = {}
    for tool, id, expires in rows:
        opening = Opening(str(id), expires.timestamp())
        found[tool] = (*found.get(tool, ()), opening)
    return found


def _compiled(version: PolicyVersion) -> CompiledPolicy:
    return _compiled_text(version.digest, version.text)


@lru_cache(maxsize=500)
def _compiled_text(digest: str, text: str) -> CompiledPolicy:
    """The digest is over the document's meaning; the text is what is compiled."""
    return compile_document(parse(text))
