"""Runs one program that nobody trusts, and leaves nothing of it behind.

A program of its own, of the standard library alone: `python -I -S keeper.py SPEC`,
where SPEC is the JSON of `kept.py`. Standard input, output and error are the
program's. The keeper holds the limits, and ends every process that came of it as soon
as the program ends, a limit is passed, or the control pipe closes, as it does when
whoever asked dies. Then it writes one line of JSON to the status pipe:
`{"why": "ended" | "memory" | "processes" | "disk" | "time" | "asked", "code",
"memory", "left"}`.

Orphans come back to the keeper (Linux: PR_SET_CHILD_SUBREAPER), so a process that
makes a session of its own does not get away. Where the program has a user id of its
own, all of that id ends with it. Without /proc the process group is all that is known:
memory and processes are not measured then.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

LOOK_SECONDS = 0.1
LOOK_AT_DISK_SECONDS = 3.0
END_SECONDS = 10.0
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1
NOT_STARTED = 126
PAGE = os.sysconf("SC_PAGESIZE")
LINUX = sys.platform == "linux"


class Running(NamedTuple):
    pid: int
    parent: int
    resident: int  # bytes

    def owned(self, uid: int) -> bool:
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{self.pid}/status").read_text("latin-1")
            return int(status.partition("\nUid:")[2].split()[0]) == uid
        return False


class Passed(Exception):
    """A limit was passed; the text is its name."""


def main(spec: dict[str, Any], status: int, control: int) -> None:
    if LINUX:
        _libc().prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        become(spec)
    for descriptor in (0, 1):
        os.close(descriptor)  # so that their other ends see when the program ends
    watch = Watch(spec, child)
    try:
        why = watch.until_over(control)
    finally:
        left = end_all(spec["uid"], child)
    said = {"why": why, "code": watch.code, "memory": watch.peak, "left": left}
    os.write(status, json.dumps(said).encode() + b"\n")


def become(spec: dict[str, Any]) -> NoReturn:
    """The confined program, in the forked child."""
    try:
        os.setsid()
        if spec["offline"]:
            leave_network()
        for name, most in limits(spec).items():
            limit(name, most)
        if spec["uid"] is not None:
            os.setgroups([])
            os.setgid(spec["uid"])
            os.setuid(spec["uid"])
        if LINUX:
            _libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            # After the change of ids, which would clear it.
            _libc().prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.umask(0o077)
        os.chdir(spec["cwd"])
        for descriptor in spec["private"]:
            os.close(descriptor)
        os.execve(spec["argv"][0], spec["argv"], spec["env"])
    except OSError as error:
        os.write(2, f"{spec['argv'][0]}: {error.strerror}\n".encode())
    os._exit(NOT_STARTED)


def limits(spec: dict[str, Any]) -> dict[str, int]:
    """RLIMIT_DATA bounds one process between two looks at the sum of all of them.

    Not RLIMIT_AS: node reserves many times the addresses that it uses.
    """
    return {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": spec["file"],
        "RLIMIT_DATA": 3 * spec["memory"],
        "RLIMIT_NOFILE": 4096,
        "RLIMIT_NPROC": spec["threads"] + (0 if spec["uid"] else threads_of_mine()),
    }


def limit(name: str, most: int) -> None:
    kind = getattr(resource, name)
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    # macOS knows RLIMIT_NPROC and others, and refuses some values of them.
    with contextlib.suppress(ValueError):
        resource.setrlimit(kind, (most, most))


def leave_network() -> None:
    """A network of its own, with loopback alone. Raises OSError."""
    if _libc().unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


class Watch:
    """Looks at the program's processes and folder until one of them is too much."""

    def __init__(self, spec: dict[str, Any], child: int) -> None:
        self._spec, self._child = spec, child
        self._begun = time.monotonic()
        self._next_disk = self._begun + LOOK_AT_DISK_SECONDS
        self.code: int | None = None
        self.peak = 0

    def until_over(self, control: int) -> str:
        try:
            while self.code is None:
                if select.select([control], [], [], LOOK_SECONDS)[0]:
                    return "asked"
                self._reap()
                self._look()
        except Passed as error:
            return str(error)
        return "ended"

    def _reap(self) -> None:
        for pid, status in reaped():
            if pid == self._child:
                self.code = os.waitstatus_to_exitcode(status)

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._begun > self._spec["seconds"]:
            raise Passed("time")
        running = family()
        resident = sum(each.resident for each in running)
        self.peak = max(self.peak, resident)
        if resident > self._spec["memory"]:
            raise Passed("memory")
        if len(running) > self._spec["processes"]:
            raise Passed("processes")
        if now >= self._next_disk:
            self._next_disk = now + LOOK_AT_DISK_SECONDS
            if used(self._spec["folder"]) > self._spec["disk"]:
                raise Passed("disk")


def end_all(uid: int | None, child: int) -> int:
    """Kills until nothing is left; gives how many are left all the same."""
    deadline = time.monotonic() + END_SECONDS
    while left := remaining(uid, child):
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    return left


def remaining(uid: int | None, child: int) -> int:
    """How many lived on after one more round of killing."""
    if uid is not None:
        kill_as(uid)
    elif LINUX:
        # Stopped first: one that is killed alone may fork before its turn.
        for signum in (signal.SIGSTOP, signal.SIGKILL):
            for each in family():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each.pid, signum)
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
    for _ in reaped():
        pass
    return len(family() if uid is None else [p for p in processes() if p.owned(uid)])


def kill_as(uid: int) -> None:
    """All processes of the user at once, which even a fork bomb does not outrun."""
    pid = os.fork()
    if pid == 0:
        os.setuid(uid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(pid, 0)


def reaped() -> Iterator[tuple[int, int]]:
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            yield found


def family() -> list[Running]:
    """The keeper's descendants."""
    found, waiting = [], [os.getpid()]
    while waiting:
        born = children(waiting.pop())
        found += born
        waiting += [each.pid for each in born]
    return found


def children(parent: int) -> list[Running]:
    lists = list(Path(f"/proc/{parent}/task").glob("*/children"))
    if not lists and LINUX and Path(f"/proc/{parent}").exists():
        # A kernel without these lists: look at everybody, which costs more.
        return [each for each in processes() if each.parent == parent]
    pids: list[str] = []
    for path in lists:
        with contextlib.suppress(OSError):  # the thread ended while we looked
            pids += path.read_text().split()
    return [found for pid in pids if (found := process(pid))]


def processes() -> Iterator[Running]:
    """All living ones of the machine; none where there is no /proc."""
    for entry in Path("/proc").glob("[0-9]*"):
        if found := process(entry.name):
            yield found


def process(pid: str) -> Running | None:
    """None where it ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("latin-1")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # its name may hold anything
    if fields[0] == "Z":
        return None
    return Running(int(pid), int(fields[1]), int(fields[21]) * PAGE)


def threads_of_mine() -> int:
    """What RLIMIT_NPROC counts already, where the caller runs programs too."""
    mine, total = os.getuid(), 0
    for each in processes():
        if each.owned(mine):
            with contextlib.suppress(OSError):
                total += len(os.listdir(f"/proc/{each.pid}/task"))
    return total


def used(folder: str) -> int:
    """Bytes that the folder takes, links not followed."""
    total, waiting = 0, [folder]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    main(given, *given["private"])
