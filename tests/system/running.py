"""A whole started system (`make run`'s supervisor) and an upstream that counts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.upstream import Upstream
from config.embedded import erase
from tests.run.made import ROOT, MadeSystem, free_port
from tests.system.prepared import prepare

NUMBER = re.compile(rb'"charge":"n(\d+)"')


class CountingUpstream:
    """The benchmark's fixed-answer server, remembering the number of each call."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> CountingUpstream:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        seen = self.seen

        class Counting(Upstream):
            def on_message_complete(self) -> None:
                if number := NUMBER.search(self.body):
                    seen.append(int(number[1]))
                super().on_message_complete()

        self._loop.run_until_complete(
            self._loop.create_server(Counting, "127.0.0.1", self.port)
        )
        self._loop.run_forever()


class RunningSystem(MadeSystem):
    """What an operator does beside `make run`."""

    @property
    def mailbox(self) -> str:
        """The secret link, as printed before `Ready:`."""
        return self.start_lines[-2].removeprefix("Mailbox: ")

    def kill(self, part: str) -> None:
        os.kill(self.parts()[part], signal.SIGKILL)

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def apply(self, wanted: dict[str, Any]) -> dict[str, Any]:
        file = self.data_dir / "wanted.json"
        file.write_text(json.dumps(wanted))
        made: dict[str, Any] = json.loads(self.manage("apply", str(file), "--json"))
        return made

    def records(self, organization: str = "acme") -> list[dict[str, Any]]:
        text = self.manage("activity", "--organization", organization)
        return [json.loads(line) for line in text.splitlines()]


@contextlib.contextmanager
def running_system() -> Iterator[RunningSystem]:
    with tempfile.TemporaryDirectory(prefix="policylayer-system-") as folder:
        data_dir = Path(folder) / "data"
        try:
            prepare(data_dir)
            with RunningSystem(data_dir, free_port()) as system:
                yield system
        finally:
            erase(data_dir)


def until(condition: Any, seconds: float = 30) -> None:
    """Waits until the condition holds; fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
