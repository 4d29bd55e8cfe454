"""`manage.py catalog_sync [URL]`: keeps in step with an MCP registry."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from catalog.registry.failures import RegistryError
from catalog.registry.syncing import sync


class Command(BaseCommand):
    help = (
        "Reads what an MCP registry (API v0.1) publishes, or what changed since the"
        " last time; resumes where a run was cut off. Exit status: 0 read to the end,"
        " whatever single entries were refused; 1 not read, or not to the end."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "url", nargs="?", metavar="URL", help="default: CATALOG_REGISTRY_URL"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        url = options["url"] or settings.CATALOG_REGISTRY_URL
        if not url:
            raise CommandError("give a URL, or set CATALOG_REGISTRY_URL")
        try:
            report = sync(url)
        except RegistryError as error:
            raise CommandError(error.reason) from None
        for line in report.lines():
            self.stdout.write(line)
        if report.error:
            sys.exit(1)
