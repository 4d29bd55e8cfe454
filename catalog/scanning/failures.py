"""Why a server could not be scanned."""

from __future__ import annotations

from servers.definitions import printable

LAST_WORDS = 400
LONGEST = 1000


class ScanFailed(Exception):
    """`stage` is `source`, `install`, `start` or `answer`; `said` its last words."""

    def __init__(self, stage: str, why: str, said: str = "") -> None:
        self.stage, self.why = stage, printable(why, LONGEST)
        super().__init__(self.why)
        self.said = printable(said[-4 * LAST_WORDS :], 4 * LAST_WORDS)[-LAST_WORDS:]

    def __str__(self) -> str:
        said = f" It said: {self.said}" if self.said else ""
        return f"{self.stage}: {self.why}{said}"
