"""Rebuilds the snapshot that ships. For whoever maintains the list of recipes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from catalog import shipping


class Command(BaseCommand):
    help = (
        "Scan every server of the recipes and write the snapshot. A server that does"
        " not answer keeps its file; exits 1 then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--jobs", type=int, default=2, help="scans at once (2)")
        known = parser.add_mutually_exclusive_group()
        known.add_argument(
            "--from-rows", action="store_true", help="write what the database has"
        )
        known.add_argument(
            "--from", type=Path, dest="answers", help="write what catalog_scan kept"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        failed = False
        if options["from_rows"]:
            offers = shipping.from_rows()
        else:
            folder = options["answers"] or settings.DATA_DIR / "catalog"
            failed = not options["answers"] and not self._scan(folder, options["jobs"])
            offers = shipping.from_answers(folder)
        written = shipping.write(offers, shipping.FOLDER)
        size = sum(path.stat().st_size for path in shipping.FOLDER.glob("*.json"))
        self.stdout.write(f"{len(written)} servers, {size / 1e6:.2f} MB in all.")
        if failed:
            sys.exit(1)

    def _scan(self, folder: Path, jobs: int) -> bool:
        try:
            call_command(
                "catalog_scan",
                recipes=True,
                keep=folder,
                no_store=True,
                jobs=jobs,
                stdout=self.stdout,
            )
        except SystemExit:
            return False
        return True
