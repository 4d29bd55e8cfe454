"""What the person at the terminal reads: few lines, each of them for a person.

A terminal that has gone away must not take the system with it.
"""

import sys
from pathlib import Path


class StartError(Exception):
    """The system cannot start or go on; the text is for the person at the terminal."""


def say(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError:
        # The reader of a closed pipe is gone; nobody is left to be told.
        sys.stdout = Path("/dev/null").open("w")  # noqa: SIM115


def last_lines(log: Path, since: int, count: int = 15) -> str:
    """The end of what was printed from the byte `since` on, indented."""
    with log.open("rb") as printed:
        size = printed.seek(0, 2)
        printed.seek(max(since if since <= size else 0, size - 20_000))
        lines = printed.read().decode(errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-count:] if line.strip())
