"""Mailing what visitors wrote to the operator, each message once.

A row is claimed by a conditional UPDATE before its mail is handed over, and released
where the mail server did not take it; the beat comes by every ten seconds, and the page
itself never waits for a broker. A worker that dies between the two leaves a message
that nobody is mailed: it is kept, and listed by `manage.py catalog_messages`.
"""

from __future__ import annotations

import logging
from email.utils import parseaddr
from smtplib import SMTPException
from textwrap import indent

from django.conf import settings
from django.core.mail import EmailMessage
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
    rows = Message.objects.filter(mailed_at=None).order_by("pk")
    sent = 0
    for row in rows[:MOST_AT_ONCE]:
        if not claim(row):
            continue
        try:
            mail(row).send()
        except (SMTPException, OSError) as error:
            release(row)
            log.warning("message %s was not mailed: %r", row.pk, error)
            break
        sent += 1
    return sent


def claim(row: Message) -> bool:
    """True for one of all who try."""
    waiting = Message.objects.filter(pk=row.pk, mailed_at=None)
    return waiting.update(mailed_at=timezone.now()) == 1


def release(row: Message) -> None:
    Message.objects.filter(pk=row.pk).update(mailed_at=None)


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
