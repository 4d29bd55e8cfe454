"""Mails of approvals: text and HTML, without images, tracking or anything loaded.

There is one link in each part, the same, and it only leads to the request: no mail can
approve or deny. The subject names tool and server, and no value of the call.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import User
from accounts.secret_looks import looks_secret
from approvals import clock, links
from approvals.called_tool import TOOL, input_schema
from approvals.mail_words import clock_time, counted, line, short, time_left
from approvals.models import Approval, BreakGlass, Kind, Notice, Vote
from approvals.notices import Letter
from approvals.redaction import Redacted, redact
from approvals.wording import waiting_for

WHAT = {
    TOOL: "tool",
    "prompts/get": "prompt",
    "resources/read": "resource",
    "resources/subscribe": "resource",
}
# What the subject begins with, and the first line of the mail.
HEADLINES = {
    Kind.REQUEST: ("Approval needed", "A call waits for your approval"),
    Kind.REMINDER: (
        "Reminder: approval needed",
        "A call still waits for your approval; half of its time is over",
    ),
    Kind.ESCALATION: (
        "Escalation: approval needed",
        "A call has waited for three quarters of its time, and nobody has decided",
    ),
}
NO_NAME = "(a name that looks like a secret; the request's page shows it)"


@dataclass(frozen=True)
class Shown:
    """One request as a mail tells it; every text is inert already."""

    link: str
    subject: str
    headline: str
    what: str
    name: str
    short_name: str
    server: str
    short_server: str
    asker: str
    grant: str
    client: str
    severity: str
    category: str
    rules: list[tuple[str, str]]
    arguments: Redacted
    expires: str
    left: str
    needed: str


def message(letter: Letter, connection: Any = None) -> EmailMultiAlternatives:
    """Ready to be sent; the same letter has the same Message-ID each time."""
    template, context = _content(letter, clock.now())
    context |= {
        "organization": line(letter.to.organization.name),
        "short_organization": short(letter.to.organization.name),
    }
    subject = render_to_string(f"emails/approvals_{template}.subject.txt", context)
    mail = EmailMultiAlternatives(
        " ".join(subject.split()),
        render_to_string(f"emails/approvals_{template}.txt", context),
        to=[letter.to.user.email],
        headers=_headers(letter),
        connection=connection,
    )
    html = render_to_string(f"emails/approvals_{template}.html", context)
    mail.attach_alternative(html, "text/html")
    return mail


def _headers(letter: Letter) -> dict[str, str]:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    headers = {
        "Message-ID": f"<{letter.id.hex}@{domain or 'localhost'}>",
        "Auto-Submitted": "auto-generated",
    }
    subjects = {each.approval_id for each in letter.notices}
    if len(subjects) == 1 and (subject := subjects.pop()):
        # Reminders are shown below the request.
        headers["References"] = f"<{subject.hex}@{domain or 'localhost'}>"
    return headers


def _content(letter: Letter, now: datetime) -> tuple[str, dict[str, Any]]:
    """Name of the templates and what they are given."""
    first = letter.notices[0]
    if first.opening is not None:
        return "opening", {"opening": _opening(first.opening, now)}
    latest = {each.approval_id: each for each in letter.notices}
    if len(latest) > 1:
        return "digest", {"requests": [shown(each, now) for each in latest.values()]}
    return "request", {"request": shown(latest.popitem()[1], now)}


def shown(notice: Notice, now: datetime) -> Shown:
    approval: Any = notice.approval
    rules = approval.rules
    subject, headline = HEADLINES[Kind(notice.kind)]
    zone = approval.organization.zone
    return Shown(
        link=settings.BASE_URL + links.make(notice)[0],
        subject=subject,
        headline=headline,
        what=WHAT.get(approval.method, "call"),
        name=_name(approval),
        short_name=_short_name(approval),
        server=line(approval.server.name),
        short_server=short(approval.server.name),
        asker=_person(approval.requester.user),
        grant=line(approval.grant.label),
        client=line(approval.client),
        severity=_severity(approval),
        category=approval.category,
        rules=[(line(each["reason"] or ""), line(each["rule"])) for each in rules],
        arguments=_arguments(approval),
        expires=clock_time(approval.expires_at, now, zone),
        left=time_left(approval.expires_at, now),
        needed=_needed(approval),
    )


def _person(user: User) -> str:
    email = line(user.email)
    return f"{line(user.name)} ({email})" if user.name else email


def _name(approval: Approval) -> str:
    return NO_NAME if looks_secret(approval.name) else line(approval.name, 1000)


def _short_name(approval: Approval) -> str:
    """A resource's address is a value: it has no place in a subject."""
    if approval.method != TOOL or looks_secret(approval.name):
        return f"a {WHAT.get(approval.method, 'call')}"
    return short(approval.name)


def _severity(approval: Approval) -> str:
    named = str(approval.severity)
    if not approval.critical or named == "critical":
        return named or "not set"
    return f"{named or 'not set'}, confirmed by nobody: counts as critical"


def _needed(approval: Approval) -> str:
    """Whose word it takes, where that is more than one person's."""
    if all(each["quorum"] == 1 for each in approval.terms):
        return ""
    votes = Vote.objects.for_organization(approval.organization_id)
    given = votes.filter(approval=approval, approves=True).count()
    so_far = f"; {counted(given, 'approval')} so far" if given else ""
    return line(waiting_for(approval)) + so_far


def _arguments(approval: Approval) -> Redacted:
    """With names and values made inert."""
    found = redact(
        json.loads(approval.arguments or "{}"),
        input_schema(approval),
        approval.organization.redacted_keys,
    )
    rows = tuple(
        row._replace(path=line(row.path, 300), shown=line(row.shown, 300))
        for row in found.rows
    )
    return found._replace(rows=() if approval.arguments in {"", "{}"} else rows)


def _opening(opening: BreakGlass, now: datetime) -> dict[str, str]:
    zone = opening.organization.zone
    return {
        "by": line(opening.by_email),
        "tool": line(opening.tool, 1000),
        "short_tool": short(opening.tool),
        "server": line(opening.grant.server.name),
        "grant": line(opening.grant.label),
        "reason": line(opening.reason, 1000),
        "from": clock_time(opening.created_at, now, zone),
        "until": clock_time(opening.expires_at, now, zone),
        "link": settings.BASE_URL + reverse("approvals:emergency"),
    }
