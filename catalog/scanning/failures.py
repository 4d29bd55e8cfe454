"""Why a server could not be scanned."""

from __future__ import annotations

from servers.definitions import printable

LAST_WORDS = 400


class ScanFailed(Exception):
    """`stage`: `source`, `install`, `start`, `answer`. `said`: its last words, if any."""

    def __init__(self, stage: str, why: str, said: str = "") -> None:
        super().__init__(why)
        self.stage, self.why = stage, why
        self.said = printable(said[-4 * LAST_WORDS :], 4 * LAST_WORDS)[-LAST_WORDS:]

    def __str__(self) -> str:
        said = f" It said: {self.said}" if self.said else ""
        return f"{self.stage}: {self.why}{said}"
