from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.servers.upstream import Upstream, running_upstream


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with running_upstream() as running:
        yield running


@pytest.fixture
def config(upstream: Upstream, db: None, valkey: object) -> dict[str, Any]:
    """The file of the documentation, pointed at the fake server."""
    return {
        "organization": {"slug": "acme", "name": "Acme", "zone": "Europe/Paris"},
        "members": [{"email": "alice@example.com", "role": "owner"}],
        "servers": [
            {
                "name": "payments",
                "url": upstream.url,
                "headers": {"X-Api-Key": {"env": "PAYMENTS_KEY"}},
            }
        ],
        "policies": [
            {
                "name": "support",
                "server": "payments",
                "document": {"version": "1", "default": "deny"},
            }
        ],
        "grants": [
            {
                "label": "support-bot",
                "member": "alice@example.com",
                "server": "payments",
                "policy": "support",
                "tags": ["prod"],
                "revoked": False,
            }
        ],
    }


class Run:
    """One run of the command: its exit status, what it printed, and its JSON.

    `said` is the error output, with the text of a CommandError as `manage.py` adds it.
    """

    def __init__(self, path: Path, *options: str) -> None:
        out, err = io.StringIO(), io.StringIO()
        self.status = 0
        try:
            call_command("apply", str(path), *options, stdout=out, stderr=err)
        except CommandError as error:
            self.status = error.returncode
            err.write(f"{type(error).__name__}: {error}\n")
        except SystemExit as end:
            self.status = int(end.code or 0)
        self.out, self.said = out.getvalue(), err.getvalue()

    @property
    def json(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.out)
        return said


@pytest.fixture
def apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """`apply(config, *options)`; --json unless said otherwise."""
    monkeypatch.setenv("PAYMENTS_KEY", "k3y")
    path = tmp_path / "acme.json"

    def run(config: object, *options: str) -> Run:
        text = config if isinstance(config, str) else json.dumps(config, indent=2)
        path.write_text(text)
        return Run(path, *(options or ("--json",)))

    return run
