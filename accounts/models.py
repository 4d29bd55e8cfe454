"""Who: people, organizations and memberships."""

from __future__ import annotations

import secrets
import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.utils import timezone

from accounts.tenancy import TenantModel, TenantQuerySet

SHARDS = 64


class Role(models.TextChoices):
    """From the widest right to the narrowest; each includes those after it."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    POLICY_MANAGER = "policy_manager", "Policy manager"
    APPROVER = "approver", "Approver"
    VIEWER = "viewer", "Viewer"


class UserManager(BaseUserManager["User"]):
    def create_user(
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractUser):
    """A person; the e-mail address is the name to sign in with."""

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email


def random_shard() -> int:
    return secrets.randbelow(SHARDS)


class Organization(models.Model):
    """The tenant. `shard` names the Valkey slot that holds all its keys.

    Of approvals: `pending_most` questions of one grant may wait at a time; a person is
    sent at most `mails_most` mails in ten minutes, and what is more is gathered;
    `redacted_keys` are argument names whose values no mail shows.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    zone = models.CharField(max_length=64, default="Etc/UTC")
    shard = models.PositiveSmallIntegerField(default=random_shard, editable=False)
    killed_at = models.DateTimeField(null=True, blank=True)
    pending_most = models.PositiveSmallIntegerField(default=10)
    mails_most = models.PositiveSmallIntegerField(default=5)
    publishers_decide = models.BooleanField(default=True)
    api_decisions = models.BooleanField(default=False)
    redacted_keys = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name


TenantManager = models.Manager.from_queryset(TenantQuerySet)


class CurrentMembers(TenantManager["Membership"]):
    """Those who have not left: what `Membership.objects` and all relations find."""

    def get_queryset(self) -> TenantQuerySet[Membership]:
        rows: TenantQuerySet[Membership] = super().get_queryset()  # type: ignore[assignment]
        return rows.filter(left_at=None)


class Membership(TenantModel):
    """One person's role in one organization.

    Who leaves keeps the row, with `left_at`: grants, approvals and what was decided
    hang on it. No query meets it then, but by way of such a thing; coming back makes
    a new row.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    left_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CurrentMembers()  # type: ignore[assignment, misc]

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["organization", "user"],
                name="accounts_membership_once",
                condition=models.Q(left_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

    def at_least(self, minimum: str) -> bool:
        """Whether this role includes what `minimum` may do."""
        widest_first = Role.values
        return widest_first.index(self.role) <= widest_first.index(minimum)

    def hold(self) -> bool:
        """Whether this is a member still, who then does not leave before the
        transaction ends: leaving updates the row, and ends what it finds after that.
        """
        rows = Membership.objects.for_organization(self.organization_id)
        return (
            rows.select_for_update(no_key=True).filter(pk=self.pk).first() is not None
        )


class Invitation(TenantModel):
    """Somebody asked to join by e-mail; the link's token is kept as SHA-256 only."""

    email = models.EmailField()
    role = models.CharField(max_length=20, choices=Role.choices)
    token_hash = models.BinaryField(unique=True)
    invited_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["organization", "email"],
                name="accounts_invitation_once",
                condition=models.Q(accepted_at=None, withdrawn_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.email


class ApiToken(TenantModel):
    """A member's token for the REST API; it can do what the member may, and no more
    than its `scopes` name. Kept as SHA-256 only."""

    membership = models.ForeignKey(
        Membership, models.CASCADE, related_name="api_tokens"
    )
    label = models.CharField(max_length=100)
    scopes = models.JSONField(default=list)
    token_hash = models.BinaryField(unique=True)
    token_prefix = models.CharField(max_length=16)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["membership", "label"], name="accounts_apitoken_label"
            ),
        ]

    def __str__(self) -> str:
        return self.label


class GenerationChange(models.Model):
    """Outbox: a committed change whose generation is not yet known to be set."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"],
                name="accounts_change_waiting",
                condition=models.Q(applied_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"change {self.pk} of {self.organization_id}"
