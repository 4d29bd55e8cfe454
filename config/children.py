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
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
KILL_SECONDS = 5.0
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


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


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    output: IO[bytes] | int,
    cwd: Path | str,
    ids: tuple[int, int] | None = None,
    stop_signal: int = signal.SIGTERM,
) -> "subprocess.Popen[bytes]":
    """ids: the uid and gid to run as, where that is not ourselves."""
    uid, gid = ids or (None, None)
    return subprocess.Popen(
        list(argv),
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        user=uid,
        group=gid,
        extra_groups=None if ids is None else [],
        preexec_fn=dying_with_parent(stop_signal),  # noqa: PLW1509 single-threaded
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
        process.kill()
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


def working_in(folder: Path) -> list[int]:
    """The processes whose working directory is the folder (Linux; else none)."""
    pids = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if os.readlink(entry) == str(folder):
                pids.append(int(entry.parent.name))
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
