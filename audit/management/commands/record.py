"""Runs the recorder; any number may, each takes the shards that are free."""

from __future__ import annotations

import os
import signal
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from audit.recorder import OUTCOME_DEADLINE, Every, Recorder


class Command(BaseCommand):
    help = "Copies call records from Valkey into Postgres until it is told to stop."
    # They load all pages, which this has none of.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--outcome-deadline",
            type=float,
            default=OUTCOME_DEADLINE.total_seconds(),
            help="seconds after which a call without outcome is unknown",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = timedelta(seconds=options["outcome_deadline"])
        recorder = Recorder(_heart(os.environ.get("RECORDER_HEARTBEAT")), deadline)

        def stop(signum: int, frame: FrameType | None) -> None:
            recorder.stopping = True

        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, stop)
        recorder.run()


class _heart:
    """Touches a file every second, for whoever supervises."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None
        self._due = Every(1.0)

    def __call__(self) -> None:
        if self._path is not None and self._due():
            self._path.touch()
