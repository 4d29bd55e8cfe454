"""When a page was opened, carried by its forms.

A page that is looked at writes nothing down. The time travels with the form instead,
signed for its reader; whoever takes the field out is not measured, and cannot lie.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.core import signing
from django.utils import timezone

from accounts.models import User
from approvals.models import Approval

SALT = "approvals.opened"
LONGEST = 24 * 3600


def sealed(user: User) -> str:
    """The field's value for a page that is opened now."""
    return signing.dumps([user.pk, timezone.now().timestamp()], salt=SALT)


def kept(text: str, user: User) -> str:
    """The value as it is, for a page that is only looked at again; else a new one."""
    return sealed(user) if _moment(text, user) is None else text


def opened(text: str, user: User, approval: Approval) -> datetime | None:
    """None where it is not ours, somebody else's, or older than a day.

    A list shows a request only from when it was made.
    """
    moment = _moment(text, user)
    return None if moment is None else max(moment, approval.created_at)


def _moment(text: str, user: User) -> datetime | None:
    try:
        who, at = signing.loads(text, salt=SALT, max_age=LONGEST)
    except signing.BadSignature:
        return None
    return datetime.fromtimestamp(at, UTC) if who == user.pk else None
