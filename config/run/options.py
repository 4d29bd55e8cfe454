"""What the environment asks of `make run`, checked before anything is started."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.run.terminal import StartError

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Options:
    data_dir: Path
    port: int
    base_url: str
    database_url: str  # empty: the embedded Postgres
    redis_url: str  # empty: the embedded Valkey
    email_url: str  # empty: the mailbox
    sandbox_port: int | None


def read_options(env: Mapping[str, str]) -> Options:
    port = _port("PORT", env.get("PORT") or "8000")
    options = Options(
        data_dir=Path(env.get("DATA_DIR") or ROOT / ".data").resolve(),
        port=port,
        base_url=(env.get("BASE_URL") or f"http://{HOST}:{port}").rstrip("/"),
        database_url=env.get("DATABASE_URL", ""),
        redis_url=env.get("REDIS_URL", ""),
        email_url=env.get("EMAIL_URL", ""),
        sandbox_port=_sandbox_port(env),
    )
    if not options.email_url and urlsplit(options.base_url).hostname not in LOOPBACK:
        raise StartError(
            f"BASE_URL is {options.base_url}, which others can reach, and mail would "
            "go to the mailbox page, which is for this machine alone. Set EMAIL_URL."
        )
    return options


def _port(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise StartError(f"{name} is {text!r}; write a number from 1 to 65535.")
    return int(text)


def _sandbox_port(env: Mapping[str, str]) -> int | None:
    text = env.get("SANDBOX_PORT")
    return _port("SANDBOX_PORT", text) if text else None


def is_free(port: int) -> bool:
    """Whether we could listen there. Raises PermissionError for a privileged port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise
        except OSError:
            return False
    return True


def check_port(port: int) -> None:
    try:
        free = is_free(port)
    except PermissionError:
        raise StartError(
            f"Port {port} is for root alone; choose another, as in: make run PORT=8080"
        ) from None
    if not free:
        raise StartError(
            f"Port {port} on {HOST} is taken by another program. Stop that one, or "
            f"choose another port, as in: make run PORT={min(port + 10, 65535)}"
        )


def own_ports(options: Options) -> str:
    """The loopback ports of our own parts, which no upstream connection may reach."""
    ports = {options.port}
    for url, usual in ((options.database_url, 5432), (options.redis_url, 6379)):
        parts = urlsplit(url)
        if parts.scheme in {"postgres", "postgresql", "redis", "rediss", "valkey"}:
            ports.add(parts.port or usual)
    return ",".join(str(port) for port in sorted(ports))


def current_user_owns(path: Path) -> bool:
    return path.stat().st_uid == os.geteuid()
