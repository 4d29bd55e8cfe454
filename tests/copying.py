"""One process of a run migrates a database; all others begin with a copy of it.

Migrating takes seconds of each process, copying a tenth of one.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TextIO

from django.db import connection

TEMPLATE = "template_of_tests"


class Template:
    """Begun with the lock that `let_go` gives back, so that one comes first."""

    def __init__(self) -> None:
        folder = Path(os.environ["DATA_DIR"])
        self._made = folder / "template.made"
        self._lock: TextIO = (folder / "template.lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        if self._made.exists():
            connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE

    def keep(self) -> None:
        """This process's database is ready: the others may copy it."""
        if not self._made.exists():
            name = connection.settings_dict["NAME"]
            connection.close()  # nobody may be connected to what is copied
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "{TEMPLATE}" TEMPLATE "{name}"')
            self._made.touch()
        self.let_go()

    def let_go(self) -> None:
        self._lock.close()
