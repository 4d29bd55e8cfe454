"""Entries as the gateway appends them, and the real recorder process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection

from accounts.models import Organization
from audit.entries import CallEntry, OutcomeEntry, encode_call, outcome_command
from audit.ids import uuid7
from config.children import started_at
from policies.decision import Judgement, Side
from policies.limits import CALL, Owners, prepare

ROOT = Path(__file__).parents[2]
GRANT, SERVER = uuid.UUID(int=10), uuid.UUID(int=11)


def entry(organization: Organization, **changed: Any) -> CallEntry:
    given: dict[str, Any] = {
        "id": uuid7(),
        "organization": organization.pk,
        "shard": organization.shard,
        "grant_id": GRANT,
        "grant": "support-bot",
        "server_id": SERVER,
        "server": "payments",
        "member": "alice@example.com",
        "method": "tools/call",
        "name": "create_refund",
        "client": "agent",
        "era": "modern",
        "revision": "2026-07-28",
        "arguments": b'{"amount":5}',
        "judgement": Judgement(Side()),
    }
    return CallEntry(**(given | changed))


class Gateway:
    """Appends what the gateway would, by the production script."""

    def __init__(self, client: Any, organization: Organization) -> None:
        self.client, self.organization = client, organization
        self.owners = Owners(organization.pk, organization.shard, SERVER, GRANT)

    def call(self, mode: Any = "reserve", **changed: Any) -> uuid.UUID:
        given = entry(self.organization, **changed)
        self.client.set(self.owners.generation, b"g" * 16)
        prepared = prepare(
            self.owners, b"g" * 16, given.judgement, encode_call(given), mode
        )
        self.client.eval(CALL.text, len(prepared.keys), *prepared.keys, *prepared.argv)
        return given.id

    def outcome(self, id: uuid.UUID, status: Any = "ok", **changed: Any) -> None:
        told = OutcomeEntry(
            id=id, organization=self.organization.pk, status=status, **changed
        )
        self.client.execute_command(*outcome_command(self.organization.shard, told))

    @property
    def waiting(self) -> int:
        return int(self.client.xlen(f"{{s{self.organization.shard:02d}}}:records"))


def environment() -> dict[str, str]:
    """This test's database and Valkey, for a process of its own."""
    database = connection.settings_dict
    url = (
        f"postgresql://{database['USER']}@/{database['NAME']}"
        f"?host={quote(database['HOST'])}"
    )
    return os.environ | {"DATABASE_URL": url}


@contextmanager
def recorder(**env: str) -> Iterator[subprocess.Popen[bytes]]:
    """As `make run` starts it."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "record"],
        cwd=ROOT,
        env=environment() | env,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


# The parent connects to nothing.
FORKS = """
import os, sys
import django
django.setup()
from django.core.management import call_command
from audit.management.commands import record

for line in sys.stdin:
    if line.strip():
        pid = os.waitpid(int(line), 0)[0]
    elif not (pid := os.fork()):
        call_command(record.Command())
        sys.exit()
    print(pid, flush=True)
"""


class Recorders:
    """Recorder processes, forked from one that has all loaded: each of its own would
    spend a second on imports."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def _told(self, line: str) -> int:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    @contextmanager
    def one(self) -> Iterator[ForkedRecorder]:
        """Killed afterwards, with signal 9, wherever it is."""
        forked = ForkedRecorder(self._told(""), self._told)
        try:
            yield forked
        finally:
            forked.kill()


class ForkedRecorder:
    def __init__(self, pid: int, told: Callable[[str], int]) -> None:
        self._pid, self._told = pid, told
        self._waited = False

    def lives(self) -> bool:
        return not self._waited and started_at(self._pid) is not None

    def kill(self) -> None:
        # Until it is waited for, the id is its own.
        if not self._waited:
            os.kill(self._pid, signal.SIGKILL)
            self._waited = self._told(str(self._pid)) == self._pid


@contextmanager
def forked_recorders() -> Iterator[Recorders]:
    process = subprocess.Popen(
        [sys.executable, "-c", FORKS],
        cwd=ROOT,
        env=environment() | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Recorders(process)
        assert process.stdin
        process.stdin.close()


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
