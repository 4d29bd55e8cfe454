"""What a model is told of a call that people are asked about.

Each text says what happened, why, and what to do next. The link asks for a sign-in:
whoever holds the text alone can decide nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from approvals.looking import Standing
from gateway.refusals import META, sentence
from policies.decision import Decision

NOT_EXECUTED = "Approval required: not executed."
UNREACHABLE = (
    f"{NOT_EXECUTED} PolicyLayer cannot ask anybody at the moment. Nothing was"
    " executed; try again in a few seconds."
)
NOT_OPENED = (
    "The page was not opened: somebody declined to, or this client cannot open pages."
    " That is no decision: the request still waits."
)


def moment(at: datetime, now: datetime) -> str:
    """A time of the day, and how far away it is."""
    at = at.astimezone(UTC)
    day = "" if at.date() == now.astimezone(UTC).date() else f"{at:%Y-%m-%d} "
    return f"{day}{at:%H:%M:%S} UTC ({left(at, now)} left)"


def left(at: datetime, now: datetime) -> str:
    """Minutes and seconds until then, as `3:40`."""
    seconds = max(0, int((at - now).total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02d}"


def page(base: str, approval: UUID) -> str:
    """Where people decide it; it asks them to sign in."""
    return f"{base}/approvals/{approval}/"


def meta(
    decision: Decision, call: UUID, standing: Standing | None, base: str
) -> dict[str, Any]:
    """Besides what every refusal has, the approval: which, how it stands, where, and
    until when it can be decided or used (RFC 3339)."""
    told = {
        f"{META}decisionId": str(call),
        f"{META}decision": "require_approval",
        f"{META}rule": decision.rule,
    }
    if standing is None or standing.id is None:
        return told
    told[f"{META}approvalId"] = str(standing.id)
    told[f"{META}approvalState"] = standing.kind
    told[f"{META}approvalUrl"] = page(base, standing.id)
    until = {"pending": standing.expires_at, "approved": standing.usable_until}
    if (ends := until.get(standing.kind)) is not None:
        told[f"{META}approvalUntil"] = ends.isoformat()
    return told


def pending(reason: str, waiting_for: str, link: str, until: str) -> str:
    parts = [
        NOT_EXECUTED,
        sentence(reason),
        f"It waits for {waiting_for}, until {until}." if waiting_for else "",
        f"Ask the user to open {link} (it asks to sign in) and have it decided.",
        "Then call again with the same arguments: once approved, that call runs it,"
        " once.",
    ]
    return " ".join(part for part in parts if part)


def please_open(tool: str) -> str:
    """What a person reads before the page is opened."""
    return f"The call of {tool} needs a person's approval. Open its page?"


def denied(reason: str) -> str:
    words = " ".join(
        (
            "Denied by a person: not executed.",
            f"The reason given: {sentence(reason)}" if reason else "",
        )
    )
    return f"{words.strip()} Do not retry it; tell the user."


def ran(at: datetime | None, call: UUID | None) -> str:
    when = f" on {at.astimezone(UTC):%Y-%m-%d at %H:%M:%S} UTC" if at else ""
    which = f" as call {call}" if call else ""
    return (
        f"This call was approved once and was sent to the server{when}{which}: it was"
        " not executed again now. If its result did not arrive, check what it did"
        " before anything else. Calling once more asks for a new approval; do so only"
        " if it is meant to happen a second time."
    )


def too_many(base: str) -> str:
    return (
        f"{NOT_EXECUTED} So many calls of this grant wait for approval already that"
        f" nobody was asked. The user finds them at {base}/approvals/ . Call again"
        " with the same arguments once some of them are decided."
    )


def closed(reason: str) -> str:
    """Nobody can decide it any more: expired, cancelled or void."""
    words = sentence(reason) or "Nobody decided it in time."
    return (
        f"Not approved: not executed. {words} Calling again with the same arguments"
        " asks anew; do so only if it is still wanted."
    )


def over(standing: Standing) -> str:
    """Of one approval that waits for nobody and cannot be used."""
    if standing.kind == "denied":
        return denied(standing.reason)
    if standing.kind == "ran":
        return ran(standing.used_at, standing.used_call)
    if standing.kind == "approved":
        return "It is approved by now: call again with the same arguments to run it."
    return closed(standing.reason)


def void(approval: UUID, why: str) -> str:
    return f"The approval {approval} is void: {sentence(why)}"


def usable(approval: UUID, until: str) -> str:
    return f"The approval {approval} can still be used until {until}."


def waiting(link: str, left: str) -> str:
    """One line of progress."""
    return f"Waiting for approval: {link} ({left} left)"


GONE = "The client that made the call went away."
USED_UP = "The approval is used up: calling again asks for a new one."
GIVEN_BACK = "Its approval can be used again."


def task_waits(waiting_for: str, link: str) -> str:
    return (
        f"Waiting for {waiting_for}. Ask the user to open {link} and have it decided."
    )


UNSEEN = "PolicyLayer cannot look at its approvals at the moment. Try again later."


def still_waits(waiting_for: str, link: str, until: str) -> str:
    return (
        f"Not decided yet: it waits for {waiting_for}, until {until}. The user decides,"
        f" or has it decided, at {link} ."
    )
