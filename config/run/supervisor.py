"""Starts processes, keeps them running, and ends them in order.

One thread and one loop. Signals and deaths write to a pipe on which the loop sleeps,
so it wakes at once and is idle otherwise.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from config.children import Plan
from config.run import datadir
from config.run.process import Supervised
from config.run.terminal import StartError, say

START_SECONDS = 90.0
TELL_SECONDS = 10.0
STOP_SECONDS = 12.0
IDLE_SECONDS = 1.0
ASKING_SECONDS = 0.03
KILLED_SECONDS = 5.0


class Stopped(Exception):
    """Somebody asked for the end."""


class Supervisor:
    def __init__(self, data_dir: Path, parent: int | None) -> None:
        """parent: the process whose end is ours too."""
        self._data_dir, self._parent = data_dir, parent
        self._parts: list[Supervised] = []
        self._asked = 0  # how often the end was asked for
        self._wake = _listen(self._signalled)

    def _signalled(self, signum: int, frame: FrameType | None) -> None:
        self._asked += signum != signal.SIGCHLD

    def start(self, plans: list[tuple[Plan, int]]) -> None:
        """Starts them together; back when all are ready. The number: Part.stop."""
        new = [Supervised(plan, self._logs, stop) for plan, stop in plans]
        for part in new:
            part.start()
            self._parts.append(part)
            self._remember()
        self._await_ready(new)

    def _await_ready(self, waiting: list[Supervised]) -> None:
        begun, told = time.monotonic(), False
        while waiting := [p for p in waiting if not (p.alive() and p.plan.ready())]:
            self._turn(ASKING_SECONDS)
            waited, first = time.monotonic() - begun, waiting[0]
            if waited > START_SECONDS:
                late = f"{first.plan.name} is not ready. {first.plan.problem()}"
                raise StartError(late + first.last_words())
            if waited > TELL_SECONDS and not told:
                say(f"Waiting for {first.plan.name}. {first.plan.problem()}")
                told = True

    def run(self, plan: Plan) -> None:
        """Runs it to its end."""
        once = Supervised(plan, self._logs, stop=0)
        once.start()
        self._parts.append(once)
        while once.alive():
            self._turn(IDLE_SECONDS, watched=False)
        self._parts.remove(once)
        if once.process and once.process.returncode:
            once.bury()
            raise StartError(f"{once.cause}.{once.last_words()}")

    def watch(self) -> None:
        while True:
            self._turn(IDLE_SECONDS)
            for part in self._parts:
                part.bound_log()

    def _turn(self, seconds: float, *, watched: bool = True) -> None:
        if select.select([self._wake], [], [], seconds)[0]:
            os.read(self._wake, 4096)
        if self._asked or (self._parent and os.getppid() != self._parent):
            raise Stopped
        if watched:
            self._keep_alive()

    def _keep_alive(self) -> None:
        for part in self._parts:
            if part.died():
                self._lost(part)
            if part.due is not None and time.monotonic() >= part.due:
                part.start()
                self._remember()

    def _lost(self, part: Supervised) -> None:
        if not part.bury():
            reason = f"{part.cause} and does not stay up, so all is stopped."
            raise StartError(reason + part.last_words())
        # The same words four times over would bury the ones that tell.
        words = part.last_words(3) if part.deaths == 1 else ""
        say(f"{part.cause}; starting it again.{words}")

    def stop(self) -> None:
        """In order; one that does not end in time, or a second request, is killed."""
        self._asked = 0
        for number in sorted({part.stop for part in self._parts}):
            group = [p for p in self._parts if p.stop == number and p.alive()]
            for part in group:
                _send(part, part.plan.stop_signal)
            if not self._ended(group, STOP_SECONDS):
                _kill(group)
                self._ended(group, KILLED_SECONDS)

    def _ended(self, group: list[Supervised], seconds: float) -> bool:
        deadline, asked = time.monotonic() + seconds, self._asked
        while any(part.alive() for part in group):
            if time.monotonic() > deadline or self._asked > asked:
                return False
            if select.select([self._wake], [], [], 0.1)[0]:
                os.read(self._wake, 4096)
        return True

    @property
    def _logs(self) -> Path:
        return self._data_dir / "logs"

    def _remember(self) -> None:
        pids = {p.plan.name: p.process.pid for p in self._parts if p.process}
        datadir.remember(self._data_dir, pids)


def _listen(handler: Callable[[int, FrameType | None], None]) -> int:
    """Catches the signals; gives the pipe that wakes when one comes."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(signum, handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, handler)
    return read


def _send(part: Supervised, signum: int) -> None:
    if part.process:
        part.process.send_signal(signum)


def _kill(group: list[Supervised]) -> None:
    """Each with its session: it is not reaped yet, so the id is still its own."""
    for part in group:
        if part.process and part.alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(part.process.pid, signal.SIGKILL)
