"""Where tests write: into memory, where there is enough, and nothing waits for a disk.

Servers that tests start keep their files as they do for people, synchronized and all.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")
PREFIX = "policylayer-tests-"
# A run takes about a quarter of it.
ENOUGH = 6 * 2**30


@contextmanager
def scratch(memory: Path = MEMORY) -> Iterator[int | None]:
    """`TMPDIR` is a folder in memory for as long. Gives what keeps it from being swept,
    for processes that use it to hold; None where it is left as it was."""
    if "TMPDIR" in os.environ or not _has_room(memory):
        yield None
        return
    _sweep(memory)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=memory))
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_SH)
    os.environ["TMPDIR"] = str(folder)
    try:
        yield lock
    finally:
        del os.environ["TMPDIR"]
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def _has_room(memory: Path) -> bool:
    try:
        about = os.statvfs(memory)
    except OSError:
        return False
    # Virtual environments and built programs run from there.
    runs = not about.f_flag & os.ST_NOEXEC
    return runs and min(about.f_bavail * about.f_frsize, _free_memory()) >= ENOUGH


def _free_memory() -> int:
    """In bytes; 0 where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    named = dict(line.split(":", 1) for line in lines)
    return int(named.get("MemAvailable", "0 kB").split()[0]) * 1024


def _sweep(memory: Path) -> None:
    """Removes what runs that were killed left behind."""
    for left in memory.glob(f"{PREFIX}*"):
        lock = os.open(left, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(lock)
