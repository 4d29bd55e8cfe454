"""Ten thousand calls, decisions and retries at one time; here 120: a dozen have each
fate, as a denial in time takes luck."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from accounts.models import Organization, User
from approvals.models import Approval

ROOT = Path(__file__).resolve().parents[2]
CALLS, PROCESSES, SECONDS = 120, 4, 540


def run(*options: str) -> subprocess.CompletedProcess[str]:
    """The command against this test's own database."""
    name = str(connection.settings_dict["NAME"])
    base, question, query = os.environ["DATABASE_URL"].partition("?")
    url = f"{base.rpartition('/')[0]}/{name}{question}{query}"
    return subprocess.run(
        [sys.executable, "manage.py", "race_approvals", *options],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.django_db(transaction=True)
def test_each_approved_call_runs_exactly_once(acme, valkey):
    """And nothing of it is left, nor touched of anybody else."""
    done = run("--calls", str(CALLS), "--processes", str(PROCESSES))

    assert done.returncode == 0, done.stdout + done.stderr
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert said["exactly once"] == "yes"
    assert said["asked"] == f"{CALLS * PROCESSES} times, {CALLS} questions"
    # All that may happen did: words that came too late, runs given back, each end.
    assert re.search(r"decided \d+", said["words"])
    assert int(said["given back"]) > 0 and int(said["runs"]) > CALLS / 2
    assert {word.split()[0] for word in said["ended"].split(", ")} >= {"used", "denied"}
    assert list(Organization.objects.all()) == [acme]
    assert not User.objects.filter(email__endswith="@race.invalid").exists()
    assert not Approval.objects.across_organizations().exists()
