"""A process of the proof: its output in a file, ended by its id with all below it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from config import children
from config.children import Plan

START_SECONDS = 300.0


@contextmanager
def running(plan: Plan, log: Path) -> Iterator[None]:
    """Ready at its beginning; raises RuntimeError with the last words of one that
    does not get so."""
    with log.open("ab") as output:
        process = children.spawn(plan, output.fileno())
    try:
        done = lambda: plan.ready() or process.poll() is not None  # noqa: E731
        if not children.until(done, START_SECONDS) or process.poll() is not None:
            raise RuntimeError(f"{plan.name} did not start: {tail(log)}")
        yield
    finally:
        below = _below(process.pid)
        children.stop(process, plan.stop_signal)
        _end(below)


def _below(pid: int) -> list[psutil.Process]:
    """Bridges start their server in a session of its own."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _end(processes: list[psutil.Process]) -> None:
    """psutil compares start times too: a pid used again is not ours."""
    _, left = psutil.wait_procs(processes, timeout=3)
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=3)


def tail(log: Path, lines: int = 5) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-lines:])


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def until(holds: object, seconds: float, what: str) -> None:
    assert callable(holds)
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.1)
