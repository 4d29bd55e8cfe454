"""Tokens of members for the REST API: `plm_<40 base62>`, 238 random bits.

A token can do what its member may do at that moment, and of that only what its scopes
name. What is stored is its SHA-256: a slow hash would add nothing to random bits.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.forms import printable
from accounts.models import ApiToken, Membership, Role
from accounts.tenancy import TenantQuerySet

READ, DECIDE = "approvals:read", "approvals:decide"
SCOPES = {
    READ: "Read approval requests",
    DECIDE: "Decide approval requests, but never critical ones or those of own grants",
}
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SHAPE = re.compile(r"plm_[0-9A-Za-z]{40}")
PREFIX_LENGTH = 12
LABEL_LENGTH = 100
# Of one member, at a time.
MOST = 50
USED_EVERY = timedelta(minutes=1)


class Minted(NamedTuple):
    """`token` is nowhere else: what is stored is its hash."""

    row: ApiToken
    token: str


@transaction.atomic
def mint(
    by: Membership,
    label: str,
    scopes: Collection[str],
    expires_at: datetime | None,
    fresh: bool,
) -> Minted:
    """A token of one's own; what is refused is a ValidationError by field.

    `fresh`: signed in within five minutes, without which nobody gets `DECIDE`.
    """
    if not by.hold():
        raise PermissionDenied
    _check_label(by, label)
    _check_scopes(by, scopes, fresh)
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError({"expires_at": "This moment has passed."})
    if standing(by).count() >= MOST:
        raise ValidationError(f"You have {MOST} tokens: revoke one of them first.")
    token = "plm_" + "".join(secrets.choice(ALPHABET) for _ in range(40))
    row = ApiToken(
        organization=by.organization,
        membership=by,
        label=label,
        scopes=[scope for scope in SCOPES if scope in scopes],
        token_hash=digest(token),
        token_prefix=token[:PREFIX_LENGTH],
        expires_at=expires_at,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        # The check above has lost a race; any other cause is a fault of ours.
        _check_label(by, label)
        raise
    return Minted(row, token)


def find(token: str) -> ApiToken | None:
    """The row of a token that holds, with its member; its use is noted."""
    if SHAPE.fullmatch(token) is None:
        return None
    row = (
        _standing(ApiToken.objects.across_organizations())
        .filter(
            token_hash=digest(token),
            membership__left_at=None,
            membership__user__is_active=True,
        )
        .select_related("membership__user", "membership__organization")
        .first()
    )
    if row is not None:
        _note_use(row)
    return row


def allows(row: ApiToken, scope: str) -> bool:
    """Whether the token may do this now; a scope alone is no right."""
    if scope not in row.scopes:
        return False
    return scope != DECIDE or may_decide(row.membership)


def may_decide(member: Membership) -> bool:
    """Whether tokens of this member can decide at all."""
    return member.at_least(Role.APPROVER) and member.organization.api_decisions


def may_revoke(by: Membership, row: ApiToken) -> bool:
    return by.at_least(Role.ADMIN) or row.membership_id == by.pk


def revoke(by: Membership, row: ApiToken) -> bool:
    """Ends the token for good; False when it had ended before."""
    if not may_revoke(by, row):
        raise PermissionDenied
    return bool(
        ApiToken.objects.for_organization(by.organization_id)
        .filter(pk=row.pk, revoked_at=None)
        .update(revoked_at=timezone.now())
    )


def standing(member: Membership) -> TenantQuerySet[ApiToken]:
    """The tokens of a member that hold."""
    rows = ApiToken.objects.for_organization(member.organization_id)
    return _standing(rows).filter(membership=member)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _standing(rows: TenantQuerySet[ApiToken]) -> TenantQuerySet[ApiToken]:
    lasting = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return rows.filter(lasting, revoked_at=None)


def _note_use(row: ApiToken) -> None:
    """At most once a minute: a busy token is not a write with every request."""
    now = timezone.now()
    rows = ApiToken.objects.for_organization(row.organization_id)
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USED_EVERY)
    if row.last_used_at is None or row.last_used_at <= now - USED_EVERY:
        rows.filter(stale, pk=row.pk).update(last_used_at=now)


def _check_label(by: Membership, label: str) -> None:
    if not label or label != label.strip() or len(label) > LABEL_LENGTH:
        raise ValidationError(
            {"label": f"Give a label of at most {LABEL_LENGTH} characters."}
        )
    try:
        printable(label)
    except ValidationError as error:
        raise ValidationError({"label": error}) from None
    rows = ApiToken.objects.for_organization(by.organization_id)
    if rows.filter(membership=by, label=label).exists():
        raise ValidationError(
            {"label": "A token of yours has this label, perhaps a revoked one."}
        )


def _check_scopes(by: Membership, scopes: Collection[str], fresh: bool) -> None:
    if not scopes or not set(scopes) <= set(SCOPES):
        raise ValidationError({"scopes": "Choose what the token may do."})
    if DECIDE not in scopes:
        return
    if not by.at_least(Role.APPROVER):
        raise ValidationError({"scopes": "Your role does not decide requests."})
    if not by.organization.api_decisions:
        raise ValidationError(
            {"scopes": "This organization takes no decisions over the API."}
        )
    if not fresh:
        raise ValidationError(
            {"scopes": "Sign in again: this right needs a fresh sign-in."}
        )
