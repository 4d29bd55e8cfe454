"""`manage.py activity`: records as JSON lines."""

from __future__ import annotations

import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Organization
from audit import moments
from audit.ids import first_id
from audit.management.commands import activity as command
from policies.decision import Decision, Judgement, Side
from tests.audit.recording import ROOT, Gateway, environment, recorder

pytestmark = pytest.mark.django_db(transaction=True)


def lines(*options: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "manage.py", "activity", "--organization", "acme", *options],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    return [orjson.loads(line) for line in done.stdout.splitlines()]


def at(ago: timedelta) -> uuid.UUID:
    return uuid.UUID(int=first_id(timezone.now() - ago).int | 7 << 76)


def test_lines_oldest_first_and_only_of_the_organization(
    valkey: Any, acme: Organization, other: Organization
) -> None:
    gateway = Gateway(valkey, acme)
    denied = Judgement(Side(decided=Decision("deny", "/tools/x/action", "No.")))
    with recorder():
        old = gateway.call(id=at(timedelta(minutes=30)), judgement=denied, mode="peek")
        new = gateway.call()
        gateway.outcome(new, milliseconds=3.5)
        Gateway(valkey, other).call()
        # Nobody waited for the recorder: the command does.
        found = lines()
    assert [line["id"] for line in found] == [str(old), str(new)]
    first, second = found
    assert list(first)[:10] == [
        *("id", "time", "grant", "server", "method", "tool"),
        *("decision", "rule", "outcome", "duration_ms"),
    ]
    assert (first["decision"], first["rule"]) == ("deny", "/tools/x/action")
    assert (second["grant"], second["server"]) == ("support-bot", "payments")
    assert (second["method"], second["tool"]) == ("tools/call", "create_refund")
    assert (second["outcome"], second["duration_ms"]) == ("ok", 3.5)
    assert second["time"].endswith("+00:00")
    since = (timezone.now() - timedelta(minutes=10)).isoformat()
    assert [line["id"] for line in lines("--since", since)] == [str(new)]


def test_without_a_recorder_it_says_that_calls_wait(
    valkey: Any, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PATIENCE", 0.1)
    Gateway(valkey, acme).call()
    said = StringIO()
    call_command("activity", organization="acme", stderr=said)
    assert "is the recorder running" in said.getvalue()


def test_without_valkey_it_prints_what_is_recorded(
    acme: Organization, settings: Any
) -> None:
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    said = StringIO()
    call_command("activity", organization="acme", stderr=said)
    assert "are not seen" in said.getvalue()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"organization": "nobody"}, "no organization"),
        ({"organization": "acme", "since": "yesterday"}, "is no time"),
    ],
)
def test_errors_are_told(
    acme: Organization, options: dict[str, str], said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("activity", **options)


NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10m", datetime(2026, 11, 21, 11, 50, tzinfo=UTC)),
        ("2h", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("7d", datetime(2026, 11, 14, 12, tzinfo=UTC)),
        ("2026-11-21", datetime(2026, 11, 20, 23, tzinfo=UTC)),
        ("2026-11-21T09:00:00Z", datetime(2026, 11, 21, 9, tzinfo=UTC)),
        ("2026-11-21T09:00:00+02:00", datetime(2026, 11, 21, 7, tzinfo=UTC)),
        (" 2026-11-21T09:00 ", datetime(2026, 11, 21, 8, tzinfo=UTC)),
    ],
)
def test_moments(text: str, expected: datetime) -> None:
    assert moments.parse(text, PARIS, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "10", "m", "2026-13-01", "999999d", "0001-01-01T00:00:00+14:00", "²m"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        moments.parse(text, PARIS, NOW)
