"""Asks servers what they offer. Never calls a tool."""

from __future__ import annotations

import os
import signal
import sys
from argparse import RawDescriptionHelpFormatter
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from catalog import storing
from catalog.classifying import CURRENT
from catalog.models import CatalogServer
from catalog.offers import from_answer
from catalog.recipes import RECIPES
from catalog.scanning import sources as words
from catalog.scanning.answers import Answer
from catalog.scanning.failures import ScanFailed
from catalog.scanning.packages import Seconds
from catalog.scanning.records import source_of
from catalog.scanning.running import Done, scans
from catalog.scanning.sources import Source, from_recipe

AS_CALLER = (
    "Not root: packages run as you, with an empty HOME and without your environment,"
    " but they can read your files by their paths. Run this as root, or in a container"
    " of its own."
)
BY_DEFAULT = Seconds()


class Command(BaseCommand):
    help = f"Ask servers what they offer. SOURCE is one of\n\n{words.__doc__}"

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        kwargs["formatter_class"] = RawDescriptionHelpFormatter
        return super().create_parser(*args, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("sources", nargs="*", metavar="SOURCE")
        add("--recipes", action="store_true", help="all servers of the shipped list")
        add("--jobs", type=int, default=2, help="scans at once (2)")
        lately = "leave out what was scanned here in the last HOURS (24)"
        hours: dict[str, Any] = {"type": float, "nargs": "?", "const": 24.0}
        add("--resume", metavar="HOURS", help=lately, **hours)
        add("--no-store", action="store_true", help="print, and change no row")
        answers = "where the whole answers are kept (DATA_DIR/catalog)"
        add("--keep", type=Path, metavar="FOLDER", help=answers)
        for name in ("install", "start", "answer", "whole"):
            most = getattr(BY_DEFAULT, name)
            add(f"--{name}", type=float, default=most, help=f"seconds ({most:g})")

    def handle(self, *args: Any, sources: list[str], **options: Any) -> None:
        self.storing = not options["no_store"]
        self.folder = options["keep"] or settings.DATA_DIR / "catalog"
        self.failures: list[tuple[str, str]] = []
        found = self._sources(sources, options["recipes"])
        if options["resume"] is not None:
            found = self._without_recent(found, options["resume"])
        if os.geteuid() != 0 and any(each.kind != "url" for each in found):
            self.stdout.write(AS_CALLER)
        # So that the folders of those that run are gone too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        names = ("install", "start", "answer", "whole")
        seconds = Seconds(**{name: options[name] for name in names})
        for number, done in enumerate(scans(found, options["jobs"], seconds), 1):
            self._take(done, f"[{number}/{len(found)}]")
        self._report(len(found))

    def _sources(self, given: list[str], recipes: bool) -> list[Source]:
        found = [from_recipe(each) for each in RECIPES] if recipes else []
        for word in given:
            try:
                found.append(source_of(word))
            except ScanFailed as error:
                self._fail(word, str(error))
        if not found and not self.failures:
            raise CommandError("Name a source, or --recipes.")
        return list({(each.kind, each.name): each for each in found}.values())

    def _without_recent(self, found: list[Source], hours: float) -> list[Source]:
        since = timezone.now() - timedelta(hours=hours)
        left = [each for each in found if not _is_recent(each, since)]
        self.stdout.write(f"{len(found) - len(left)} were scanned lately.")
        return left

    def _take(self, done: Done, where: str) -> None:
        if done.answer is None:
            self._fail(str(done.source), str(done.failure))
            self.stdout.write(f"{where} {done.source}: failed, {done.failure}")
            if self.storing:
                storing.failed(done.source.kind, done.source.name, str(done.failure))
            return
        line = self._keep(done.answer)
        self.stdout.write(f"{where} {done.source} {line} ({done.seconds:.0f} s)")

    def _keep(self, answer: Answer) -> str:
        """Stores it; says what it has."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        own = Source(answer.kind, answer.source).slug
        (self.folder / f"{own}.json").write_bytes(answer.as_bytes())
        offer = from_answer(answer, CURRENT)
        if self.storing:
            storing.store(offer)
        counted = f"{len(offer.tools)} tools, {offer.prompts} prompts"
        problems = "".join(f"\n    {each}" for each in offer.problems)
        said = f"{counted}, {offer.resources} resources, {answer.environment}{problems}"
        return f"{answer.version}: {said}"

    def _fail(self, name: str, why: str) -> None:
        self.failures.append((name, why))

    def _report(self, asked: int) -> None:
        if not self.failures:
            return
        self.stdout.write(f"\nFailed: {len(self.failures)}; asked: {asked}.")
        for name, why in sorted(self.failures):
            self.stdout.write(f"  {name}\n    {why}")
        sys.exit(1)


def _is_recent(source: Source, since: Any) -> bool:
    rows = CatalogServer.objects.filter(
        source_kind=source.kind,
        source=source.name,
        shipped=False,
        scanned_at__gte=since,
        scan_error="",
    )
    return any(source.version in ("", row.version) for row in rows)
