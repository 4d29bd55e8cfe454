"""The link in a mail: it names one notice, and so one recipient and one request.

    /approvals/link/<notice id>.<nonce>:<time>:<signature>/

It opens nothing by itself: who follows it signs in, and must be the recipient. Reading
it changes nothing. The nonce follows from the notice's id and the secret key, so that a
mail that goes out a second time, as after a killed worker, carries a nonce that holds;
the row keeps its SHA-256, and a row without it has no link.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from typing import Any

from django.core.signing import BadSignature, TimestampSigner
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.crypto import salted_hmac

from accounts.models import User
from approvals.models import Approval, Notice, State

SALT = "approvals.link"
NONCE_SALT = "approvals.link.nonce"
NONCE_DIGITS = 32
LOADED = ("user", "nonce_hash", "approval__state", "approval__expires_at")


class LinkRefused(Exception):
    """The link leads nowhere for this person."""


class NotOurs(LinkRefused):
    """Not made here, changed, or of a notice that has no link any more."""


class NotYours(LinkRefused):
    """Sent to somebody else."""


class Expired(LinkRefused):
    """The request's time is over; its page has `approval`, with the usual rights."""

    def __init__(self, approval: Approval) -> None:
        super().__init__("the request has expired")
        self.approval = approval


def make(notice: Notice) -> tuple[str, bytes]:
    """The path of the link, and the SHA-256 that `nonce_hash` must hold for it."""
    nonce = _nonce(notice.pk)
    signed = _signer().sign(f"{notice.pk.hex}.{nonce}")
    return reverse("approvals:link", args=[signed]), digest(nonce)


def nonce_hash(notice_id: uuid.UUID) -> bytes:
    return digest(_nonce(notice_id))


def open(signed: str, user: User) -> Approval:
    """The request that the link of this person is about, whatever became of it.

    Raises NotOurs, NotYours, and Expired once the time to decide is over.
    """
    notice = _notice(signed)
    if notice.user_id != user.pk:
        raise NotYours
    approval: Approval = notice.approval
    if approval.state == State.EXPIRED or approval.expires_at <= notice.now:
        raise Expired(approval)
    return approval


def digest(nonce: str) -> bytes:
    return hashlib.sha256(nonce.encode()).digest()


def _notice(signed: str) -> Any:
    """With `now`, by the clock of the database, and of the request what is asked here:
    its arguments may be long."""
    try:
        name, _, nonce = _signer().unsign(signed).partition(".")
        key = uuid.UUID(hex=name)
    except (BadSignature, ValueError):
        raise NotOurs from None
    rows = Notice.objects.across_organizations().exclude(approval=None)
    notice: Any = (
        (rows.filter(pk=key).select_related("approval").only(*LOADED))
        .annotate(now=Now())
        .first()
    )
    if notice is None or not notice.nonce_hash:
        raise NotOurs
    if not hmac.compare_digest(bytes(notice.nonce_hash), digest(nonce)):
        raise NotOurs
    return notice


def _nonce(notice_id: uuid.UUID) -> str:
    mac = salted_hmac(NONCE_SALT, notice_id.bytes, algorithm="sha256")
    return mac.hexdigest()[:NONCE_DIGITS]


def _signer() -> TimestampSigner:
    return TimestampSigner(salt=SALT)
