"""The data directory: ours alone, one `make run` at a time.

secrets/      secret_key, encryption_keys.json, mailbox_secret (0600)
logs/         what each part printed
run.json      where a running system's servers are, as environment variables (0600)
parts.json    its processes: {name: [pid, started]}, to end those left by a crash
run.lock      held while running; says which process holds it, and its address
sandbox.port  kept, so that the sandbox's registered URL stays true
postgres/ or postgres.path, valkey/, mail/
"""

import base64
import fcntl
import json
import os
import random
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from config import children
from config.directories import private
from config.run.options import current_user_owns, is_free
from config.run.terminal import StartError

STOPPING = "stopping"
STOP_SECONDS = 30.0
# Outside the range from which systems take ports for outgoing connections.
SANDBOX_PORTS = range(20_000, 30_000)


def open_data_dir(data_dir: Path) -> None:
    """Makes it, or makes sure that it is ours and that nobody else looks in."""
    try:
        private(data_dir)
    except OSError as error:
        raise StartError(f"DATA_DIR {data_dir} cannot be made: {error}") from None
    shared = data_dir.stat().st_mode & stat.S_ISVTX
    if shared or data_dir in {Path("/"), Path.home()} or not data_dir.is_dir():
        raise StartError(f"DATA_DIR is {data_dir}; give it a directory of its own.")
    if not current_user_owns(data_dir):
        raise StartError(
            f"DATA_DIR {data_dir} belongs to another user. Run as that user, or set "
            "DATA_DIR to another directory."
        )
    data_dir.chmod(0o700)
    for name in ("secrets", "logs", "mail"):
        private(data_dir / name)


@contextmanager
def held(data_dir: Path, address: str) -> Iterator[Path]:
    """Holds the directory for us; gives the lock file, which says who we are."""
    path = data_dir / "run.lock"
    with path.open("a+") as lock:
        _lock(lock.fileno(), path)
        write_private(path, f"{os.getpid()} {address}\n", in_place=True)
        yield path


def _lock(lock: int, path: Path) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = path.read_text().strip()
        if STOPPING not in holder or time.monotonic() > deadline:
            pid, _, address = holder.partition(" ")
            raise StartError(
                f"DATA_DIR {path.parent} is in use by the system at {address} (process "
                f"{pid}). Stop that one, or set another DATA_DIR and PORT."
            )
        time.sleep(0.1)


def say_stopping(lock: Path) -> None:
    """Lets the next start of the same directory wait for us."""
    write_private(lock, f"{lock.read_text().strip()} {STOPPING}\n", in_place=True)


def write_private(path: Path, text: str, *, in_place: bool = False) -> None:
    """0600 from its first byte on; whole or not at all, unless in place."""
    target = path if in_place else path.with_name(f".{path.name}.new")
    opened = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if not in_place:
        target.rename(path)


def make_secrets(data_dir: Path) -> dict[str, Path]:
    """Made once: with another encryption key stored credentials could not be read."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    made = {
        "secret_key": secrets.token_urlsafe(50),
        "encryption_keys.json": json.dumps({"current": "k1", "keys": {"k1": key}}),
        "mailbox_secret": secrets.token_urlsafe(24),
    }
    paths = {name: data_dir / "secrets" / name for name in made}
    for name, path in paths.items():
        if not path.exists():
            write_private(path, made[name])
    return paths


def sandbox_port(data_dir: Path, asked: int | None) -> int:
    if asked:
        return asked
    kept = data_dir / "sandbox.port"
    port = int(kept.read_text()) if kept.exists() else _any_free_port()
    if not is_free(port):
        raise StartError(
            f"Port {port} of the sandbox server is taken by another program. Stop that "
            f"one, or remove {kept}: the sandbox then gets another URL."
        )
    write_private(kept, f"{port}\n")
    return port


def _any_free_port() -> int:
    tries = random.sample(SANDBOX_PORTS, 100)
    return next(port for port in tries if is_free(port))


def remember(data_dir: Path, pids: Mapping[str, int]) -> None:
    living = {name: [pid, children.started_at(pid)] for name, pid in pids.items()}
    write_private(data_dir / "parts.json", json.dumps(living))


def end_left_over(data_dir: Path, signum: int) -> None:
    """End what an earlier run of this directory left; a pid used again is another's."""
    try:
        known = json.loads((data_dir / "parts.json").read_text())
    except (FileNotFoundError, ValueError):
        return
    same = [pid for pid, at in known.values() if at and children.started_at(pid) == at]
    children.end(same, signum, seconds=10)
