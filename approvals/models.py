"""Ask: calls that wait for people, what people decided, and how they were told."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Membership, User
from accounts.tenancy import TenantModel
from policies.models import Grant, Policy
from servers.models import Server


class State(models.TextChoices):
    """`pending` until decided, `approved` until run; the others are final, but a run
    that certainly never reached its server makes `used` `approved` again."""

    PENDING = "pending", "Waiting"
    APPROVED = "approved", "Approved"
    DENIED = "denied", "Denied"
    EXPIRED = "expired", "Expired"
    CANCELLED = "cancelled", "Cancelled"
    VOID = "void", "Void"
    USED = "used", "Run"


OPEN = (State.PENDING, State.APPROVED)


class Approval(TenantModel):
    """One question: may this grant make exactly this call?

    `method` and `name` are JSON-RPC's (`tools/call` and a tool, or a read whose limit
    asks). `arguments` is RFC 8785 text, `arguments_digest` its SHA-256 in hex;
    `fingerprint` is the pinned definition's, `entry_digest` that of the policy's entry
    and `all_tools`; `binding` is the SHA-256 over all of these and the grant, by which
    the identical call is known again.

    `rules` are those that asked, `[{"rule": pointer, "reason": text or null}]`;
    `terms` whose word is needed, `[{"approvers": [...], "quorum": n, "escalate_to":
    [...]}]`, all of which must be met; `escalate_to` is that of all terms, joined.
    `use_within` is in seconds, from the approval to `usable_until`. `first_call` and
    `used_call` are calls of the activity log. `reason` says why it was denied,
    cancelled or void.
    """

    grant = models.ForeignKey(Grant, models.CASCADE, related_name="approvals")
    server = models.ForeignKey(Server, models.CASCADE, related_name="approvals")
    requester = models.ForeignKey(
        Membership, models.CASCADE, related_name="asked_approvals"
    )
    policy = models.ForeignKey(
        Policy, models.SET_NULL, null=True, blank=True, related_name="approvals"
    )
    policy_version = models.PositiveIntegerField(null=True, blank=True)
    method = models.CharField(max_length=40)
    name = models.TextField()
    arguments = models.TextField()
    arguments_digest = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64, blank=True)
    entry_digest = models.CharField(max_length=64)
    binding = models.CharField(max_length=64)
    rules = models.JSONField(default=list)
    terms = models.JSONField(default=list)
    self_approval = models.BooleanField(default=False)
    escalate_to = models.JSONField(default=list, blank=True)
    category = models.CharField(max_length=20, blank=True)
    severity = models.CharField(max_length=10, blank=True)
    critical = models.BooleanField(default=True)
    client = models.CharField(max_length=256, blank=True)
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.PENDING
    )
    reason = models.TextField(blank=True)
    first_call = models.UUIDField()
    used_call = models.UUIDField(null=True, blank=True)
    use_within = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    remind_at = models.DateTimeField()
    escalate_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    usable_until = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    # When the one identical call after the run was told that it ran.
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["organization", "binding"],
                name="approvals_one_open",
                condition=models.Q(state__in=OPEN),
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-created_at"], name="approvals_newest"
            ),
            models.Index(
                fields=["organization", "binding", "-created_at"],
                name="approvals_binding",
            ),
            models.Index(
                fields=["expires_at"],
                name="approvals_waiting",
                condition=models.Q(state=State.PENDING),
            ),
            models.Index(
                fields=["usable_until"],
                name="approvals_usable",
                condition=models.Q(state=State.APPROVED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"


class Via(models.TextChoices):
    PAGE = "page", "The request's page"
    INBOX = "inbox", "The inbox"
    API = "api", "The API"


class Vote(TenantModel):
    """One person's word; never changed. `email` and `role` are as they were then.

    `fresh`: signed in within five minutes before. `own`: the requester's own word,
    which the policy allowed. `for_email` is whose place a delegate took. `opened_at`
    is when the page that was posted had been opened.
    """

    approval = models.ForeignKey(Approval, models.CASCADE, related_name="votes")
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    email = models.EmailField()
    role = models.CharField(max_length=20)
    for_email = models.EmailField(blank=True)
    approves = models.BooleanField()
    reason = models.TextField(blank=True)
    via = models.CharField(max_length=10, choices=Via.choices)
    fresh = models.BooleanField(default=False)
    own = models.BooleanField(default=False)
    opened_at = models.DateTimeField(null=True, blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["approval", "email"], name="approvals_one_vote_each"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {'approve' if self.approves else 'deny'}"


class Waiver(TenantModel):
    """Like calls that need not be asked for, for a while: a time-limited approval.

    It covers `rules` (JSON Pointers) only, for one grant, tool, fingerprint and entry.
    `arguments` says which calls are alike; see waiving.py for its shape.
    """

    approval = models.ForeignKey(Approval, models.CASCADE, related_name="waivers")
    grant = models.ForeignKey(Grant, models.CASCADE, related_name="waivers")
    tool = models.TextField()
    fingerprint = models.CharField(max_length=64)
    entry_digest = models.CharField(max_length=64)
    rules = models.JSONField()
    arguments = models.JSONField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.tool} until {self.expires_at}"


class BreakGlass(TenantModel):
    """An owner's opening: one tool for one grant, for at most an hour."""

    grant = models.ForeignKey(Grant, models.CASCADE, related_name="openings")
    tool = models.TextField()
    reason = models.TextField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    by_email = models.EmailField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "openings"

    def __str__(self) -> str:
        return f"{self.tool} until {self.expires_at}"


class Delegation(TenantModel):
    """`to` may decide in the place of `giver` until `ends_at`."""

    giver = models.ForeignKey(
        Membership, models.CASCADE, related_name="delegations_given"
    )
    to = models.ForeignKey(Membership, models.CASCADE, related_name="delegations_taken")
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.giver} to {self.to} until {self.ends_at}"


class Kind(models.TextChoices):
    REQUEST = "request", "A call waits"
    REMINDER = "reminder", "Half of the time is over"
    ESCALATION = "escalation", "Three quarters of the time are over"
    BREAK_GLASS = "break_glass", "An owner opened a tool"


class Notice(TenantModel):
    """Outbox of mail: one row for each mail that must go out, made with its cause.

    `nonce_hash` is the SHA-256 of the nonce in its link. `mail` is the mail that
    carries it, and that mail's Message-ID; `gathered` rows are in one mail together.
    """

    kind = models.CharField(max_length=12, choices=Kind.choices)
    approval = models.ForeignKey(
        Approval, models.CASCADE, null=True, blank=True, related_name="notices"
    )
    opening = models.ForeignKey(
        BreakGlass, models.CASCADE, null=True, blank=True, related_name="notices"
    )
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    nonce_hash = models.BinaryField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    due_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(null=True, blank=True)
    gathered = models.BooleanField(default=False)
    mail = models.UUIDField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["approval", "user", "kind"], name="approvals_notice_once"
            ),
            models.UniqueConstraint(
                fields=["opening", "user"], name="approvals_opening_notice_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="approvals_notice_due",
                condition=models.Q(sent_at=None, dropped_at=None),
            ),
            models.Index(
                fields=["organization", "user", "-created_at"],
                name="approvals_notice_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.user_id}"


class Hook(TenantModel):
    """Where an organization's own systems are told.

    `secret` is sealed: the whole address, and the key that signs what is sent
    (hook_keys.py). `url` is what pages show of the address.
    """

    class Format(models.TextChoices):
        JSON = "json", "Webhook (signed JSON)"
        SLACK = "slack", "Slack-compatible message"

    name = models.CharField(max_length=100)
    url = models.CharField(max_length=2000)
    format = models.CharField(max_length=10, choices=Format.choices)
    key_id = models.CharField(max_length=40)
    secret = models.BinaryField()
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["organization", "name"], name="approvals_hook_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Delivery(TenantModel):
    """One message to one hook, and what came of it; also its outbox row.

    `status` is the HTTP status of the last attempt. `resent_from` is the delivery
    that a person sent once more.
    """

    hook = models.ForeignKey(Hook, models.CASCADE, related_name="deliveries")
    approval = models.ForeignKey(
        Approval, models.CASCADE, null=True, blank=True, related_name="deliveries"
    )
    event = models.CharField(max_length=40)
    payload = models.TextField()
    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    resent_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["due_at"],
                name="approvals_delivery_due",
                condition=models.Q(due_at__isnull=False),
            ),
            models.Index(
                fields=["hook", "-created_at", "-id"], name="approvals_delivery_log"
            ),
            models.Index(fields=["created_at"], name="approvals_delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.hook_id}"


class Task(TenantModel):
    """A call that its client follows by the Tasks extension (2026-07-28).

    The client is given an id whose SHA-256 is `token_hash`. `request` is the JSON of
    the call's params; `result` that of its result once `status` is `completed`, or of
    its error once it is `failed`.
    """

    class Status(models.TextChoices):
        WORKING = "working"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    approval = models.ForeignKey(Approval, models.CASCADE, related_name="tasks")
    grant = models.ForeignKey(Grant, models.CASCADE, related_name="+")
    token_hash = models.BinaryField(unique=True)
    call = models.UUIDField()
    request = models.TextField()
    client = models.CharField(max_length=256, blank=True)
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.WORKING
    )
    message = models.TextField(blank=True)
    result = models.TextField(blank=True)
    # Set by the one process that runs the call.
    running_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(
                fields=["created_at"],
                name="approvals_task_working",
                condition=models.Q(status="working"),
            ),
            models.Index(fields=["expires_at"], name="approvals_task_expires"),
        ]

    def __str__(self) -> str:
        return f"{self.status} task of {self.call}"
