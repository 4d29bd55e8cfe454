"""A system started by `make run`, as a person at a terminal would start it."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Self

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
# Set for the tests' own servers; a system started by hand knows nothing of them.
SET_FOR_TESTS = {
    *("ALLOW_PRIVATE_UPSTREAMS", "DATABASE_URL", "DATA_DIR", "ENCRYPTION_KEYS"),
    *("MAILBOX_SECRET", "PORT", "REDIS_URL", "SECRET_KEY", "TEST_VALKEY_URL"),
    *("DJANGO_SETTINGS_MODULE", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"),
}
START_SECONDS = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class MadeSystem:
    """`with MadeSystem(...) as system` has said Ready, or the start failed."""

    def __init__(self, data_dir: Path, port: int, **settings: str) -> None:
        self.data_dir, self.port = data_dir, port
        kept = {k: v for k, v in os.environ.items() if k not in SET_FOR_TESTS}
        self.env = kept | {"DATA_DIR": str(data_dir), "PORT": str(port)} | settings
        self.lines: list[str] = []
        self.start_lines: tuple[str, ...] = ()
        # Seconds, without those in which other programs had the machine.
        self.started_in = 0.0
        self._printed: queue.Queue[str | None] = queue.Queue()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin(self) -> Self:
        self._begun = time.monotonic()
        self.make = subprocess.Popen(
            ["make", "--no-print-directory", "run"],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def _read(self) -> None:
        assert self.make.stdout
        for line in self.make.stdout:
            self._printed.put(line.rstrip())
        self._printed.put(None)

    def await_line(self, start: str, seconds: float = START_SECONDS) -> str:
        """The next printed line that begins so."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._printed.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {start!r} in {self.lines}") from None
            assert line is not None, f"ended before {start!r}: {self.lines}"
            self.lines.append(line)
            if line.startswith(start):
                return line

    def await_end(self, seconds: float = 40) -> int:
        """The exit status; all that was printed is in `lines` then."""
        status = self.make.wait(seconds)
        while (line := self._printed.get(timeout=5)) is not None:
            self.lines.append(line)
        return status

    def __enter__(self) -> Self:
        self.begin()
        try:
            self.await_line("Ready: ")
        except AssertionError:
            self.stop()
            raise
        self.started_in = time.monotonic() - self._begun - self._queued()
        self.start_lines = tuple(self.lines)
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self.make.poll() is None:
            self.make.send_signal(signal.SIGTERM)
            self.make.wait(40)

    # What runs

    def parts(self) -> dict[str, int]:
        known = json.loads((self.data_dir / "parts.json").read_text())
        return {name: pid for name, (pid, _) in known.items()}

    def await_parts(self, names: set[str], seconds: float = 15) -> dict[str, int]:
        await_true(lambda: names <= set(self.parts()), seconds)
        return self.parts()

    def _queued(self) -> float:
        """Seconds that the start waited for a core: the supervisor, and the one of its
        parts, which start together, that waited longest."""
        return queued(self.supervisor()) + max(map(queued, self.parts().values()))

    def supervisor(self) -> int:
        return int((self.data_dir / "run.lock").read_text().split()[0])

    def processes(self) -> list[psutil.Process]:
        """Everything below make: supervisor, parts, and their own children."""
        return psutil.Process(self.make.pid).children(recursive=True)


def queued(pid: int) -> float:
    """Seconds that the process could have run and had no core (Linux; else 0)."""
    try:
        told = Path(f"/proc/{pid}/schedstat").read_text()
    except FileNotFoundError:
        return 0.0
    return int(told.split()[1]) / 1e9


def await_true(holds: object, seconds: float) -> None:
    assert callable(holds)
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
