"""Checks one policy document and runs the tests that it carries."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError, CommandParser

from policies.cases import run_cases
from policies.compile import compile_document
from policies.document import DocumentError, parse
from policies.jsontext import scan
from policies.management.lines import line_of
from policies.positions import Problem


class Command(BaseCommand):
    help = (
        "Print each error of a policy document as `line:column pointer text`, "
        "failing tests of the document too; exits 1 when there is one."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a file, or - for the standard input")
        parser.add_argument(
            "--zone", default="Etc/UTC", help="the time zone that its tests run in"
        )

    def handle(self, *args: Any, file: str, zone: str, **options: Any) -> None:
        problems = _problems(_read(file), _zone(zone))
        for problem in problems:
            self.stdout.write(line_of(problem))
        if problems:
            sys.exit(1)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CommandError(f"{name!r} is no time zone") from None


def _read(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CommandError(f"{file}: no UTF-8 at byte {error.start + 1}") from None


def _problems(text: str, zone: ZoneInfo) -> list[Problem]:
    try:
        document = parse(text)
    except DocumentError as error:
        return list(error.problems)
    report = scan(text).report
    for index, result in enumerate(run_cases(compile_document(document), {}, zone)):
        if result.outcome == "failed":
            said = f"the test {result.name!r} fails: {result.message}"
            report.at(("tests", index), said)
    return list(report.problems())
