"""Where a package is installed and run: a fresh folder, a user, an emptied environment.

As root every cell has a user id of its own that nobody else on the machine has, and,
where the system lets us, no network once the package is installed. Otherwise packages
run as the caller: with an empty HOME, but with all that the caller may read and reach
by its path. `words` says which it was.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from catalog.scanning.failures import ScanFailed
from catalog.scanning.kept import Limits, Place, Who, kept_code

# systemd's range for users that exist as long as a service runs.
USER_IDS = range(61184, 65520)
# Where programs find certificates, and pip and npm their registries. Nothing else of
# the caller's environment is passed on.
PASSED_ON = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"),
    *("CURL_CA_BUNDLE", "TZ"),
)
TO_INSTALL = (
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT"),
    *("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_FIND_LINKS"),
    *("PIP_DEFAULT_TIMEOUT", "npm_config_registry", "NPM_CONFIG_REGISTRY"),
    *("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    folder: Path
    uid: int | None
    offline: bool

    def who(self, *, online: bool = False) -> Who:
        return Who(self.uid, self.offline and not online)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def place(self) -> Place:
        return Place(self.home, self.folder)

    @property
    def words(self) -> str:
        if self.uid is None:
            return (
                "as the caller, not as root, so under no user of its own;"
                " empty HOME, network open"
            )
        network = "without network" if self.offline else "network open"
        return f"under an unprivileged user of its own; empty HOME, {network}"

    def environment(self, *, installing: bool = False) -> dict[str, str]:
        """What a program in here may see of ours, and nothing that opens anything."""
        names = PASSED_ON + (TO_INSTALL if installing else ())
        given = {name: os.environ[name] for name in names if name in os.environ}
        kept = {name: value for name, value in given.items() if not has_login(value)}
        return kept | {
            "PATH": search_path(),
            "HOME": str(self.home),
            "TMPDIR": str(self.folder / "tmp"),
            "USER": "scan",
            "LOGNAME": "scan",
            "LANG": "C.UTF-8",
            "TERM": "dumb",
        }

    def write(self, name: str, text: str) -> None:
        """A file in its HOME, before any program of the package ran there."""
        path = self.home / name
        for folder in reversed([p for p in path.parents if self.home in p.parents]):
            folder.mkdir(exist_ok=True)
            self.hand_over(folder)
        path.write_text(text)
        self.hand_over(path)

    def hand_over(self, path: Path) -> None:
        if self.uid is not None:
            os.chown(path, self.uid, self.uid, follow_symlinks=False)


@contextmanager
def cell() -> Iterator[Cell]:
    """A new one, gone afterwards with all that was written there."""
    with ExitStack() as held:
        uid = held.enter_context(_user()) if os.geteuid() == 0 else None
        folder = Path(tempfile.mkdtemp(prefix="policylayer-scan-"))
        held.callback(shutil.rmtree, folder, ignore_errors=True)
        made = Cell(folder, uid, offline=uid is not None and can_leave_network())
        for each in (folder, folder / "home", folder / "tmp"):
            each.mkdir(exist_ok=True, mode=0o700)
            made.hand_over(each)
        yield made


@contextmanager
def _user() -> Iterator[int]:
    """An id without account and processes, held against other scans by a socket.

    A socket of the abstract namespace leaves nothing behind, however we end.
    """
    for uid in USER_IDS:
        with socket.socket(socket.AF_UNIX) as held:
            try:
                held.bind(f"\0policylayer-scan-{uid}")
            except OSError:
                continue
            if not _in_use(uid):
                yield uid
                return
    raise ScanFailed("start", "No user id is free.")


def _in_use(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        owners = (_owner(entry) for entry in Path("/proc").glob("[0-9]*"))
        return uid in owners
    return True


def _owner(entry: Path) -> int:
    try:
        return entry.stat().st_uid
    except OSError:
        return -1  # it ended meanwhile


@cache
def can_leave_network() -> bool:
    """Tried out, as containers often withhold the right."""
    who = Who(uid=USER_IDS[-1], offline=True)
    return kept_code(["/bin/true"], who, Limits(seconds=10)) == 0


def has_login(value: str) -> bool:
    """An address with a user or password; several may stand in one value."""
    for word in value.split():
        try:
            parts = urlsplit(word)
        except ValueError:
            return True
        if "@" in parts.netloc:
            return True
    return False


def search_path() -> str:
    node = shutil.which("node")
    folders = [str(Path(node).parent)] if node else []
    return ":".join(dict.fromkeys([*folders, "/usr/local/bin", "/usr/bin", "/bin"]))
