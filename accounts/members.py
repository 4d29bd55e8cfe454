"""Members: joining, changing roles, leaving.

An admin handles members below the owners, and gives roles below owner; an owner
handles all. Nobody can raise themselves, as nobody can give more than they have. An
organization keeps an owner, whatever happens at the same time: every change holds the
organization's row.
"""

from __future__ import annotations

import uuid

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from accounts import generation, leaving
from accounts.models import Membership, Organization, Role, User

LAST_OWNER = "An organization has an owner: make somebody else one first."


def may_give(by: Membership, role: str) -> bool:
    """Whether `by` may invite people to this role, or set it."""
    return by.at_least(Role.OWNER if role == Role.OWNER else Role.ADMIN)


def may_handle(by: Membership, member: Membership) -> bool:
    """Whether `by` may change the role of `member`, or remove them."""
    same = by.organization_id == member.organization_id
    return same and may_give(by, member.role)


def roles_to_give(by: Membership) -> list[Role]:
    return [role for role in Role if may_give(by, role)]


def locked(organization_id: uuid.UUID) -> Organization:
    """Locked, so that of two changes each sees what the other has done."""
    rows = Organization.objects.select_for_update(no_key=True)
    return rows.get(pk=organization_id)


def join(organization: Organization, user: User, role: str) -> Membership:
    """A member keeps the role they have. The organization is locked."""
    rows = Membership.objects.for_organization(organization)
    already = rows.filter(user=user).first()
    if already is not None:
        return already
    return Membership.objects.create(organization=organization, user=user, role=role)


@transaction.atomic
def change_role(by: Membership, member: Membership, role: str) -> bool:
    """False where it was the role already. Raises PermissionDenied, ValidationError."""
    organization = locked(by.organization_id)
    by, member = as_now(by), as_now(member)
    if not (may_handle(by, member) and may_give(by, role)):
        raise PermissionDenied
    if member.role == role:
        return False
    if role != Role.OWNER:
        _keep_an_owner(member)
    member.role = role
    member.save(update_fields=["role"])
    generation.changed(organization)
    return True


@transaction.atomic
def remove(by: Membership, member: Membership) -> None:
    """Ends the membership with all it carries; `by` may be the member.

    Records, decisions and requests stay, with the member's name.
    Raises PermissionDenied, ValidationError.
    """
    organization = locked(by.organization_id)
    by, member = as_now(by), as_now(member)
    if by.pk != member.pk and not may_handle(by, member):
        raise PermissionDenied
    _keep_an_owner(member)
    # First: from here on nobody mints anything for this member.
    member.left_at = timezone.now()
    member.save(update_fields=["left_at"])
    leaving.end(member)
    generation.changed(organization)


def as_now(member: Membership) -> Membership:
    """Roles may have changed since the request began."""
    rows = Membership.objects.for_organization(member.organization_id)
    found = rows.filter(pk=member.pk).select_related("user", "organization").first()
    if found is None:
        raise PermissionDenied
    return found


def is_last_owner(member: Membership) -> bool:
    owners = Membership.objects.for_organization(member.organization_id)
    others = owners.filter(role=Role.OWNER).exclude(pk=member.pk)
    return member.role == Role.OWNER and not others.exists()


def _keep_an_owner(member: Membership) -> None:
    if is_last_owner(member):
        raise ValidationError(LAST_OWNER)
