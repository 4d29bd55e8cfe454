"""Proves on this database that each approved call runs exactly once."""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count

from approvals import race
from approvals.models import Approval, State, Vote
from approvals.race import Answer, Course, Turn

MOST_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Let several processes ask, decide, run, give back, end and call again the same"
        " calls at the same time, in an organization that is removed afterwards; print"
        " what happened, and exit 1 unless each approved call ran exactly once."
    )
    # They load all pages, which this has none of.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--calls", type=int, default=10_000)
        parser.add_argument("--processes", type=int, default=4)

    def handle(self, *args: Any, calls: int, processes: int, **options: Any) -> None:
        if processes < race.QUORUM or calls < 1:
            raise CommandError(
                f"a race takes {race.QUORUM} processes or more, and a call"
            )
        began = time.monotonic()
        with race.course(calls, processes) as at:
            wrong = self._race(at)
        self.stdout.write(f"seconds: {time.monotonic() - began:.0f}")
        for sentence in wrong[:MOST_SHOWN]:
            self.stdout.write(f"WRONG: {sentence}")
        self.stdout.write(f"exactly once: {'no' if wrong else 'yes'}")
        if wrong:
            sys.exit(1)

    def _race(self, at: Course) -> list[str]:
        """What is wrong after it, in sentences."""
        asked: list[Answer] = race.together(race.ask_all, at)
        race.let_decide(at, True)
        turns: list[Turn] = race.together(race.decide_and_run, at)
        race.let_decide(at, False)
        rows, votes = race.rows_of(at), _votes(at)
        again: list[Answer] = race.together(race.ask_all, at)
        self._print(at, asked, turns, again, rows)
        return [
            *_wrong_questions(at, asked, rows),
            *_wrong_runs(turns, rows, votes),
            *_wrong_answers(again, rows),
        ]

    def _print(
        self,
        at: Course,
        asked: list[Answer],
        turns: list[Turn],
        again: list[Answer],
        rows: list[Approval],
    ) -> None:
        words = Counter(turn.word for turn in turns)
        ends = Counter(row.state for row in rows)
        answers = Counter("new" if each.new else each.kind for each in again)
        lines = {
            "calls": at.calls,
            "processes": len(at.people),
            "asked": f"{len(asked)} times, {len(rows)} questions",
            "words": _counted(words),
            "ended": _counted(ends),
            "runs": sum(turn.ran is not None for turn in turns),
            "given back": sum(turn.given_back for turn in turns),
            "called again": f"{len(again)} times: {_counted(answers)}",
        }
        for name, value in lines.items():
            self.stdout.write(f"{name}: {value}")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _votes(at: Course) -> dict[UUID, int]:
    """How many people approved each."""
    rows = Vote.objects.for_organization(at.organization).filter(approves=True)
    counted = rows.values_list("approval").annotate(Count("user", distinct=True))
    return dict(counted.values_list("approval", "user__count"))


def _wrong_questions(
    at: Course, asked: list[Answer], rows: list[Approval]
) -> Iterator[str]:
    if len(rows) != at.calls:
        yield f"{len(rows)} questions about {at.calls} calls"
    ids = defaultdict(set)
    for answer in asked:
        ids[answer.number].add(answer.id)
    for number, found in ids.items():
        if len(found) != 1:
            yield f"call {number} is {len(found)} questions"
    if (new := sum(answer.new for answer in asked)) != at.calls:
        yield f"{new} questions were new, of {at.calls}"


def _wrong_runs(
    turns: list[Turn], rows: list[Approval], votes: dict[UUID, int]
) -> Iterator[str]:
    ran = defaultdict(list)
    for turn in turns:
        if turn.ran is not None:
            ran[turn.number].append(turn.ran)
    for row in rows:
        number = race.number_of(row)
        expected = [row.used_call] if row.state == State.USED else []
        if ran[number] != expected:
            yield f"call {number}, {row.state}, ran {len(ran[number])} times"
        if row.state in (State.PENDING, State.APPROVED):
            yield f"call {number} was left {row.state}"
        if row.state == State.USED and votes.get(row.pk) != race.QUORUM:
            yield f"call {number} ran with {votes.get(row.pk, 0)} words for it"


def _wrong_answers(again: list[Answer], rows: list[Approval]) -> Iterator[str]:
    """After its run the first call is told of it and the next asks anew; a denied one
    stays denied; what else is over is asked anew."""
    answers = defaultdict(list)
    for answer in again:
        answers[answer.number].append("new" if answer.new else answer.kind)
    for row in rows:
        number = race.number_of(row)
        said = Counter(answers[number])
        told, new = (row.state == State.USED), (row.state != State.DENIED)
        if (said["ran"], said["new"]) != (told, new):
            yield f"call {number}, {row.state}, was answered {_counted(said)}"
