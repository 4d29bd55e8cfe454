"""Ten thousand calls, decisions and retries at one time; here 200 of them."""

from __future__ import annotations

import io
import re

import pytest
from django.core.management import call_command

from accounts.models import Organization, User
from approvals.models import Approval

CALLS, PROCESSES, SECONDS = 200, 4, 600


@pytest.mark.slow
@pytest.mark.timeout(SECONDS)
@pytest.mark.django_db(transaction=True)
def test_each_approved_call_runs_exactly_once(acme, valkey):
    """And nothing of it is left, nor touched of anybody else."""
    out = io.StringIO()
    try:
        call_command("race_approvals", calls=CALLS, processes=PROCESSES, stdout=out)
    except SystemExit:
        pytest.fail(out.getvalue())
    said = dict(line.split(": ", 1) for line in out.getvalue().splitlines())
    assert said["exactly once"] == "yes"
    assert said["asked"] == f"{CALLS * PROCESSES} times, {CALLS} questions"
    # All that may happen did: words that came too late, runs given back, each end.
    assert re.search(r"decided \d+", said["words"])
    assert int(said["given back"]) > 0 and int(said["runs"]) > CALLS / 2
    assert {word.split()[0] for word in said["ended"].split(", ")} >= {"used", "denied"}
    assert list(Organization.objects.all()) == [acme]
    assert not User.objects.filter(email__endswith="@race.invalid").exists()
    assert not Approval.objects.across_organizations().exists()
