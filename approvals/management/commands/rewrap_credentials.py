"""Takes the current key of ENCRYPTION_KEYS into use for all that is stored encrypted:
credentials of servers, addresses and keys of webhooks."""

from typing import Any

from django.core.management.base import BaseCommand

from approvals import hook_keys
from servers import credentials


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        changed, hooks = credentials.rewrap_all(), hook_keys.rewrap_all()
        self.stdout.write(f"{changed} credentials were moved to the current key.")
        self.stdout.write(f"{hooks} webhooks were moved to the current key.")
