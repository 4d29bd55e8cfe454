"""What: upstream MCP servers, their credentials and their tool definitions."""

from __future__ import annotations

import secrets
import uuid

from django.db import models
from django.utils import timezone

from accounts.models import User
from accounts.tenancy import TenantModel


def new_public_id() -> str:
    """22 URL-safe characters, 132 random bits."""
    return secrets.token_urlsafe(17)[:22]


class Era(models.TextChoices):
    UNKNOWN = "", "Not known yet"
    MODERN = "modern", "Stateless (2026-07-28)"
    LEGACY = "legacy", "Handshake (2025-11-25 and before)"


class Health(models.TextChoices):
    UNKNOWN = "unknown", "Not checked yet"
    OK = "ok", "Reachable"
    FAILING = "failing", "Failing"


class Server(TenantModel):
    """One upstream MCP server. `credential_id` changes whenever credentials do.

    A tool whose changed definition is more severe than the pinned one is held while
    `hold_raised`, one that changed at all while `hold_changes`.
    A call that waits for approval is held for `hold_seconds`, or for as long as
    `hold_by_client` says for its client, `{name: seconds}`.
    """

    public_id = models.CharField(
        max_length=22, unique=True, default=new_public_id, editable=False
    )
    name = models.CharField(max_length=100)
    url = models.CharField(max_length=2000)
    era = models.CharField(
        max_length=10, choices=Era.choices, default=Era.UNKNOWN, blank=True
    )
    revision = models.CharField(max_length=20, blank=True)
    identity = models.JSONField(default=dict, blank=True)
    capabilities = models.JSONField(default=dict, blank=True)
    instructions = models.TextField(blank=True)
    health = models.CharField(
        max_length=10, choices=Health.choices, default=Health.UNKNOWN
    )
    checked_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    problems = models.JSONField(default=list, blank=True)
    hold_changes = models.BooleanField(default=False)
    hold_raised = models.BooleanField(default=True)
    hold_seconds = models.PositiveSmallIntegerField(default=45)
    hold_by_client = models.JSONField(default=dict, blank=True)
    credential_id = models.UUIDField(default=uuid.uuid4, editable=False)
    killed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["organization", "name"], name="servers_server_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Credential(TenantModel):
    """One request header sent upstream, its value encrypted (see vault.py)."""

    server = models.ForeignKey(Server, models.CASCADE, related_name="credentials")
    header = models.CharField(max_length=100)
    key_id = models.CharField(max_length=40)
    ciphertext = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["server", "header"], name="servers_credential_header"
            ),
        ]

    def __str__(self) -> str:
        return self.header


class Category(models.TextChoices):
    READ = "Read", "Read"
    WRITE = "Write", "Write"
    EXECUTE = "Execute", "Execute"
    DESTRUCTIVE = "Destructive", "Destructive"
    FINANCIAL = "Financial", "Financial"
    OTHER = "Other", "Other"


class Severity(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"


class Origin(models.TextChoices):
    UNSET = "unset", "Not set"
    PERSON = "person", "Set by a person"
    CLASSIFIER = "classifier", "Set by the classifier"


class ToolDefinition(TenantModel):
    """What `tools/list` said of one tool, and what people say of it.

    `definition` is the pinned one, as RFC 8785 text (text, not jsonb: jsonb
    refuses NUL and forgets number forms); `fingerprint` its SHA-256 in hex.
    `pending_*` is a changed definition that waits while the tool is held, and
    `previous_definition` what a changed one replaced.

    `category` and `severity` are the verdict in force. `judged_*` is what the
    classifier says of the pinned definition now (classifying.py); where that differs
    it waits to be accepted, or a person has said otherwise (verdicts.py).
    """

    server = models.ForeignKey(Server, models.CASCADE, related_name="tools")
    name = models.CharField(max_length=1000)
    definition = models.TextField()
    fingerprint = models.CharField(max_length=64)
    previous_definition = models.TextField(blank=True)
    pending_definition = models.TextField(blank=True)
    pending_fingerprint = models.CharField(max_length=64, blank=True)
    held_at = models.DateTimeField(null=True, blank=True)
    held_reason = models.CharField(max_length=200, blank=True)
    listed = models.BooleanField(default=True)
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(null=True, blank=True)
    category = models.CharField(
        max_length=20, choices=Category.choices, default=Category.OTHER
    )
    severity = models.CharField(
        max_length=10, choices=Severity.choices, default=Severity.LOW
    )
    verdict_origin = models.CharField(
        max_length=10, choices=Origin.choices, default=Origin.UNSET
    )
    verdict_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True)
    verdict_at = models.DateTimeField(null=True, blank=True)
    judged_category = models.CharField(
        max_length=20, choices=Category.choices, blank=True
    )
    judged_severity = models.CharField(
        max_length=10, choices=Severity.choices, blank=True
    )
    judged_confidence = models.FloatField(default=0)
    judged_doubtful = models.BooleanField(default=False)
    judged_evidence = models.JSONField(default=list, blank=True)
    judged_signals = models.JSONField(default=list, blank=True)
    judged_version = models.CharField(max_length=20, blank=True, db_index=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["server", "name"], name="servers_tool_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DriftNotice(TenantModel):
    """Definitions of one server that became more severe, to be mailed to one person.

    `tools` is `[{"name", "before", "after", "held"}]` with severities. Due at `due_at`
    until it is sent or dropped; taken by a worker, that is the end of its lease.
    """

    server = models.ForeignKey(Server, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    tools = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["server", "user"],
                condition=models.Q(attempts=0, sent_at=None, dropped_at=None),
                name="servers_drift_notice_waiting",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(sent_at=None, dropped_at=None),
                name="servers_drift_notice_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.server_id}: {len(self.tools)} tools"
