"""Scores the classifier against the committed labels. Needs no database."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.classifier.version import VERSION
from catalog.evaluation import history, labels, report, scoring


class Command(BaseCommand):
    help = (
        "Score the classifier on the development servers; with --held-out on those "
        "that no rule was made from, whose score is kept once per version."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--held-out", action="store_true")
        parser.add_argument("--json", action="store_true", help="figures as JSON")
        parser.add_argument("--no-errors", action="store_true")
        parser.add_argument("--snapshot", type=Path, default=scoring.SNAPSHOT)

    def handle(
        self, *args: Any, held_out: bool, snapshot: Path, **options: Any
    ) -> None:
        known = labels.read(labels.HELD_OUT if held_out else labels.DEVELOPMENT)
        tools = scoring.shipped(snapshot)
        scored = scoring.score(known, tools)
        if not scored.judged:
            raise CommandError(f"{snapshot} holds none of the labelled tools")
        figures = scoring.figures(scored)
        if held_out:
            self._keep(figures)
        if options["json"]:
            self._as_json(tools, figures)
        else:
            self._as_text(tools, figures, held_out)
        if not options["no_errors"] and not options["json"]:
            self._lines(report.errors(scored.errors))

    def _keep(self, figures: dict[str, Any]) -> None:
        """Adds to the history, or says that this version had another score."""
        known = history.entry(VERSION)
        if known is None:
            history.append(VERSION, f"{datetime.now(UTC):%Y-%m-%d}", figures)
        elif known["figures"] != figures:
            self.stderr.write(
                f"The history has other figures for {VERSION}: what changes verdicts"
                " raises the version."
            )

    def _as_json(self, tools: scoring.Tools, figures: dict[str, Any]) -> None:
        answer = {
            "version": VERSION,
            "figures": figures,
            "agreement": scoring.agreement(_all_labels()),
            "annotations": scoring.beside_authors(tools),
        }
        self.stdout.write(json.dumps(answer, indent=1))

    def _as_text(self, tools: scoring.Tools, figures: Any, held_out: bool) -> None:
        title = "Held-out servers" if held_out else "Development servers"
        self._lines(report.lines(figures, f"{title}, version {VERSION}"))
        self.stdout.write("\n" + report.agreement(scoring.agreement(_all_labels())))
        self._lines(report.beside_authors(scoring.beside_authors(tools)))

    def _lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(line)


def _all_labels() -> list[labels.Label]:
    return labels.read(labels.DEVELOPMENT) + labels.read(labels.HELD_OUT)
