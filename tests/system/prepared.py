"""The data directory of an earlier start: migrated, and with an empty catalogue.

Made once in a test run, for all its processes, and copied from then on; its tables are
those of the tests' template (tests/copying.py). A first start takes seven seconds of
CPU longer than a later one, and is tested in tests/run.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from config import embedded
from config.run import datadir, migrations
from tests.copying import TEMPLATE

STAMP = "migrated"


def prepare(data_dir: Path) -> None:
    """Before the first start there; for tests that are marked with `django_db`."""
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
        restore(os.environ["DATABASE_URL"], TEMPLATE, postgres.url)
        migrations.remember_applied(postgres.url, work)
    finally:
        postgres.stop()
    half = made.with_suffix(".half")
    half.mkdir()
    copy(work / STAMP, half / STAMP)
    copy(_home(work) / "data", half / "data")
    half.rename(made)


def restore(server: str, name: str, target: str) -> None:
    """A database of a server into the empty one that a URL names."""
    programs = embedded._postgres_binaries(_ids())
    dump, psql = ([str(programs / name)] for name in ("pg_dump", "psql"))
    dumped = subprocess.run(
        [*dump, "--no-owner", f"--dbname={in_database(server, name)}"],
        capture_output=True,
        check=True,
    )
    options = ["--quiet", "--no-psqlrc", "--single-transaction"]
    options += ["--set", "ON_ERROR_STOP=1", "--output", os.devnull]
    subprocess.run([*psql, *options, target], input=dumped.stdout, check=True)


def in_database(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _ids() -> tuple[int, int] | None:
    return embedded._system_ids() if os.geteuid() == 0 else None


def _home(data_dir: Path) -> Path:
    return embedded._postgres_home(data_dir.resolve(), _ids(), durable=True)


def copy(source: Path, target: Path) -> None:
    """With its owner and its modes."""
    subprocess.run(["cp", "-a", source, target], check=True)
