"""A virtual environment for each package, in a folder that is kept between runs.

Each has the newest version that the machine's own pip finds, configured as it is. What
was installed before is used again and said to be; `--fresh` installs all of it anew.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from config.bootstrap import environment

INSTALL_SECONDS = 1200
AT_ONCE = 2
VERSION = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
PIP = (
    *("-m", "pip", "install", "--quiet", "--no-input"),
    "--disable-pip-version-check",
)


class Environment(NamedTuple):
    package: str
    folder: Path
    version: str
    seconds: float  # that installing took; 0 where it was there already

    def script(self, name: str) -> str:
        return str(self.folder / "bin" / name)

    def described(self) -> str:
        how = f"installed in {self.seconds:.0f} s" if self.seconds else "kept"
        return f"{self.package} {self.version} ({how})"


def installed(cache: Path, requirements: list[str], fresh: bool) -> list[Environment]:
    """In their order. Raises RuntimeError with pip's last words."""
    cache.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda each: _installed(cache, each, fresh), requirements))


def _installed(cache: Path, requirement: str, fresh: bool) -> Environment:
    package = requirement.partition("[")[0]
    folder = cache / package
    stamp = folder / "installed.json"
    if stamp.exists() and not fresh:
        return Environment(package, folder, json.loads(stamp.read_text()), 0)
    shutil.rmtree(folder, ignore_errors=True)
    begun = time.monotonic()
    _run([sys.executable, "-m", "venv", str(folder)])
    python = str(folder / "bin" / "python")
    _run([python, *PIP, requirement])
    version = _run([python, "-c", VERSION, package]).strip()
    stamp.write_text(json.dumps(version))
    return Environment(package, folder, version, time.monotonic() - begun)


def _run(argv: list[str]) -> str:
    done = subprocess.run(
        argv,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    if done.returncode:
        last = " ".join((done.stdout + done.stderr).splitlines()[-3:])
        raise RuntimeError(f"{' '.join(argv)}: {last}")
    return done.stdout
