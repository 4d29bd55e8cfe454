"""Takes the current key of ENCRYPTION_KEYS into use for all stored credentials."""

from typing import Any

from django.core.management.base import BaseCommand

from servers import credentials


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        changed = credentials.rewrap_all()
        self.stdout.write(f"{changed} credentials were moved to the current key.")
