"""Whatever a snapshot holds sets the generation anew when a page changes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.apps import apps
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from accounts import generation, members, organizations
from accounts.keys import generation_key
from accounts.models import Membership, Organization
from approvals import deciding, openings, switches, waiver_views
from approvals.models import Approval, BreakGlass, Via, Waiver
from approvals.waiving import Wish, equality
from audit.ids import uuid7
from gateway.snapshot import SETS_GENERATION
from policies import granting, publishing
from policies.models import Policy
from servers import judging_anew, pinning, registering, verdicts
from servers.models import Server, ToolDefinition
from tests.fakes.mcp_server import tool
from tests.gateway.conftest import discovery
from tests.servers import classifier

pytestmark = pytest.mark.django_db(transaction=True)

# Fields of the same models that decide nothing, or cannot change.
OTHERS: dict[str, set[str]] = {
    "accounts.Organization": {
        *("id", "slug", "name", "shard", "created_at", "pending_most", "mails_most"),
        *("publishers_decide", "api_decisions", "redacted_keys"),
    },
    # Whoever leaves has their grants revoked.
    "accounts.Membership": {"id", "organization", "user", "created_at", "left_at"},
    "accounts.User": {
        *("id", "password", "last_login", "is_superuser", "is_staff", "is_active"),
        *("date_joined", "name"),
    },
    "servers.Server": {
        *("id", "organization", "public_id", "identity", "instructions", "health"),
        *("checked_at", "error", "problems", "revision", "hold_changes", "hold_raised"),
        "created_at",
    },
    # Another master key seals the same value; a snapshot holds the value.
    "servers.Credential": {"id", "organization", "server", "key_id", "created_at"},
    "servers.ToolDefinition": {
        *("id", "organization", "server", "name", "previous_definition"),
        *("pending_definition", "pending_fingerprint", "held_reason", "first_seen"),
        *("last_seen", "changed_at", "verdict_origin", "verdict_by", "verdict_at"),
        # What the classifier says: in force is category and severity.
        *("judged_category", "judged_severity", "judged_confidence"),
        *("judged_doubtful", "judged_evidence", "judged_signals", "judged_version"),
    },
    "policies.Policy": {
        *("id", "organization", "server", "name", "draft", "draft_revision"),
        *("draft_by", "draft_at", "created_at"),
    },
    "policies.PolicyVersion": {
        *("id", "organization", "policy", "comment", "restores", "published_by"),
        "published_at",
    },
    "policies.Grant": {
        *("id", "organization", "token_prefix", "last_used_at", "created_at"),
    },
    "approvals.Waiver": {
        *("id", "organization", "approval", "grant", "tool", "fingerprint"),
        *("entry_digest", "rules", "arguments", "by", "created_at"),
    },
    "approvals.BreakGlass": {
        *("id", "organization", "grant", "reason", "by", "by_email", "created_at"),
    },
}
# No page or command changes these yet: whoever adds one adds it to WRITERS.
UNWRITTEN = {
    ("accounts.User", "email"),
    ("policies.Grant", "server"),
    ("policies.Grant", "token_hash"),
}


class Rows:
    def __init__(self, organization: Organization, member: Membership) -> None:
        self.organization, self.member = organization, member
        self.owner: Membership
        self.server = registering.register(
            organization,
            "payments",
            "http://127.0.0.1:9/mcp",
            {"X-Key": "old"},
            discovery("modern", [tool("echo"), tool("pay")]),
        )
        self.policy = publishing.create(self.server, "support", "", None)
        self.publish("allow")
        self.grant = granting.mint(
            None, holder=member, server=self.server, policy=self.policy, label="bot"
        ).grant

    def publish(self, default: str) -> None:
        text = f'{{"version": "1", "default": "{default}"}}'
        publishing.publish_text(self.policy, text, None)

    def update(self, **fields: Any) -> None:
        registering.update_server(self.server, **fields)

    def store(self, era: str = "modern", *tools: Any, **capabilities: Any) -> None:
        listed = list(tools) or [tool("echo"), tool("pay")]
        found = discovery(era, listed)
        found.capabilities.update(capabilities)
        registering.store(Server.objects.across_organizations().get(), found)

    def grants(self, **fields: Any) -> None:
        granting.change(None, self.grant, **fields)

    def apply(self, folder: Path, **document: Any) -> None:
        """`manage.py apply`: configuration as code."""
        file = folder / "acme.json"
        slug = {"organization": {"slug": self.organization.slug}}
        file.write_text(json.dumps(slug | document))
        call_command("apply", str(file))

    def definition(self, name: str = "echo") -> ToolDefinition:
        rows = ToolDefinition.objects.for_organization(self.organization)
        return rows.get(name=name)

    def accept(self) -> None:
        with transaction.atomic():
            assert pinning.accept(
                self.definition("pay"),
                self.definition("pay").pending_fingerprint,
                timezone.now(),
            )
            generation.changed(self.organization)


def hold(rows: Rows) -> None:
    rows.update(hold_changes=True)
    changed = tool("pay") | {"description": "another"}
    rows.store("modern", tool("echo"), changed)


def waive(rows: Rows) -> Waiver:
    """As who approves a call and those like it."""
    grant, now = rows.grant, timezone.now()
    approval = Approval.objects.create(
        organization=rows.organization,
        grant=grant,
        server=rows.server,
        requester=grant.membership,
        method="tools/call",
        name="pay",
        arguments="{}",
        rules=[{"rule": "/tools/pay/action", "reason": None}],
        terms=[{"approvers": ["role:approver"], "quorum": 1}],
        critical=False,
        first_call=uuid7(),
        use_within=900,
        remind_at=now,
        escalate_at=now,
        expires_at=now + timedelta(hours=1),
    )
    like = Wish(15, equality({}))
    deciding.vote(
        approval.pk, rows.owner, approves=True, via=Via.PAGE, fresh=True, waiver=like
    )
    return Waiver.objects.for_organization(rows.organization).get()


def open_tool(rows: Rows) -> BreakGlass:
    return openings.open_tool(
        rows.owner, rows.grant, "pay", minutes=5, reason="Outage", fresh=True
    )


Writer = Callable[[Rows], Any]
WRITERS: dict[tuple[str, str], Writer] = {
    ("accounts.Organization", "zone"): lambda rows: organizations.change(
        rows.organization, zone="Europe/Paris"
    ),
    ("accounts.Membership", "role"): lambda rows: members.change_role(
        rows.owner, rows.member, "viewer"
    ),
    ("servers.Server", "name"): lambda rows: rows.update(name="renamed"),
    ("servers.Server", "url"): lambda rows: rows.update(url="http://127.0.0.1:8/mcp"),
    ("servers.Server", "era"): lambda rows: rows.store("legacy"),
    ("servers.Server", "hold_seconds"): lambda rows: rows.update(hold_seconds=9),
    ("servers.Server", "hold_by_client"): lambda rows: rows.update(
        hold_by_client={"claude-code": 9}
    ),
    ("servers.Server", "capabilities"): lambda rows: rows.store("modern", more={}),
    ("servers.Server", "credential_id"): lambda rows: rows.update(headers={"X": "y"}),
    ("servers.Credential", "header"): lambda rows: rows.update(headers={"X": "old"}),
    ("servers.Credential", "ciphertext"): lambda rows: rows.update(
        headers={"X-Key": "new"}
    ),
    ("servers.ToolDefinition", "definition"): lambda rows: rows.store(
        "modern", tool("echo") | {"description": "new"}, tool("pay")
    ),
    ("servers.ToolDefinition", "listed"): lambda rows: rows.store(
        "modern", tool("echo")
    ),
    ("servers.ToolDefinition", "held_at"): hold,
    ("servers.ToolDefinition", "category"): lambda rows: verdicts.set_verdict(
        rows.definition(), "Financial", "low", rows.member.user
    ),
    ("servers.ToolDefinition", "severity"): lambda rows: verdicts.set_verdict(
        rows.definition(), "Other", "high", rows.member.user
    ),
    ("policies.Policy", "current"): lambda rows: publishing.rollback(
        rows.policy, 1, None
    ),
    ("policies.PolicyVersion", "text"): lambda rows: rows.publish("deny"),
    ("policies.Grant", "policy"): lambda rows: rows.grants(policy=None),
    ("policies.Grant", "label"): lambda rows: rows.grants(label="renamed"),
    ("policies.Grant", "tags"): lambda rows: rows.grants(tags=["prod"]),
    ("policies.Grant", "helper_tool"): lambda rows: rows.grants(helper_tool=True),
    ("policies.Grant", "expires_at"): lambda rows: rows.grants(
        expires_at=timezone.now() + timedelta(days=1)
    ),
    ("policies.Grant", "membership"): lambda rows: rows.grants(
        holder=Membership.objects.for_organization(rows.organization).get(role="viewer")
    ),
    ("policies.Grant", "revoked_at"): lambda rows: granting.revoke(None, rows.grant),
    ("approvals.Waiver", "expires_at"): waive,
    ("approvals.BreakGlass", "expires_at"): open_tool,
    ("accounts.Organization", "killed_at"): lambda rows: switches.kill(
        rows.organization
    ),
    ("servers.Server", "killed_at"): lambda rows: switches.kill(rows.server),
    ("policies.Grant", "killed_at"): lambda rows: switches.kill(rows.grant),
}
# What ends early what another writer made.
ENDERS: dict[tuple[str, str], tuple[Writer, Callable[[Rows, Any], Any]]] = {
    ("approvals.Waiver", "ended_at"): (
        waive,
        lambda rows, waiver: waiver_views.end(waiver, rows.organization),
    ),
    ("approvals.BreakGlass", "ended_at"): (
        open_tool,
        lambda rows, opening: openings.close(rows.owner, opening),
    ),
}
SAME = {
    ("approvals.BreakGlass", "tool"): ("approvals.BreakGlass", "expires_at"),
    ("servers.ToolDefinition", "fingerprint"): ("servers.ToolDefinition", "definition"),
    ("policies.PolicyVersion", "digest"): ("policies.PolicyVersion", "text"),
    ("policies.PolicyVersion", "number"): ("policies.PolicyVersion", "text"),
}
BY_FILE: dict[tuple[str, str], dict[str, Any]] = {
    ("accounts.Organization", "zone"): {
        "organization": {"slug": "acme", "zone": "Europe/Paris"}
    },
    ("accounts.Membership", "role"): {
        "members": [{"email": "bob@example.com", "role": "admin"}]
    },
}


@pytest.fixture
def rows(
    transactional_db: None,
    acme: Organization,
    alice: Membership,
    bob: Membership,
    dora: Membership,
    valkey: redis.Redis,
) -> Rows:
    rows = Rows(acme, bob)
    rows.owner = alice
    return rows


def in_force(valkey: redis.Redis, rows: Rows) -> Any:
    organization = rows.organization
    return valkey.get(generation_key(organization.shard, organization.id))


@pytest.mark.parametrize("field", WRITERS, ids=".".join)
def test_a_page_that_changes_it_sets_the_generation(
    rows: Rows, valkey: redis.Redis, field: tuple[str, str]
) -> None:
    before = in_force(valkey, rows)

    WRITERS[field](rows)

    assert in_force(valkey, rows) not in (None, before)


@pytest.mark.parametrize("field", ENDERS, ids=".".join)
def test_what_ends_it_early_sets_the_generation(
    rows: Rows, valkey: redis.Redis, field: tuple[str, str]
) -> None:
    make, end = ENDERS[field]
    made = make(rows)
    before = in_force(valkey, rows)

    assert end(rows, made)

    assert in_force(valkey, rows) not in (None, before)


@pytest.mark.parametrize("field", BY_FILE, ids=".".join)
def test_a_file_that_changes_it_sets_the_generation(
    rows: Rows, valkey: redis.Redis, tmp_path: Path, field: tuple[str, str]
) -> None:
    before = in_force(valkey, rows)

    rows.apply(tmp_path, **BY_FILE[field])

    assert in_force(valkey, rows) not in (None, before)


def test_a_definition_that_is_accepted_sets_the_generation(
    rows: Rows, valkey: redis.Redis
) -> None:
    hold(rows)
    before = in_force(valkey, rows)

    rows.accept()

    assert in_force(valkey, rows) not in (None, before)


def judged_anew(rows: Rows, version: str) -> None:
    """A version of the classifier that thinks otherwise comes into use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "VERSION", version)
        patch.setitem(classifier.SAYS, "reads", ("Execute", "high"))
        assert judging_anew.judge_outdated() == 2


def test_a_verdict_that_is_accepted_sets_the_generation(
    rows: Rows, valkey: redis.Redis, settings: Any
) -> None:
    settings.TOOL_CLASSIFIER = classifier.NAME
    judged_anew(rows, "2")
    row = rows.definition()
    assert row.category == "Other"
    before = in_force(valkey, rows)

    shown = verdicts.Shown(row.pk, row.fingerprint, "Execute", "high")
    assert verdicts.accept(rows.server, [shown], rows.owner.user)

    assert in_force(valkey, rows) not in (None, before)


def test_a_verdict_that_is_taken_at_once_sets_the_generation(
    rows: Rows, valkey: redis.Redis, settings: Any
) -> None:
    settings.TOOL_CLASSIFIER = classifier.NAME
    Policy.objects.for_organization(rows.organization).update(current=None)
    before = in_force(valkey, rows)

    judged_anew(rows, "2")

    assert rows.definition().category == "Execute"
    assert in_force(valkey, rows) not in (None, before)


def test_a_verdict_that_only_waits_leaves_it(
    rows: Rows, valkey: redis.Redis, settings: Any
) -> None:
    settings.TOOL_CLASSIFIER = classifier.NAME
    before = in_force(valkey, rows)

    judged_anew(rows, "2")

    assert in_force(valkey, rows) == before


def test_what_decides_nothing_leaves_it(rows: Rows, valkey: redis.Redis) -> None:
    before = in_force(valkey, rows)

    granting.mint(
        None, holder=rows.member, server=rows.server, policy=None, label="new"
    )
    rows.store()

    assert in_force(valkey, rows) == before


def test_every_field_is_in_one_list_and_has_a_writer() -> None:
    listed = {(name, field) for name in SETS_GENERATION for field in
              SETS_GENERATION[name]}  # fmt: skip
    for name, fields in SETS_GENERATION.items():
        known = {one.name for one in apps.get_model(name)._meta.concrete_fields}
        assert fields | OTHERS[name] == known, name
        assert not fields & OTHERS[name], name

    assert listed == {*WRITERS, *SAME, *BY_FILE, *ENDERS, *UNWRITTEN}
