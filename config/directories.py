"""Directories for one owner, for everybody, and for sockets (with short paths)."""

import os
import tempfile
from pathlib import Path

# Linux takes 107 bytes, macOS 103; Postgres makes its lock file's name from it.
LONGEST_SOCKET = 100


def private(folder: Path) -> Path:
    """The folder, made 0700 with everything above it that is missing."""
    missing = [step for step in (folder, *folder.parents) if not step.exists()]
    for step in reversed(missing):
        step.mkdir(mode=0o700, exist_ok=True)
    return folder


def open_to_all(folder: Path) -> None:
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder.chmod(0o755)


def socket_dir(home: Path, data_dir: Path, name: str) -> Path:
    """Home, or a short private directory that the file `sockets.path` names."""
    if len(os.fsencode(home / name)) <= LONGEST_SOCKET:
        return home
    named = data_dir / "sockets.path"
    if named.exists() and _is_private(Path(named.read_text().strip())):
        return Path(named.read_text().strip())
    short = Path(tempfile.mkdtemp(prefix="policylayer-", dir="/tmp"))
    named.write_text(f"{short}\n")
    return short


def _is_private(folder: Path) -> bool:
    """Ours alone: in a shared /tmp another user may have taken the name since."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return found.st_mode == 0o040700 and found.st_uid == os.geteuid()
