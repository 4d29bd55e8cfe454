"""`manage.py catalog_disputes`: disputes of verdicts, and the operator's answers."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog import disputes
from catalog.models import Dispute, DisputeState

DECISIONS = {"accept": DisputeState.ACCEPTED, "reject": DisputeState.REJECTED}


class Command(BaseCommand):
    help = "Lists disputes as JSON lines; accepts or rejects one, with an answer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("do", nargs="?", choices=["list", *DECISIONS])
        parser.add_argument("id", nargs="?", help="the dispute to decide")
        parser.add_argument("answer", nargs="?", help="what its organization reads")
        parser.add_argument("--all", action="store_true", help="list decided ones too")

    def handle(self, *args: Any, **given: Any) -> None:
        if given["do"] in DECISIONS:
            self._decide(DECISIONS[given["do"]], given["id"], given["answer"])
        else:
            self._list(given["all"])

    def _list(self, every: bool) -> None:
        rows = Dispute.objects.across_organizations().order_by("created_at")
        rows = rows.select_related("organization", "tool__server")
        for row in rows if every else rows.filter(state=DisputeState.OPEN):
            self.stdout.write(json.dumps(_line(row)))

    def _decide(self, state: DisputeState, dispute_id: str, answer: str) -> None:
        if not dispute_id or not answer or not answer.strip():
            raise CommandError("Give the dispute's id and an answer.")
        try:
            row = disputes.decide(UUID(dispute_id), state, answer.strip())
        except (ValueError, disputes.NotOpen):
            raise CommandError(f"No dispute {dispute_id} is open.") from None
        self.stdout.write(json.dumps(_line(row)))


def _line(row: Dispute) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "state": row.state,
        "organization": row.organization.slug,
        "tool": disputes.place(row.tool),
        "says": [row.tool.category, row.tool.severity],
        "should_be": [row.category, row.severity],
        "current": row.fingerprint == row.tool.fingerprint,
        "reason": row.reason,
        "answer": row.answer,
        "at": row.created_at.isoformat(),
    }
