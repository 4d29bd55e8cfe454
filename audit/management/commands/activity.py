"""Prints an organization's records as JSON lines, oldest first."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Organization
from audit import moments
from audit.activity import records_of
from audit.models import Record
from audit.stream import Streams

# Seconds that records which wait in Valkey are given to arrive.
PATIENCE = 5.0
CHUNK = 2_000


class Command(BaseCommand):
    help = "Prints an organization's call records as JSON lines, oldest first."
    # They load all pages, which this has none of.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--since", default="", metavar="TIME", help=moments.HOW)

    def handle(self, *args: Any, **options: Any) -> None:
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise CommandError(f"no organization {options['organization']!r}")
        rows = records_of(organization).order_by("time", "id")
        if options["since"]:
            try:
                zone = ZoneInfo(organization.zone)
                rows = rows.filter(time__gte=moments.parse(options["since"], zone))
            except ValueError as error:
                raise CommandError(str(error)) from None
        for problem in _catch_up(organization):
            self.stderr.write(f"activity: {problem}")
        for record in rows.iterator(chunk_size=CHUNK):
            sys.stdout.buffer.write(orjson.dumps(told(record)) + b"\n")
        sys.stdout.buffer.flush()


def told(record: Record) -> dict[str, Any]:
    """One line; names are as recorded, null is what is not known."""
    return {
        "id": record.id,
        "time": record.time,
        "grant": record.grant_label,
        "server": record.server_name,
        "method": record.method,
        "tool": record.name if (record.method or "").startswith("tools/") else None,
        "decision": record.decision,
        "rule": record.rule,
        "outcome": record.outcome,
        "duration_ms": record.duration_ms,
        "name": record.name,
        "reason": record.reason,
        "would": _would(record),
        "member": record.member,
        "client": record.client,
        "policy_version": record.policy_version,
        "error_code": record.error_code,
        "is_error": record.is_error,
        "given_back": record.given_back,
        "approval": record.approval_id,
        "arguments": orjson.Fragment(record.arguments) if record.arguments else None,
        "arguments_digest": record.arguments_digest,
    }


def _would(record: Record) -> dict[str, str | None] | None:
    if record.would_decision is None:
        return None
    return {"decision": record.would_decision, "rule": record.would_rule}


def _catch_up(organization: Organization) -> Iterator[str]:
    """Waits until what was in the stream when we came is recorded; yields a problem."""
    try:
        streams = Streams(settings.REDIS_URL)
        last = streams.last(organization.shard)
        until = time.monotonic() + PATIENCE
        while last is not None and streams.holds(organization.shard, last):
            if time.monotonic() > until:
                yield "calls still wait to be recorded; is the recorder running?"
                break
            time.sleep(0.05)
        streams.close()
    except redis.RedisError as error:
        yield f"calls that wait in Valkey are not seen: {error}"
