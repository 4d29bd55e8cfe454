"""`manage.py apply FILE`: brings one organization to what a JSON file says."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from policies.desired.applying import NotInForce, Outcome, apply, wait_in_force
from policies.desired.wanted import ConfigurationError
from policies.management.lines import line_of

REFUSED, NOT_IN_FORCE, NOT_MAILED = 1, 3, 4


class Command(BaseCommand):
    help = (
        "Brings one organization to what a JSON file says: all of it or nothing."
        " Exit status: 0 done and in force, 1 refused and unchanged, 3 stored but not"
        " in force, 4 in force but an invitation could not be mailed."
    )
    # They load all pages, which this has none of.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="- reads standard input")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would change"
        )
        parser.add_argument(
            "--json", action="store_true", help="print changes, endpoints and tokens"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        text, folder = _read(options["file"])
        try:
            organization, outcome = apply(
                text, folder, os.environ, dry_run=options["dry_run"]
            )
        except ConfigurationError as error:
            # Not by a CommandError: its name would stand before the first line.
            self.stderr.write(_listed(error))
            sys.exit(REFUSED)
        self._say(outcome, options)
        if not options["dry_run"]:
            self._wait(organization)
        if outcome.undelivered:
            raise CommandError(_not_mailed(outcome), returncode=NOT_MAILED)

    def _wait(self, organization: Any) -> None:
        try:
            wait_in_force(organization)
        except NotInForce:
            raise CommandError(
                "Everything is stored, but not yet in force: Valkey, or a replica of"
                " it, does not take the change. The worker keeps trying; calls are"
                " refused or decided as before until then.",
                returncode=NOT_IN_FORCE,
            ) from None

    def _say(self, outcome: Outcome, options: dict[str, Any]) -> None:
        for note in outcome.notes:
            self.stderr.write(f"Note: {note}")
        if options["json"]:
            said = {"changes": outcome.changes, "grants": outcome.grants}
            self.stdout.write(json.dumps(said, indent=2))
            return
        would = "would change: " if options["dry_run"] else ""
        for change in outcome.changes:
            self.stdout.write(f"{would}{change}")
        if not outcome.changes:
            self.stdout.write("no changes")
        for grant in outcome.grants:
            if grant["token"]:
                self.stdout.write(f"token of {grant['label']}: {grant['token']}")


def _read(name: str) -> tuple[str, Path]:
    try:
        if name == "-":
            return sys.stdin.read(), Path.cwd()
        return Path(name).read_text("utf-8"), Path(name).resolve().parent
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{name} cannot be read: {error}") from None


def _listed(error: ConfigurationError) -> str:
    return "\n".join([*map(line_of, error.problems), "Nothing was changed."])


def _not_mailed(outcome: Outcome) -> str:
    lines = [
        f"The mail to set a password was not sent to {e}" for e in outcome.undelivered
    ]
    return "\n".join([*lines, "They can ask for it at the sign-in page."])
