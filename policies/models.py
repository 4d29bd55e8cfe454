"""May: policies with their append-only versions, and grants."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Membership, User
from accounts.tenancy import TenantModel
from servers.models import Server


class Policy(TenantModel):
    """A named document for one server. `current` is the version in force.

    `draft` is the text being edited, as written; `draft_revision` counts its
    saves, so that two editors cannot overwrite each other unseen.
    """

    server = models.ForeignKey(Server, models.CASCADE, related_name="policies")
    name = models.CharField(max_length=100)
    current = models.ForeignKey(
        "PolicyVersion", models.RESTRICT, null=True, blank=True, related_name="+"
    )
    draft = models.TextField(blank=True)
    draft_revision = models.PositiveIntegerField(default=0)
    draft_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    draft_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "policies"
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["organization", "name"], name="policies_policy_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PolicyVersion(TenantModel):
    """One published text; never changed, never deleted while its policy lives."""

    policy = models.ForeignKey(Policy, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    digest = models.CharField(max_length=64)
    comment = models.CharField(max_length=500, blank=True)
    restores = models.PositiveIntegerField(null=True, blank=True)
    published_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    published_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["policy", "number"], name="policies_version_number"
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class Grant(TenantModel):
    """One client's right to one server under one policy.

    The bearer token is kept as SHA-256 only; `token_prefix` is what people see.
    `helper_tool`: the client is offered `policylayer_check_approval` as well.
    """

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="grants")
    server = models.ForeignKey(Server, models.CASCADE, related_name="grants")
    policy = models.ForeignKey(
        Policy, models.SET_NULL, null=True, blank=True, related_name="grants"
    )
    label = models.CharField(max_length=100)
    tags = models.JSONField(default=list, blank=True)
    helper_tool = models.BooleanField(default=False)
    token_hash = models.BinaryField(unique=True)
    token_prefix = models.CharField(max_length=16)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    killed_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["organization", "label"], name="policies_grant_label"
            ),
        ]

    def __str__(self) -> str:
        return self.label
