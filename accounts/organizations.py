"""Making an organization, whose founder is its owner, and changing its settings."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts import generation
from accounts.models import Membership, Organization, Role, User

SLUG_LENGTH = 48
TRIES = 5


def found(user: User, name: str, zone: str) -> Membership:
    """A new organization, its slug made from the name, and its first owner."""
    slug = slugify(name)[:SLUG_LENGTH].strip("-") or "organization"
    for _ in range(TRIES):
        try:
            return _found(user, name, zone, slug)
        except IntegrityError:
            # A random ending, not the next number: that would count the others.
            slug = f"{slug[:SLUG_LENGTH]}-{secrets.token_hex(3)}"
    raise RuntimeError(f"no free slug for {slug}")


@transaction.atomic
def _found(user: User, name: str, zone: str, slug: str) -> Membership:
    organization = Organization.objects.create(slug=slug, name=name, zone=zone)
    return Membership.objects.create(
        organization=organization, user=user, role=Role.OWNER
    )


@transaction.atomic
def change(organization: Organization, **wanted: Any) -> None:
    """Sets fields that people may set, such as `name`, `zone`, `pending_most`."""
    for name, value in wanted.items():
        setattr(organization, name, value)
    organization.save(update_fields=list(wanted))
    if "zone" in wanted:
        generation.changed(organization)
