"""What a model reads of a call that people are asked about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from approvals.looking import NONE, Kind
from gateway import approval_texts
from policies.decision import Decision
from tests.cases import cases

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
ID, CALL = UUID(int=1), UUID(int=2)
BASE = "https://gw.example"


@cases(
    "away, said",
    [
        (timedelta(minutes=3, seconds=40), "10:03:40 UTC (3:40 left)"),
        (timedelta(hours=20), "2026-11-22 06:00:00 UTC (1200:00 left)"),
        (timedelta(seconds=-5), "09:59:55 UTC (0:00 left)"),
    ],
)
def test_a_time_says_how_far_away_it_is(away: timedelta, said: str) -> None:
    assert approval_texts.moment(NOW + away, NOW) == said


def test_a_reason_without_a_full_stop_gets_one() -> None:
    words = approval_texts.pending("Moves money", "an admin of Acme", "LINK", "10:03")
    assert "not executed. Moves money. It waits for an admin of Acme, until" in words
    assert "Ask the user to open LINK " in words


KINDS: dict[Kind, str] = {
    "denied": "Do not retry",
    "ran": "was not executed again",
    "approved": "call again with the same arguments",
    "none": "Nobody decided it in time",
}


@cases("kind", KINDS)
def test_every_end_says_what_to_do(kind: Kind) -> None:
    assert KINDS[kind] in approval_texts.over(NONE._replace(kind=kind))


def test_the_meta_says_where_and_until_when() -> None:
    decision = Decision("require_approval", "/tools/pay/action", None)
    standing = NONE._replace(kind="pending", id=ID, expires_at=NOW)

    told = approval_texts.meta(decision, CALL, standing, BASE)

    assert {key.partition("/")[2]: value for key, value in told.items()} == {
        "decisionId": str(CALL),
        "decision": "require_approval",
        "rule": "/tools/pay/action",
        "approvalId": str(ID),
        "approvalState": "pending",
        "approvalUrl": f"{BASE}/approvals/{ID}/",
        "approvalUntil": "2026-11-21T10:00:00+00:00",
    }
    assert len(approval_texts.meta(decision, CALL, None, BASE)) == 3
