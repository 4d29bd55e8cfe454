"""Brings the shipped snapshot, and the classifier's version, into the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from catalog.shipping import load


class Command(BaseCommand):
    help = (
        "Load the shipped snapshot of the catalogue, and judge again what another"
        " version of the classifier judged. What was scanned here later stays."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        done = load()
        self.stdout.write(
            f"Catalogue: {done.servers} servers loaded, {done.tools} tools judged anew."
        )
