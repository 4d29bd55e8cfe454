"""The mail of definitions that became more severe: one link, nothing loaded."""

from __future__ import annotations

import logging
import time
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.invitation_mail import AUTOMATIC, inert
from servers import drift_notices
from servers.models import DriftNotice

log = logging.getLogger(__name__)

TURN_SECONDS = 10.0
MOST_SHOWN, LONGEST_NAME = 50, 200


def deliver_due() -> int:
    """Sends until nothing is due or the turn is over; how many mails were sent."""
    over, count = time.monotonic() + TURN_SECONDS, 0
    connection = get_connection()
    try:
        while time.monotonic() < over and (row := drift_notices.take(timezone.now())):
            count += _send(row, connection)
    finally:
        connection.close()
    return count


def message(row: DriftNotice, connection: Any = None) -> EmailMultiAlternatives:
    held = any(tool["held"] for tool in row.tools)
    place = reverse("servers:detail", args=[row.server.public_id])
    context = {
        "organization": inert(row.organization.name),
        "server": inert(row.server.name),
        "tools": [
            tool | {"name": inert(tool["name"][:LONGEST_NAME])}
            for tool in row.tools[:MOST_SHOWN]
        ],
        "count": len(row.tools),
        "more": max(0, len(row.tools) - MOST_SHOWN),
        "held": held,
        "link": f"{settings.BASE_URL}{place}?state={'held' if held else 'changed'}",
        "base_url": settings.BASE_URL,
    }
    subject = render_to_string("emails/drift.subject.txt", context)
    mail = EmailMultiAlternatives(
        " ".join(subject.split()),
        render_to_string("emails/drift.txt", context),
        to=[row.user.email],
        headers=AUTOMATIC,
        connection=connection,
    )
    html = render_to_string("emails/drift.html", context)
    mail.attach_alternative(html, "text/html")
    return mail


def _send(row: DriftNotice, connection: Any) -> bool:
    """False where it was not sent, which its row says."""
    if not drift_notices.told(row.server).filter(user=row.user).exists():
        drift_notices.drop(row, "They may not accept definitions any more.")
        return False
    try:
        connection.open()
        connection.send_messages([message(row)])
    except (SMTPException, OSError) as error:
        return _failed(row, error)
    except Exception as error:
        # One that cannot be written must not keep the others from going out.
        log.exception("drift mail %s could not be written", row.pk)
        return _failed(row, error)
    drift_notices.sent(row)
    return True


def _failed(row: DriftNotice, error: Exception) -> bool:
    log.warning("drift mail %s was not sent: %r", row.pk, error)
    drift_notices.failed(row, repr(error))
    return False
