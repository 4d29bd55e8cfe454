"""Mailing what visitors wrote to the operator, each message once.

A row is locked while its mail is handed over, so other workers pass it by, and marked
once the mail server has taken it. Where the server does not, or the worker dies, it
waits as before. Of a worker that dies right after handing it over the mail comes twice,
under one Message-ID. The beat comes by every ten seconds, and the page itself never
waits for a broker.
"""

from __future__ import annotations

import logging
from email.utils import parseaddr
from smtplib import SMTPException
from textwrap import indent

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from accounts.templatetags.ui import visible
from catalog.models import Message

log = logging.getLogger(__name__)

TASK, MOST_AT_ONCE = "catalog.mail_messages", 50
SUBJECT = "A message from the contact form"


def mail_waiting() -> int:
    """How many were mailed. Ends at the first that the mail server does not take."""
    if not settings.OPERATOR_EMAIL:
        return 0
    sent = 0
    try:
        while sent < MOST_AT_ONCE and mail_next():
            sent += 1
    except (SMTPException, OSError) as error:
        log.warning("a message was not mailed: %r", error)
    return sent


@transaction.atomic
def mail_next() -> bool:
    """False where nothing waits that another worker does not mail already. Raises what
    the mail server's refusal raises; the message waits on then."""
    waiting = Message.objects.filter(mailed_at=None).order_by("pk")
    row = waiting.select_for_update(skip_locked=True).first()
    if row is None:
        return False
    mail(row).send()
    row.mailed_at = timezone.now()
    row.save(update_fields=["mailed_at"])
    return True


def mail(row: Message) -> EmailMessage:
    """Nothing that a stranger wrote stands in a header but the address to answer to,
    which the form has checked and the mail library refuses to break a line with."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return EmailMessage(
        SUBJECT,
        body(row),
        to=[settings.OPERATOR_EMAIL],
        reply_to=[row.email],
        headers={
            "Message-ID": f"<contact-{row.pk}@{domain or 'localhost'}>",
            "Auto-Submitted": "auto-generated",
        },
    )


def body(row: Message) -> str:
    page = f"{settings.BASE_URL}{row.page}" if row.page else "not known"
    return "\n".join(
        (
            f"From: {_line(row.name) or 'no name'} ({_line(row.email)})",
            f"Page: {_line(page)}",
            f"Sent: {row.created_at:%Y-%m-%d %H:%M} UTC",
            "",
            # Indented, so that no line of theirs looks like one of these.
            indent(visible(row.text.replace("\r\n", "\n")), "    ", lambda line: True),
            "",
            "Whoever wrote this has not shown that the address is theirs.",
            "",
        )
    )


def _line(text: str) -> str:
    return visible(" ".join(text.split()))
