"""The data directory of an earlier start: migrated, and with the shipped catalogue.

Made once in a test run, for all its processes, and copied from then on: a first start
takes seven seconds of CPU longer than a later one, and is tested in tests/run.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from config import embedded
from config.run import datadir, migrations
from config.run.parts import CATALOG, MIGRATE
from tests.run.made import ROOT

STAMP = "migrated"


def prepare(data_dir: Path) -> None:
    """Before the first start there."""
    made = _made_once()
    datadir.open_data_dir(data_dir)
    copy(made / STAMP, data_dir / STAMP)
    copy(made / "data", _home(data_dir) / "data")


def _made_once() -> Path:
    made = Path(os.environ["DATA_DIR"]) / "prepared"
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            with tempfile.TemporaryDirectory(prefix="policylayer-prepared-") as folder:
                try:
                    _make(Path(folder), made)
                finally:
                    embedded.erase(folder)
    return made


def _make(work: Path, made: Path) -> None:
    postgres = embedded.start_postgres(work, durable=False)
    try:
        env = os.environ | {"DATABASE_URL": postgres.url, "DATA_DIR": str(work)}
        for command in (MIGRATE, CATALOG):
            argv = [sys.executable, *command]
            subprocess.run(argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, check=True)
        migrations.remember_applied(postgres.url, work)
    finally:
        postgres.stop()
    half = made.with_suffix(".half")
    half.mkdir()
    copy(work / STAMP, half / STAMP)
    copy(_home(work) / "data", half / "data")
    half.rename(made)


def _home(data_dir: Path) -> Path:
    ids = embedded._system_ids() if os.geteuid() == 0 else None
    return embedded._postgres_home(data_dir.resolve(), ids, durable=True)


def copy(source: Path, target: Path) -> None:
    """With its owner and its modes."""
    subprocess.run(["cp", "-a", source, target], check=True)
