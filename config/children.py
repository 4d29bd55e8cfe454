"""Child processes that never outlive us and are never confused with others.

A child leads a session of its own, so a Ctrl-C in the terminal reaches only the
supervisor, which stops its children in order. Where the kernel can (Linux), a child
is also signalled when its parent is killed. A pid alone names nobody: pids are used
again, so a process is remembered as its pid with the time at which it started.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
KILL_SECONDS = 5.0
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Plan:
    """How one process is started, known to be ready, and told to stop."""

    name: str
    argv: list[str]
    env: Mapping[str, str]
    ready: Callable[[], bool]
    url: str = ""
    cwd: str = "/"
    stop_signal: int = signal.SIGTERM
    ids: tuple[int, int] | None = None  # uid and gid, where they are not ours
    problem: Callable[[], str] = lambda: ""  # why it is not ready, where it can tell
    # Called before every start: deals with what a killed predecessor left behind.
    settle: Callable[[], None] = lambda: None


def dying_with_parent(signum: int) -> Callable[[], None] | None:
    """A preexec function. It runs after the change of user, which would clear it."""
    if _libc is None:
        return None
    libc, parent = _libc, os.getpid()

    def ask_the_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signum)
        if os.getppid() != parent:
            os._exit(1)

    return ask_the_kernel


def spawn(plan: Plan, output: int) -> "subprocess.Popen[bytes]":
    """Output is the file descriptor for everything that the child prints."""
    uid, gid = plan.ids or (None, None)
    return subprocess.Popen(
        plan.argv,
        env=dict(plan.env),
        cwd=plan.cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        user=uid,
        group=gid,
        extra_groups=None if plan.ids is None else [],
        preexec_fn=dying_with_parent(plan.stop_signal),
    )


def stop(
    process: "subprocess.Popen[bytes]",
    signum: int = signal.SIGTERM,
    seconds: float = 10,
) -> None:
    """Ask, wait, then kill."""
    if process.poll() is not None:
        return
    process.send_signal(signum)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        # The whole session: not yet reaped, so the id is still this child's.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(KILL_SECONDS)


def started_at(pid: int) -> str | None:
    """When the process started, in the system's own unit; None for no process."""
    if sys.platform != "linux":
        asked = ["ps", "-o", "lstart=", "-p", str(pid)]
        found = subprocess.run(asked, capture_output=True, text=True, check=False)
        return found.stdout.strip() or None
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else fields[18]


def working_in(folder: Path, program: str) -> list[int]:
    """The program's processes whose working directory it is (Linux; else none)."""
    pids = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            there = os.readlink(entry / "cwd") == str(folder)
            if there and (entry / "comm").read_text().strip() == program:
                pids.append(int(entry.name))
        except OSError:
            continue  # not ours to look at, or gone meanwhile
    return pids


def until(holds: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Whether it came to hold within the time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def end(pids: Iterable[int], signum: int, seconds: float) -> None:
    """End processes that are not children of ours: ask, wait, then kill."""
    known = {pid: started_at(pid) for pid in pids}

    def living() -> list[int]:
        return [pid for pid, at in known.items() if at and started_at(pid) == at]

    for pid in living():
        _signal(pid, signum)
    if not until(lambda: not living(), seconds):
        for pid in living():
            _signal(pid, signal.SIGKILL)
        until(lambda: not living(), KILL_SECONDS)


def _signal(pid: int, signum: int) -> None:
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        return
