"""One supervised process: its log, its deaths, and when it is started again.

A process that lived five seconds is taken to work: its death begins a new count. Five
deaths in a row within a minute end the whole system, with the reason.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from config import children
from config.children import Plan
from config.run.terminal import last_lines

WORKS_AFTER = 5.0
TOO_OFTEN = 5
WITHIN = 60.0
PAUSES = (0.1, 0.5, 1.0, 2.0, 4.0)
LOG_BYTES = 10 * 1024 * 1024


class Supervised:
    def __init__(self, plan: Plan, logs: Path, stop: int) -> None:
        self.plan, self.stop = plan, stop
        self.log = logs / f"{plan.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.due: float | None = None  # when it is started again
        self.cause = ""  # of the last death
        self._deaths: list[float] = []
        self._born = 0.0
        self._printed_before = 0

    def start(self) -> None:
        self.due = None
        self.plan.settle()
        self.bound_log()
        with self.log.open("ab") as output:
            self._printed_before = output.tell()
            self.process = children.spawn(self.plan, output.fileno())
        self._born = time.monotonic()

    def died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def bury(self) -> bool:
        """After a death: whether it will be started again."""
        now = time.monotonic()
        if now - self._born > WORKS_AFTER:
            self._deaths.clear()
        self._deaths = [at for at in self._deaths if now - at < WITHIN] + [now]
        self.cause = self._how_it_ended()
        self.process = None
        if len(self._deaths) >= TOO_OFTEN:
            return False
        self.due = now + PAUSES[len(self._deaths) - 1]
        return True

    @property
    def deaths(self) -> int:
        """How often in a row."""
        return len(self._deaths)

    def last_words(self, lines: int = 15) -> str:
        """What it printed last since its start, as lines to follow a reason."""
        said = last_lines(self.log, self._printed_before, lines)
        return f"\nIts last words, in {self.log}:\n{said}" if said else ""

    def _how_it_ended(self) -> str:
        code = self.process.returncode if self.process else 0
        name = self.plan.name
        if code < 0:
            return f"{name} was killed by {signal.Signals(-code).name}"
        return f"{name} ended with status {code}"

    def bound_log(self) -> None:
        """Moves a long log away; the process goes on writing at the file's new end."""
        if not self.log.exists() or self.log.stat().st_size <= LOG_BYTES:
            return
        shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
        os.truncate(self.log, 0)
        self._printed_before = 0
