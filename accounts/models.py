"""Who: people, organizations and memberships."""

from __future__ import annotations

import secrets
import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.utils import timezone

from accounts.tenancy import TenantModel

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
    """The tenant. `shard` names the Valkey slot that holds all its keys."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    zone = models.CharField(max_length=64, default="Etc/UTC")
    shard = models.PositiveSmallIntegerField(default=random_shard, editable=False)
    killed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name


class Membership(TenantModel):
    """One person's role in one organization."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["organization", "user"], name="accounts_membership_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

    def at_least(self, minimum: str) -> bool:
        """Whether this role includes what `minimum` may do."""
        widest_first = Role.values
        return widest_first.index(self.role) <= widest_first.index(minimum)


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
