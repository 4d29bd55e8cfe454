"""Entries as the gateway appends them, and the real recorder process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection

from accounts.models import Organization
from audit.entries import (
    CallEntry,
    OutcomeEntry,
    encode_call,
    encode_outcome,
)
from audit.ids import uuid7
from gateway.outcomes import APPEND, Stream
from policies.decision import Judgement, Side
from policies.limits import CALL, Owners, prepare
from tests.run.forks import Forks, forking

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
        stream = Stream(self.organization.shard, self.organization.pk)
        argv = stream.organization, encode_outcome(told)
        self.client.eval(APPEND.text, 1, stream.key, *argv)

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


FORKS = """
import django
django.setup()
from django.core.management import call_command
from audit.management.commands import record

def child():
    call_command(record.Command())
"""


def forked_recorders() -> AbstractContextManager[Forks]:
    return forking(FORKS, environment() | {"DJANGO_SETTINGS_MODULE": "config.settings"})


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
