"""What happened: one record a call, kept by month."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.tenancy import TenantQuerySet


class Decided(models.TextChoices):
    ALLOW = "allow", "Allowed"
    DENY = "deny", "Denied"
    HIDE = "hide", "Hidden"
    LIMIT = "limit", "Limited"
    REQUIRE_APPROVAL = "require_approval", "Waiting"


class Outcome(models.TextChoices):
    """What became of a call; a later one wins over `unknown`."""

    OK = "ok", "Answered"
    TOOL_ERROR = "tool_error", "Tool error"
    ERROR = "error", "Error"
    NOT_INSPECTED = "not_inspected", "Answered, not inspected"
    NOT_SENT = "not_sent", "Never sent"
    CANCELLED = "cancelled", "Cancelled"
    UNKNOWN = "unknown", "Unknown"
    REFUSED = "refused", "Refused"


class Record(models.Model):
    """One call; a table partitioned by month.

    No foreign keys: a record outlives the grant, server and policy that it names,
    and deleting those must not wait for millions of rows. All but the key is empty
    until the entry that fills it arrives, in whichever order. Texts are as clients
    and servers sent them.
    """

    pk = models.CompositePrimaryKey("time", "id")
    time = models.DateTimeField()
    id = models.UUIDField()
    organization_id = models.UUIDField()
    shard = models.SmallIntegerField(null=True)
    grant_id = models.UUIDField(null=True)
    grant_label = models.TextField(null=True)
    server_id = models.UUIDField(null=True)
    server_name = models.TextField(null=True)
    member = models.TextField(null=True)
    method = models.TextField(null=True)
    name = models.TextField(null=True)
    client = models.TextField(null=True)
    era = models.TextField(null=True)
    revision = models.TextField(null=True)
    policy_id = models.UUIDField(null=True)
    policy_version = models.IntegerField(null=True)
    policy_digest = models.TextField(null=True)
    decision = models.TextField(null=True, choices=Decided.choices)
    rule = models.TextField(null=True)
    reason = models.TextField(null=True)
    asks = models.TextField(null=True)
    would_decision = models.TextField(null=True, choices=Decided.choices)
    would_rule = models.TextField(null=True)
    would_reason = models.TextField(null=True)
    limits = models.TextField(null=True)
    approval_id = models.UUIDField(null=True)
    arguments = models.TextField(null=True)
    arguments_digest = models.TextField(null=True)
    arguments_length = models.IntegerField(null=True)
    arguments_read = models.TextField(null=True)
    outcome = models.TextField(null=True, choices=Outcome.choices)
    error_code = models.BigIntegerField(null=True)
    is_error = models.BooleanField(null=True)
    answer_bytes = models.BigIntegerField(null=True)
    duration_ms = models.FloatField(null=True)
    given_back = models.BooleanField(null=True)
    detail = models.TextField(null=True)
    recorded_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[TenantQuerySet[Record]] = TenantQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index(
                fields=["organization_id", "-time", "-id"], name="audit_record_newest"
            ),
            # What approvals compare a call with: the newest calls of one grant.
            models.Index(
                fields=["organization_id", "grant_id", "-time"],
                name="audit_record_of_grant",
            ),
            models.Index(
                fields=["time"],
                name="audit_record_open",
                condition=models.Q(outcome=None),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Quarantined(models.Model):
    """An entry of the stream that could not become a record, kept whole.

    `fields` is JSON of its field names and values, the values in base64.
    """

    organization_id = models.UUIDField(null=True)
    shard = models.SmallIntegerField()
    entry = models.CharField(max_length=50)
    fields = models.BinaryField()
    reason = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[TenantQuerySet[Quarantined]] = TenantQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name_plural = "quarantined entries"
        constraints = [
            models.UniqueConstraint(
                fields=["shard", "entry"], name="audit_quarantined_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["organization_id", "-created_at"], name="audit_quarantined_own"
            )
        ]

    def __str__(self) -> str:
        return f"{self.shard}/{self.entry}"
