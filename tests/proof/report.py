"""One line a check, as it is made; what failed decides the exit status."""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST_REASON = 300


class Report:
    """`folder` gets the traceback of each failure, and what `look` draws then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.look: Callable[[Path], object] | None = None
        self.counts: Counter[str] = Counter()

    @contextmanager
    def check(self, what: str) -> Iterator[list[str]]:
        """PASS unless the block raises; what it appends is said behind the check."""
        said: list[str] = []
        try:
            yield said
        except Exception as error:  # noqa: BLE001 (whatever fails is a failed check)
            self.fail(what, error)
        else:
            self._line("PASS", what, ", ".join(said))

    def fail(self, what: str, error: BaseException) -> None:
        with (self.folder / "failures.txt").open("a") as file:
            print(f"{what}\n{traceback.format_exc()}", file=file)
        self._line("FAIL", what, reason(error))
        if self.look:
            self.look(self.folder / f"failure-{self.counts['FAIL']}.png")

    def cannot(self, what: str, why: str) -> None:
        self._line("CANNOT", what, why)

    def note(self, text: str) -> None:
        print(f"       {text}", flush=True)

    def head(self, text: str) -> None:
        print(f"\n{text}", flush=True)

    def _line(self, verdict: str, what: str, more: str) -> None:
        self.counts[verdict] += 1
        print(f"{verdict:6} {what}{': ' if more else ''}{more}", flush=True)

    def summary(self) -> int:
        """The exit status. No check at all is a failure too."""
        named = ("PASS", "FAIL", "CANNOT")
        print("\n" + ", ".join(f"{self.counts[each]} {each}" for each in named))
        return int(self.counts["FAIL"] > 0 or self.counts["PASS"] == 0)


def reason(error: BaseException) -> str:
    """Its name and its text; of a traceback of another process only what was raised."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    text = str(error) or traceback.format_exception_only(error)[-1]
    if "Traceback (most recent call last)" in text:
        text = text.strip().splitlines()[-1]
    said = re.sub(r"\s+", " ", f"{type(error).__name__}: {text}").strip()
    return said[:LONGEST_REASON]
