"""The mail of an invitation: text and HTML, one link, nothing loaded.

The organization's name is chosen by whoever invites, and so is any text to a stranger:
it stays on its line, what is invisible in it is shown, and nothing in it becomes a
link. The subject has no name at all.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime
from smtplib import SMTPException
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.forms import UTC
from accounts.invitations import Sent
from accounts.models import Invitation
from accounts.templatetags.ui import visible

log = logging.getLogger(__name__)

# Where mail programs find an address of the web or of mail in a text.
LINKS = re.compile(r"[.:/@](?=\S)")
WORD_JOINER = "\u2060"
AUTOMATIC = {"Auto-Submitted": "auto-generated"}


class NotSent(Exception):
    """The mail server did not take it; the invitation stands."""


def send(sent: Sent) -> None:
    """Raises NotSent."""
    try:
        message(sent).send()
    except (OSError, SMTPException) as error:
        raise NotSent(repr(error)) from error


def message(sent: Sent) -> EmailMultiAlternatives:
    invitation = sent.invitation
    context = {
        "link": settings.BASE_URL + reverse("accounts:invitation", args=[sent.token]),
        "inviter": inert(_inviter(invitation)),
        "organization": inert(invitation.organization.name),
        "role": invitation.get_role_display(),
        "until": _said(invitation.expires_at, invitation.organization.zone),
        "base_url": settings.BASE_URL,
    }
    subject = render_to_string("emails/invitation.subject.txt", context)
    mail = EmailMultiAlternatives(
        " ".join(subject.split()),
        render_to_string("emails/invitation.txt", context),
        to=[invitation.email],
        headers=AUTOMATIC,
    )
    html = render_to_string("emails/invitation.html", context)
    mail.attach_alternative(html, "text/html")
    return mail


def inert(text: str) -> str:
    shown = visible(" ".join(text.split()))
    return LINKS.sub(lambda found: found[0] + WORD_JOINER, shown)


def _inviter(invitation: Invitation) -> str:
    return invitation.invited_by.email if invitation.invited_by else "An admin"


def _said(moment: datetime, zone: str) -> str:
    """`Saturday, 28 November 2026, 13:31 (Europe/Paris)`"""
    local = moment.astimezone(ZoneInfo(zone))
    place = "UTC" if zone == UTC else zone
    return f"{local:%A}, {local.day} {local:%B %Y, %H:%M} ({place})"
