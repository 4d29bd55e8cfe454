"""Makes the virtual environment, then becomes a module in it.

    python3 config/bootstrap.py [--dev] [MODULE [ARGUMENT ...]]

Standard library only: it runs before anything is installed. The pins are installed
when their digest differs from the one in `.venv/pins.json`; runs side by side wait for
each other. An installation that was killed half way is thrown away and made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "pins.json"
UNFINISHED = VENV / "unfinished"
SYSTEM_PYTHON = "/usr/bin/python3"
LANGUAGE = sys.version_info[:2]
# Both would make the environment load or install code from somewhere else.
LEADS_ASTRAY = ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_USER")


def main(arguments: list[str]) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 (nothing has checked it yet)
        sys.exit(
            f"PolicyLayer needs Python 3.11 or newer, not {sys.version.split()[0]}"
        )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    pins = "requirements.txt"
    if arguments[:1] == ["--dev"]:
        pins = "requirements-dev.txt"
        arguments = arguments[1:]
    try:
        ready(pins)
    except KeyboardInterrupt:
        sys.exit(130)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if not arguments:
        return
    if os.environ.get("DATA_DIR"):
        # Relative to where the command was given.
        os.environ["DATA_DIR"] = os.path.abspath(os.environ["DATA_DIR"])
    os.chdir(ROOT)
    os.execve(PYTHON, [str(PYTHON), "-m", *arguments], environment())


def ready(pins: str) -> None:
    """The environment holds what the pins say."""
    if installed(pins):
        return
    lock = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        if not installed(pins):
            install(pins, lock)
    finally:
        os.close(lock)


def installed(pins: str) -> bool:
    return (
        PYTHON.exists()
        and not UNFINISHED.exists()
        and stamp().get(pins) == digest(pins)
    )


def stamp() -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return found


def digest(pins: str) -> str:
    return hashlib.sha256((ROOT / pins).read_bytes()).hexdigest()


def install(pins: str, lock: int) -> None:
    if not PYTHON.exists() or UNFINISHED.exists():
        make_environment(lock)
    print(f"Installing what {pins} pins; later starts skip this.", flush=True)
    UNFINISHED.touch()
    call([*pip(), "install", "--require-hashes", "-r", str(ROOT / pins)], lock)
    # The development pins contain all of the others.
    STAMP.write_text(
        json.dumps({name: digest(name) for name in ("requirements.txt", pins)})
    )
    UNFINISHED.unlink()


def make_environment(lock: int) -> None:
    made_with = interpreter()
    print(f"Making the virtual environment {VENV} with {made_with}", flush=True)
    # The interpreter's pip serves; installing another takes seconds.
    options = ["--clear", *(["--without-pip"] if find_spec("pip") else [])]
    call([made_with, "-m", "venv", *options, str(VENV)], lock)


def interpreter() -> str:
    """The system's Python where the one that runs this was compiled without
    optimizations, as version managers do: a call takes a tenth less CPU there.
    `PYTHON` (also as a variable of make) is kept to."""
    if os.environ.get("PYTHON") or optimized() or not find_spec("pip"):
        return sys.executable
    same_or_newer = f"import sys, venv; sys.exit(sys.version_info < {LANGUAGE})"
    try:
        asked = subprocess.run(
            [SYSTEM_PYTHON, "-I", "-c", same_or_newer], capture_output=True, check=False
        )
    except OSError:
        return sys.executable
    # Resolved: once the system moves on to another, the environment is made anew.
    return sys.executable if asked.returncode else os.path.realpath(SYSTEM_PYTHON)


def optimized() -> bool:
    built_with = sysconfig.get_config_var("CONFIG_ARGS")
    return built_with is None or "--enable-optimizations" in built_with


def pip() -> list[str]:
    own = (VENV / "bin" / "pip").exists()
    base = [str(PYTHON), "-m", "pip"] if own else [sys.executable, "-m", "pip"]
    options = ["-qq", "--no-input", "--disable-pip-version-check"]
    return [*base, *options] if own else [*base, "--python", str(PYTHON), *options]


def call(argv: list[str], lock: int) -> None:
    """The child holds the lock too, so that it keeps others out should we be killed."""
    done = subprocess.run(
        argv,
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        pass_fds=[lock],
        check=False,
    )
    if done.returncode:
        sys.exit(f"Failed: {' '.join(argv)}")


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in LEADS_ASTRAY}


if __name__ == "__main__":
    main(sys.argv[1:])
