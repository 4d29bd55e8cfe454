"""What hooks are told: the signed JSON, and the message for Slack and its likes.

Slack's has no values of arguments: a channel has more readers than a request.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.conf import settings

from accounts.models import Organization
from approvals.models import Approval, Hook, Vote
from approvals.redaction import Redacted
from servers.definitions import printable

TEST = "test"
HEADLINES = {
    "requested": "A call waits for approval",
    "reminder": "A call still waits for approval: half of its time is over",
    "escalated": "A call still waits for approval: a quarter of its time is left",
    "approved": "Approved",
    "denied": "Denied",
    "expired": "Expired: nobody decided in time",
    "cancelled": "Withdrawn",
    "void": "The approval is void",
    "used": "The approved call was sent",
    TEST: "A test message from PolicyLayer",
}
# Slack refuses a section of more than 3,000 characters.
LONGEST_NAME, LONGEST_REASON = 200, 1000


def name_of(event: str) -> str:
    return event if event == TEST else f"approval.{event}"


def link(approval: Approval) -> str:
    return f"{settings.BASE_URL}/approvals/{approval.pk}/"


class About(NamedTuple):
    """What a message tells. The approval comes with its grant, server, requester."""

    approval: Approval
    votes: Sequence[Vote]
    arguments: Redacted


def text_of(
    hook: Hook, event: str, delivery_id: UUID, at: datetime, about: About | None = None
) -> str:
    """The body to send."""
    if hook.format == Hook.Format.SLACK:
        message = _slack(event, hook.organization, about and about.approval)
    else:
        message = {
            "event": name_of(event),
            "id": str(delivery_id),
            "time": at.isoformat(),
            "organization": _organization(hook.organization),
        }
        if about is not None:
            message["approval"] = _approval(*about)
    return orjson.dumps(message).decode()


def _organization(organization: Organization) -> dict[str, str]:
    return {
        "id": str(organization.pk),
        "slug": organization.slug,
        "name": organization.name,
    }


def _approval(
    approval: Approval, votes: Sequence[Vote], arguments: Redacted
) -> dict[str, Any]:
    grant, server = approval.grant, approval.server
    return {
        "id": str(approval.pk),
        "state": approval.state,
        "method": approval.method,
        "name": approval.name,
        "server": {"id": server.public_id, "name": server.name},
        "grant": {"id": str(grant.pk), "label": grant.label},
        "requester": approval.requester.user.email,
        "client": approval.client,
        "severity": approval.severity,
        "category": approval.category,
        "critical": approval.critical,
        "rules": approval.rules,
        "arguments": [row._asdict() for row in arguments.rows],
        "arguments_left_out": arguments.left_out,
        "arguments_digest": approval.arguments_digest,
        "reason": approval.reason,
        "votes": [_vote(vote) for vote in votes],
        "created_at": approval.created_at.isoformat(),
        "expires_at": approval.expires_at.isoformat(),
        "url": link(approval),
    }


def _vote(vote: Vote) -> dict[str, str]:
    return {
        "by": vote.email,
        "decision": "approve" if vote.approves else "deny",
        "reason": vote.reason,
        "at": vote.at.isoformat(),
    }


def _slack(
    event: str, organization: Organization, approval: Approval | None
) -> dict[str, Any]:
    headline = HEADLINES[event]
    if approval is None:
        told = f"*{headline}* for {_inert(organization.name)}"
        return {"text": told, "blocks": [_section(told)]}
    what = f"{_code(approval.name)} on {_inert(approval.server.name)}"
    facts = [
        f"*{headline}*: {what}",
        f"Severity: {approval.severity or 'not set'}",
        f"Asked by {_inert(approval.requester.user.email)}"
        f" with {_inert(approval.grant.label)}",
        *_reasons(approval),
    ]
    blocks = [_section("\n".join(facts)), _button(link(approval))]
    return {"text": f"{headline}: {what}", "blocks": blocks}


def _reasons(approval: Approval) -> list[str]:
    said = [rule["reason"] for rule in approval.rules if rule.get("reason")]
    words = [f"Rule: {each}" for each in said]
    if approval.reason:
        words.append(f"Reason: {approval.reason}")
    return [_inert(each, LONGEST_REASON) for each in words][:2]


def _section(text: str) -> dict[str, Any]:
    # verbatim: neither addresses nor @names in it become links or calls to people
    return {
        "type": "section",
        "text": {"type": "mrkdwn", "text": text, "verbatim": True},
    }


def _button(url: str) -> dict[str, Any]:
    words = {"type": "plain_text", "text": "Review request"}
    return {
        "type": "actions",
        "elements": [{"type": "button", "text": words, "url": url}],
    }


def _inert(text: str, longest: int = LONGEST_NAME) -> str:
    """Text that stays text: Slack's three control characters as entities; a word
    joiner where its likes would see a link, a mention or markup.
    """
    plain = _entities(_line(text, longest))
    for char in "@[]*_~`":
        plain = plain.replace(char, f"\u2060{char}\u2060")
    return plain.replace("://", ":\u2060//")


def _code(text: str) -> str:
    """In code only the backtick ends it, and the control characters count."""
    return f"`{_entities(_line(text, LONGEST_NAME)).replace('`', chr(39))}`"


def _line(text: str, longest: int) -> str:
    line = printable(text, len(text))
    return line if len(line) <= longest else f"{line[:longest]}…"


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
