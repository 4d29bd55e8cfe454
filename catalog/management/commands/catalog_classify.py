"""Classifies tool definitions given as JSON lines. Needs no database."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import jiter
from django.core.management.base import BaseCommand, CommandError

from catalog.classifier.facts import BadDefinition
from catalog.classifier.judging import classify

MOST_BYTES = 2 * 1024 * 1024


class Command(BaseCommand):
    help = (
        "Classify tool definitions read from standard input, one JSON object a line: "
        "name, description, inputSchema, annotations (optional). Writes one verdict a "
        "line, in the same order. Lines that are no definition are told on the error "
        "output with their number; the exit is then 1."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        number, bad = 0, 0
        while line := sys.stdin.buffer.readline(MOST_BYTES):
            number += 1
            try:
                self._answer(_whole(line))
            except BadDefinition as error:
                bad += 1
                self.stderr.write(f"line {number}: {error}")
        if bad:
            lines = "lines are" if bad > 1 else "line is"
            raise CommandError(f"{bad} {lines} no definition")

    def _answer(self, line: bytes) -> None:
        if line.strip():
            definition = _definition(line)
            verdict = {"name": definition["name"]} | classify(definition).as_json()
            self.stdout.write(json.dumps(verdict))


def _whole(line: bytes) -> bytes:
    """Reads a line that is too long to its end, and refuses it."""
    if len(line) < MOST_BYTES or line.endswith(b"\n"):
        return line
    while (rest := sys.stdin.buffer.readline(MOST_BYTES)) and not rest.endswith(b"\n"):
        pass
    raise BadDefinition(f"longer than {MOST_BYTES:,} bytes.")


def _definition(line: bytes) -> Mapping[str, Any]:
    try:
        value = jiter.from_json(line, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        raise BadDefinition(f"no JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadDefinition("no JSON object.")
    return value
