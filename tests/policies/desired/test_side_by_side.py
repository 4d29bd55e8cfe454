"""Two runs of the same file at the same moment, as two machines of a deployment do."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from policies.desired import applying, upstream
from policies.models import Grant


@pytest.mark.django_db(transaction=True)
def test_both_succeed_and_one_of_them_makes_everything(config, monkeypatch):
    text, both = json.dumps(config), threading.Barrier(2)
    ask = upstream.ask

    def asked(wanted):
        answers = ask(wanted)
        both.wait(20)
        return answers

    monkeypatch.setattr(upstream, "ask", asked)

    def run(_: int) -> applying.Outcome:
        try:
            return applying.apply(text, Path(), {"PAYMENTS_KEY": "k3y"})[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(run, range(2)))

    assert sorted(len(outcome.changes) for outcome in outcomes)[0] == 0
    tokens = [outcome.grants[0]["token"] for outcome in outcomes]
    assert tokens.count(None) == 1
    assert Grant.objects.across_organizations().count() == 1
