"""Words of the pages of approvals: `{% load asked %}`.

{% waiting_count as waiting %}      how many wait in this organization, once a request
{{ state|state_badge }}             word, icon and tone, for the component "badge"
{{ approval|decided_by:votes }}     who approved or denied it
{{ waiver.arguments|likely }}       what a waiver lets differ
{{ approval.expires_at|left }}      "7 min 12 s"
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone

from accounts.templatetags.ui import Badge, visible
from approvals import inbox, standing
from approvals.models import Approval, State, Vote

register = template.Library()

STATES = {
    State.PENDING: Badge("waiting", "waiting", "violet"),
    State.APPROVED: Badge("approved", "approved", "green"),
    State.DENIED: Badge("denied", "denied", "red"),
    State.EXPIRED: Badge("expired", "history", "amber"),
    State.CANCELLED: Badge("cancelled", "close", ""),
    State.VOID: Badge("void", "warning", "amber"),
    State.USED: Badge("run", "check", "green"),
}
WORDS = {"in": "one of", "max": "at most"}
LONGEST = 60


@register.simple_tag(takes_context=True)
def waiting_count(context: template.Context) -> int:
    request = context.get("request")
    return 0 if request is None else standing.seen(request).waiting


@register.filter
def counted(number: int) -> str:
    most = standing.MOST_COUNTED
    return f"{number}" if number < most else f"{most - 1}+"


@register.filter
def state_badge(state: str) -> Badge:
    return STATES[State(state)]


@register.filter
def decided_by(approval: Approval, votes: Iterable[Vote]) -> str:
    """Addresses; only those whose word it was that decided."""
    approves = approval.state != State.DENIED
    said = [vote for vote in votes if vote.approves == approves]
    return ", ".join(vote.email for vote in said) if approval.decided_at else ""


@register.filter
def approving(approval: Approval) -> int:
    return sum(vote.approves for vote in approval.votes.all())


@register.filter
def quorum(approval: Approval) -> int:
    return max((terms["quorum"] for terms in approval.terms), default=1)


@register.filter
def whole(row: Any) -> bool:
    """Whether a list shows all of its arguments."""
    return bool(row.length <= inbox.MOST_INLINE)


@register.filter
def left(until: datetime) -> str:
    """As the script of the page counts on."""
    return spell(until - timezone.now())


@register.filter
def spell(length: timedelta | None) -> str:
    """In its two largest units: `1 h 05 min`, `7 min 12 s`, `3.4 s`."""
    if length is None:
        return "–"
    seconds = max(length.total_seconds(), 0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


@register.filter
def lasting(length: timedelta) -> str:
    """A length that somebody wrote down: `15 min`, `1 h 30 min`, `90 s`."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    if seconds:
        return f"{minutes * 60 + seconds} s"
    hours, minutes = divmod(minutes, 60)
    said = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return " ".join(said)


@register.filter
def dotted(pointer: str) -> str:
    """A JSON Pointer as people write it: `lines[0].price`."""
    steps = (f"[{s}]" if s.isdecimal() else f".{_plain(s)}" for s in _steps(pointer))
    return "".join(steps).removeprefix(".")


def _steps(pointer: str) -> list[str]:
    return pointer.split("/")[1:]


def _plain(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


@register.filter
def likely(predicate: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Argument and what it may be; equality is said last, in one line."""
    found = [
        (dotted(pointer), _allowed(test))
        for pointer, test in predicate.items()
        if "is" not in test
    ]
    same = len(predicate) - len(found)
    if same:
        found.append(
            ("every other argument" if found else "every argument", "as it was")
        )
    return found


def _allowed(test: Mapping[str, Any]) -> str:
    ((kind, value),) = test.items()
    if kind == "any":
        return "anything"
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        text = ", ".join(json.dumps(each, ensure_ascii=False) for each in value)
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return visible(f"{WORDS[kind]} {shown}")
