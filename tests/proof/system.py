"""PolicyLayer as `make run` starts it, with data of its own beside the proof's logs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded import erase
from tests.proof.processes import START_SECONDS
from tests.run.made import free_port
from tests.system.running import RunningSystem


class PatientSystem(RunningSystem):
    """Six servers start beside it: it may take longer than in a test."""

    def await_line(self, start: str, seconds: float = START_SECONDS) -> str:
        return super().await_line(start, seconds)


@contextmanager
def started(work: Path) -> Iterator[RunningSystem]:
    data_dir = work / "data"
    try:
        with PatientSystem(data_dir, free_port()) as system:
            yield system
    finally:
        erase(data_dir)
