"""Workers that die where a test says: forks of one process that has all loaded.

A worker of its own would spend a second on imports, and die a millisecond later.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.db import connection

from tests.run.made import ROOT

# Before it forks it connects to nothing.
FORKS = """
import gc, importlib, json, os, signal, sys, traceback
import django
django.setup()
from django.conf import settings
from approvals import hook_sending, mailing, notices, sending, tasks
from config import urls  # which a mail needs for its links
from config.env import smtp

sending.TURN_SECONDS = 60.0  # a busy machine must not end a turn before its death

def run(place, nth, task, mail):
    if mail:
        settings.MAIL_STAYS_HERE = False
        for name, value in smtp(mail).items():
            setattr(settings, name, value)
    path, _, name = place.rpartition(".")
    module, seen = importlib.import_module(path), []
    real = getattr(module, name)
    def dies(*args, **kwargs):
        seen.append(1)
        if len(seen) == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)
    setattr(module, name, dies)
    getattr(tasks, task)()

gc.collect()
gc.freeze()
for line in sys.stdin:
    child = os.fork()
    if not child:
        try:
            run(*json.loads(line))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Workers:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, place: str, nth: int, task: str, mail: str = "") -> int:
        """Runs the task in a worker of its own, which kills itself where the function
        `place` is called for the `nth` time (0: never). Its exit status, as Popen says
        it; `mail` is the EMAIL_URL.
        """
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([place, nth, task, mail]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def forked_workers() -> Iterator[Workers]:
    parts = urlsplit(os.environ["DATABASE_URL"])
    database = parts._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    known = {"DATABASE_URL": database, "MAILBOX_SECRET": "", "EMAIL_URL": ""}
    process = subprocess.Popen(
        [sys.executable, "-c", FORKS],
        cwd=ROOT,
        env=os.environ | known | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Workers(process)
    finally:
        process.kill()
        process.communicate(timeout=10)
