"""Invitations: somebody becomes a member by a link in a mail.

The link holds 256 random bits, of which the SHA-256 is kept. It works once, for seven
days, unless it is withdrawn; inviting the same address again withdraws the one before.
Whoever comes by it has shown to read that address, as by the link that sets a password:
an account that nobody could sign in to so far (new, or never confirmed) is opened by it
without another mail. Everybody else signs in as that address first.

So that nobody has us send mails to strangers: an organization has so many invitations
open, and an organization, a person and an address have so many a day.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import NamedTuple

from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from accounts import members
from accounts.models import Invitation, Membership, Organization, User
from accounts.tenancy import TenantQuerySet

LIFETIME = timedelta(days=7)
DAY = timedelta(days=1)
OPEN_MOST = 50
A_DAY_MOST, A_DAY_TO_ONE = 100, 5


class Sent(NamedTuple):
    """`token` is nowhere else: what is stored is its hash."""

    invitation: Invitation
    token: str


class Gone(Exception):
    """Used, withdrawn or expired meanwhile."""


@transaction.atomic
def invite(by: Membership, email: str, role: str) -> Sent:
    """The mail is the caller's to send, after the transaction.

    It tells nothing of whether the address has an account.
    Raises PermissionDenied, ValidationError by field.
    """
    organization, email = members.locked(by.organization_id), email.strip().lower()
    by = members.as_now(by)
    _check_right(by, organization, email, role)
    _check_number(by, organization, email)
    pending(organization).filter(email=email).update(withdrawn_at=timezone.now())
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organization=organization,
        email=email,
        role=role,
        token_hash=digest(token),
        invited_by=by.user,
        expires_at=timezone.now() + LIFETIME,
    )
    return Sent(invitation, token)


def withdraw(by: Membership, invitation: Invitation) -> bool:
    """False when it had been used or withdrawn before."""
    if not members.may_give(by, invitation.role):
        raise PermissionDenied
    rows = pending(by.organization).filter(pk=invitation.pk)
    return bool(rows.update(withdrawn_at=timezone.now()))


def find(token: str) -> Invitation | None:
    """The invitation of a link that still works."""
    return (
        Invitation.objects.across_organizations()
        .filter(
            token_hash=digest(token),
            accepted_at=None,
            withdrawn_at=None,
            expires_at__gt=timezone.now(),
        )
        .select_related("organization", "invited_by")
        .first()
    )


@transaction.atomic
def accept(invitation: Invitation, user: User) -> Membership:
    """Raises PermissionDenied for another address, Gone."""
    if user.email.lower() != invitation.email:
        raise PermissionDenied
    now = timezone.now()
    organization = members.locked(invitation.organization_id)
    works = pending(organization).filter(pk=invitation.pk, expires_at__gt=now)
    if not works.update(accepted_at=now):
        raise Gone
    return members.join(organization, user, invitation.role)


@transaction.atomic
def open_account(invitation: Invitation, password: str) -> User:
    """A member with an account of that password. Raises PermissionDenied, Gone."""
    members.locked(invitation.organization_id)
    user = account_of(invitation.email)
    if user is not None and is_claimed(user):
        raise PermissionDenied
    user = user or User.objects.create_user(invitation.email)
    # Also where somebody had chosen one for an address that they could not confirm.
    user.set_password(password)
    user.save(update_fields=["password"])
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )
    accept(invitation, user)
    return user


def account_of(email: str) -> User | None:
    # Exactly: Postgres takes letters for equal that are so to no mail server.
    return User.objects.filter(email=email).first()


def is_claimed(user: User) -> bool:
    """Somebody has shown to read the address, and has set a password; or the account
    was closed, which no mail undoes."""
    verified = EmailAddress.objects.filter(user=user, verified=True)
    opened = user.has_usable_password() and verified.exists()
    return opened or not user.is_active


def pending(organization: Organization) -> TenantQuerySet[Invitation]:
    """Neither used nor withdrawn; expired ones too."""
    rows = Invitation.objects.for_organization(organization)
    return rows.filter(accepted_at=None, withdrawn_at=None)


def digest(token: str) -> bytes:
    """SHA-256: of random bits a slow hash would protect nothing more."""
    return hashlib.sha256(token.encode()).digest()


def _check_right(
    by: Membership, organization: Organization, email: str, role: str
) -> None:
    if not members.may_give(by, role):
        raise PermissionDenied
    replaced = pending(organization).filter(email=email).first()
    if replaced is not None and not members.may_give(by, replaced.role):
        raise ValidationError(
            {"email": "An owner has invited this address already: leave it to them."}
        )
    rows = Membership.objects.for_organization(organization)
    if rows.filter(user__email=email).exists():
        raise ValidationError({"email": "This address is a member already."})


def _check_number(by: Membership, organization: Organization, email: str) -> None:
    now = timezone.now()
    today = Invitation.objects.across_organizations().filter(created_at__gt=now - DAY)
    mine = today.filter(organization=organization)
    waiting = pending(organization).filter(expires_at__gt=now)
    if waiting.exclude(email=email).count() >= OPEN_MOST:
        raise ValidationError(
            f"{OPEN_MOST} invitations are open: withdraw some, or wait for answers."
        )
    if mine.filter(email=email).count() >= A_DAY_TO_ONE:
        raise ValidationError(
            {"email": f"This address had {A_DAY_TO_ONE} invitations within a day."}
        )
    if max(mine.count(), today.filter(invited_by=by.user).count()) >= A_DAY_MOST:
        raise ValidationError(
            f"{A_DAY_MOST} invitations were sent within a day: go on tomorrow."
        )
