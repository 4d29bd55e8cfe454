"""Decides cases given as JSON lines; policies/case_lines.py says what a line holds."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from policies.case_lines import BadLine, CaseReader


class Command(BaseCommand):
    help = (
        "Decide cases, one JSON object a line: a document, a call and its context. "
        "Writes one line each: id, expect and rule, or why the document is refused. "
        "Lines that are no case are told on the error output; the exit is then 1."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", nargs="?", default="-", help="a file, or - (default)"
        )

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        if file == "-":
            bad = self._decide_all(sys.stdin.buffer)
        else:
            bad = self._decide_file(file)
        if bad:
            raise CommandError(f"{bad} line{'s are' if bad > 1 else ' is'} no case")

    def _decide_file(self, file: str) -> int:
        try:
            with Path(file).open("rb") as lines:
                return self._decide_all(lines)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from None

    def _decide_all(self, lines: Iterable[bytes]) -> int:
        reader, bad = CaseReader(), 0
        for number, line in enumerate(lines, 1):
            try:
                self._decide(reader, line)
            except BadLine as error:
                bad += 1
                self.stderr.write(f"line {number}: {error}")
        return bad

    def _decide(self, reader: CaseReader, line: bytes) -> None:
        try:
            text = line.decode().strip()
        except UnicodeDecodeError as error:
            raise BadLine(f"no UTF-8 at byte {error.start + 1}.") from None
        if not text:
            return
        answer = reader.answer(text)
        if answer is not None:
            self.stdout.write(json.dumps(answer))
