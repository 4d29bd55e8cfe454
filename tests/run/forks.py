"""Processes that tests kill: forks of one that has loaded what they need.

Each of its own would spend a second of CPU on imports.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from config.children import started_at
from tests.run.made import ROOT

# A list starts a process with these arguments, a number waits for one; its id is the
# answer. Both sides name the group: neither knows who comes first.
LOOP = """
import gc, json, os, sys

# What is loaded stays: no fork need walk through it, or copy its pages to do so.
gc.collect()
gc.freeze()
for line in sys.stdin:
    asked = json.loads(line)
    if isinstance(asked, int):
        pid = os.waitpid(asked, 0)[0]
    elif pid := os.fork():
        os.setpgid(pid, pid)
    else:
        os.setpgid(0, 0)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        child(*asked)
        sys.exit()
    print(pid, flush=True)
"""


class Forked:
    def __init__(self, pid: int, wait: Callable[[int], int]) -> None:
        self.pid, self._wait = pid, wait
        self._waited = False

    def lives(self) -> bool:
        return not self._waited and started_at(self.pid) is not None

    def end(self, signum: int = signal.SIGKILL) -> None:
        """With all its own children. Until it is waited for, its id names nobody
        else."""
        if not self._waited:
            os.killpg(self.pid, signum)
            self._waited = self._wait(self.pid) == self.pid


class Forks:
    def __init__(self, parent: subprocess.Popen[str]) -> None:
        self._parent = parent

    def _told(self, line: object) -> int:
        assert self._parent.stdin and self._parent.stdout
        self._parent.stdin.write(json.dumps(line) + "\n")
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())

    @contextmanager
    def one(self, *arguments: object) -> Iterator[Forked]:
        """Killed afterwards, with signal 9, wherever it is."""
        forked = Forked(self._told(arguments), self._told)
        try:
            yield forked
        finally:
            forked.end()


@contextmanager
def forking(program: str, env: Mapping[str, str]) -> Iterator[Forks]:
    """The program defines `child`, which is called in each fork with the arguments of
    `one`; it connects to nothing itself."""
    with subprocess.Popen(
        [sys.executable, "-c", program + LOOP],
        cwd=ROOT,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        yield Forks(parent)
        assert parent.stdin
        parent.stdin.close()
