"""Lists what visitors wrote in the contact form, as JSON lines, the oldest first."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from catalog.models import Message
from catalog.plain import as_json, moment


class Command(BaseCommand):
    help = "Print the messages of the contact form, one JSON object a line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--unmailed", action="store_true", help="only those that were not mailed"
        )

    def handle(self, *args: Any, unmailed: bool, **options: Any) -> None:
        rows = Message.objects.order_by("pk")
        for row in rows.filter(mailed_at=None) if unmailed else rows:
            self.stdout.write(as_json(told(row)))


def told(row: Message) -> dict[str, Any]:
    return {
        "id": row.pk,
        "at": moment(row.created_at),
        "mailed": moment(row.mailed_at) if row.mailed_at else None,
        "name": row.name,
        "email": row.email,
        "page": row.page,
        "text": row.text,
    }
