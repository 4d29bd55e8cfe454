"""Brings one organization to what a file says: network first, then one transaction."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as Folder

from django.db import transaction

from accounts import generation
from accounts.models import Organization
from policies.desired import people, rights, upstream
from policies.desired.invitations import MailFailed, invite
from policies.desired.reading import located, read
from policies.desired.run import Refused, Run
from policies.desired.wanted import Wanted
from policies.granting import endpoint
from policies.models import Grant

IN_FORCE_SECONDS = 15.0
PAUSE = 0.2


class NotInForce(Exception):
    """Everything is stored, but a gateway may still decide as before."""


@dataclass(frozen=True)
class Outcome:
    """`notes` are warnings; `undelivered` mails that could not be sent."""

    changes: list[str]
    grants: list[dict[str, str | None]]
    notes: list[str]
    undelivered: list[str]


def apply(
    text: str, folder: Folder, environment: Mapping[str, str], dry_run: bool = False
) -> tuple[Organization, Outcome]:
    """Raises ConfigurationError, and then nothing is changed."""
    wanted = read(text, folder, environment)
    try:
        answers = upstream.ask(wanted)
        with transaction.atomic():
            run = _bring(wanted, answers)
            grants = _grants(run, wanted, dry_run)
            transaction.set_rollback(dry_run)
    except Refused as error:
        raise located(text, error.path, error.message) from None
    undelivered = [] if dry_run else _invite(run)
    return run.organization, Outcome(run.changes, grants, run.notes, undelivered)


def wait_in_force(
    organization: Organization, seconds: float = IN_FORCE_SECONDS
) -> None:
    """Raises NotInForce."""
    until = time.monotonic() + seconds
    while not (generation.apply(organization) and generation.in_force(organization)):
        if time.monotonic() > until:
            raise NotInForce
        time.sleep(PAUSE)


def _bring(wanted: Wanted, answers: Mapping[str, upstream.Answer]) -> Run:
    run = people.bring_organization(wanted.organization)
    people.bring_members(run, wanted)
    upstream.bring_servers(run, wanted, answers)
    rights.bring_policies(run, wanted)
    rights.bring_grants(run, wanted)
    return run


def _grants(run: Run, wanted: Wanted, dry_run: bool) -> list[dict[str, str | None]]:
    """Those of the file that exist, in its order; a dry run leaves out what it made up:
    tokens, and endpoints of servers that are not there."""
    tokens = {} if dry_run else run.tokens
    made_up = run.added if dry_run else ()
    rows = Grant.objects.for_organization(run.organization).select_related("server")
    labels = [grant.label for grant in wanted.grants]
    found = {grant.label: grant for grant in rows.filter(label__in=labels)}
    servers = {label: found[label].server for label in labels if label in found}
    return [
        {
            "label": label,
            "endpoint": None if server.name in made_up else endpoint(server),
            "token": tokens.get(label),
        }
        for label, server in servers.items()
    ]


def _invite(run: Run) -> list[str]:
    undelivered = []
    for user in run.invited:
        try:
            invite(user)
        except MailFailed as error:
            undelivered.append(f"{user.email}: {error}")
    return undelivered
