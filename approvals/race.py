"""A race for approvals, to prove that each approved call runs exactly once.

Several processes do the same at the same time with the same rows: ask, decide, run,
give back, make void, let time pass, and call again. Each keeps what it ran by itself;
afterwards that is compared with what the rows say.

It races in an organization of its own, whose people have no address that exists.
They may decide only while nobody is asked, so that nobody is mailed.
"""

from __future__ import annotations

import logging
import multiprocessing
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from typing import Any, NamedTuple
from uuid import UUID

from celery import current_app
from django.db import connections
from django.db.models.functions import Now

from accounts.models import Membership, Organization, Role, User
from approvals import asking, deciding, ending, running
from approvals.models import Approval, Via
from audit.ids import uuid7
from policies.approving import DEFAULT, Terms
from policies.decision import Ask
from policies.models import Grant
from servers.models import Origin, Server, Severity, ToolDefinition

log = logging.getLogger(__name__)

QUORUM = 2
ASKED = DEFAULT._replace(
    terms=(Terms(("role:approver",), QUORUM),), expires_in=86_400, use_within=86_400
)
RULE = Ask("/tools/pay/action", "A race")
GRANTS = 64
PENDING_MOST = 32_767
# After so many calls all processes wait for each other, so that they stay close.
STEP = 10
BARRIER_SECONDS = 120.0
# What happens to a call besides words and runs, by its number.
FATES = (*["plain"] * 5, *["given back"] * 2, "denied", "void", "late")


@dataclass(frozen=True)
class Course:
    """What all who race know. `people` decide, one for each process."""

    organization: UUID
    server: UUID
    grants: tuple[UUID, ...]
    people: tuple[UUID, ...]
    calls: int

    def question(self, number: int) -> asking.Question:
        return asking.Question(
            organization_id=self.organization,
            grant_id=self.grants[number % GRANTS],
            server_id=self.server,
            method="tools/call",
            name="pay",
            arguments=b'{"number":%d}' % number,
            fingerprint="f" * 64,
            entry_digest="e" * 64,
            policy_id=None,
            policy_version=None,
            asks=(RULE,),
            asked=ASKED,
            client="race",
            call=uuid7(),
        )

    def chosen(self, number: int) -> int:
        """The process that does to this call what its fate says."""
        return number // len(FATES) % len(self.people)


class Answer(NamedTuple):
    """Of asking: whose question it is, how it stands, and whether it is new."""

    number: int
    id: UUID | None
    kind: str
    new: bool


class Turn(NamedTuple):
    """What one process did with one call; `ran` is its id where it ran it for good."""

    number: int
    word: str
    given_back: int
    ran: UUID | None


Part = Callable[[Course, int], list[Any]]


@contextmanager
def course(calls: int, processes: int) -> Iterator[Course]:
    """An organization of its own; removed at the end, with its people."""
    mark = secrets.token_hex(8)
    organization = Organization.objects.create(
        slug=f"race-{mark}", name=f"Race {mark}", pending_most=PENDING_MOST
    )
    users = [
        User.objects.create_user(f"{mark}-{n}@race.invalid")
        for n in range(processes + 1)
    ]
    try:
        yield _course(organization, users, calls)
    finally:
        organization.delete()
        User.objects.filter(pk__in=[user.pk for user in users]).delete()


def _course(organization: Organization, users: Sequence[User], calls: int) -> Course:
    owner = {"organization": organization}
    people = [
        Membership.objects.create(user=user, role=Role.VIEWER, **owner)
        for user in users
    ]
    server = Server.objects.create(name="race", url="https://race.invalid/", **owner)
    ToolDefinition.objects.create(
        server=server,
        name="pay",
        definition="{}",
        fingerprint="f" * 64,
        severity=Severity.HIGH,
        verdict_origin=Origin.PERSON,
        **owner,
    )
    grants = Grant.objects.bulk_create(
        Grant(
            membership=people[0],
            server=server,
            label=f"grant {n}",
            token_hash=secrets.token_bytes(32),
            **owner,
        )
        for n in range(GRANTS)
    )
    return Course(
        organization.pk,
        server.pk,
        tuple(grant.pk for grant in grants),
        tuple(person.pk for person in people[1:]),
        calls,
    )


def let_decide(at: Course, may: bool) -> None:
    role = Role.APPROVER if may else Role.VIEWER
    rows = Membership.objects.for_organization(at.organization)
    rows.filter(pk__in=at.people).update(role=role)


def together(part: Part, at: Course) -> list[Any]:
    """What all processes bring back from doing `part` at the same time."""
    count = len(at.people)
    # A connection must not be used by two processes.
    connections.close_all()
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(count)
    with context.Pool(count, _begin, (barrier,)) as pool:
        parts = [(part, at, n) for n in range(count)]
        results = pool.starmap(_do, parts, chunksize=1)
    return [each for result in results for each in result]


class _Here:
    """Of this process: what keeps it close to the others."""

    barrier: Barrier


def _begin(barrier: Barrier) -> None:
    _Here.barrier = barrier
    # Nobody is to be told: tasks stay in this process, and end with it.
    current_app.conf.broker_url = "memory://localhost/"


def _do(part: Part, at: Course, number: int) -> list[Any]:
    try:
        return part(at, number)
    except BaseException:
        # The others need not wait for one who does not come.
        _Here.barrier.abort()
        log.exception("process %s of the race failed", number)
        raise


def _in_step(number: int) -> None:
    if number % STEP == 0:
        _Here.barrier.wait(BARRIER_SECONDS)


def ask_all(at: Course, part: int) -> list[Answer]:
    """Everybody asks about every call, and later calls again."""
    answers = []
    for number in range(at.calls):
        _in_step(number)
        said = asking.ask(at.question(number))
        answers.append(Answer(number, said.id, said.kind, said.new))
    return answers


def decide_and_run(at: Course, part: int) -> list[Turn]:
    """Everybody has a word on every call, and then tries to run it."""
    by = Membership.objects.for_organization(at.organization).select_related("user")
    person = by.get(pk=at.people[part])
    turns = []
    for number, row in enumerate(rows_of(at)):
        _in_step(number)
        fate = FATES[number % len(FATES)]
        chosen = at.chosen(number) == part
        word = _vote(row, person, approves=not (chosen and fate == "denied"))
        if chosen and fate == "void":
            running.void(at.organization, row.pk, "A race")
        if chosen and fate == "late":
            _pass_time(row)
        turns.append(Turn(number, word, *_run(row, gives_back=fate == "given back")))
    return turns


def rows_of(at: Course) -> list[Approval]:
    """In the order of their numbers."""
    rows = list(Approval.objects.for_organization(at.organization))
    return sorted(rows, key=lambda row: number_of(row))


def number_of(row: Approval) -> int:
    return int(row.arguments.removeprefix('{"number":').removesuffix("}"))


def _vote(row: Approval, by: Membership, *, approves: bool) -> str:
    try:
        deciding.vote(row.pk, by, approves=approves, via=Via.PAGE, fresh=False)
    except deciding.Refused as error:
        return error.code
    return "taken"


def _run(row: Approval, *, gives_back: bool) -> tuple[int, UUID | None]:
    """How often it was given back, and the call that ran at last."""
    organization, call = row.organization_id, uuid7()
    if not running.consume(organization, row.pk, call):
        return 0, None
    # Given back as if its server had certainly not been reached; a second run is for
    # good. Where it cannot be given back, the row says who else took it.
    if not gives_back or not running.release(organization, row.pk, call):
        return 0, call
    _, ran = _run(row, gives_back=False)
    return 1, ran


def _pass_time(row: Approval) -> None:
    """As if all its time were over."""
    rows = Approval.objects.for_organization(row.organization_id).filter(pk=row.pk)
    rows.update(expires_at=Now())
    rows.exclude(usable_until=None).update(usable_until=Now())
    ending.expire(row)
