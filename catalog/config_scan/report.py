"""What the servers of a configuration let agents do, by what the catalogue knows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from django.db.models.fields.json import KT

from catalog import found
from catalog.config_scan import grading
from catalog.config_scan.grading import SEVERITIES
from catalog.config_scan.stripping import Stripped
from catalog.config_scan.things import Thing, thing_of
from catalog.models import CatalogServer, CatalogTool
from policies.recommended import Known

# Tools of one report; a configuration of the largest known servers has a third of it.
MOST_TOOLS = 5_000
WORST_FIRST = tuple(reversed(SEVERITIES))


class Line(NamedTuple):
    """One tool. `decision`: the recommended policy's."""

    name: str
    slug: str
    category: str
    severity: str
    doubtful: bool
    decision: str


@dataclass(frozen=True)
class Graded:
    """`policy_grade`: of the tools that the recommended policy lets through unasked."""

    tools: int
    severities: dict[str, int]
    points: int
    grade: str
    policy_grade: str
    decisions: dict[str, int]


@dataclass(frozen=True)
class Entry:
    """One server of the configuration; `known` is the catalogue's, if it has it."""

    server: Stripped
    thing: Thing
    known: CatalogServer | None
    lines: tuple[Line, ...] = ()
    graded: Graded | None = None

    @property
    def counts(self) -> bool:
        return self.known is not None and not self.server.off

    @property
    def other_version(self) -> bool:
        """Asked for by number, and not the one that was scanned."""
        asked = self.thing.version
        scanned = self.known.version if self.known else ""
        return asked[:1].isdigit() and bool(scanned) and asked != scanned

    @property
    def by_severity(self) -> list[tuple[str, list[Line]]]:
        return [(s, list(lines)) for s, lines in groupby(self.lines, _severity)]


@dataclass(frozen=True)
class Report:
    """`graded` is None where no server is known; `unknown` ones are in no count."""

    entries: tuple[Entry, ...]
    graded: Graded | None
    unknown: int
    cut: bool

    @property
    def servers(self) -> list[Stripped]:
        return [entry.server for entry in self.entries]


def _severity(line: Line) -> str:
    return line.severity


def of(servers: Sequence[Stripped]) -> Report:
    """Two queries, whatever is asked."""
    things = [thing_of(server) for server in servers]
    known = _known(things)
    tools = _tools(known.values())
    entries = tuple(
        _entry(server, thing, known, tools)
        for server, thing in zip(servers, things, strict=True)
    )
    counted = [line for entry in entries if entry.counts for line in entry.lines]
    return Report(
        entries,
        graded(counted) if any(entry.counts for entry in entries) else None,
        sum(entry.known is None for entry in entries),
        cut=sum(map(len, tools.values())) >= MOST_TOOLS,
    )


def _entry(
    server: Stripped,
    thing: Thing,
    known: dict[tuple[str, str], CatalogServer],
    tools: dict[int, tuple[Line, ...]],
) -> Entry:
    row = next((known[key] for key in thing.slugs if key in known), None)
    if row is None:
        return Entry(server, thing, None)
    lines = tools.get(row.pk, ())
    return Entry(server, thing, row, lines, graded(lines))


def _known(things: Iterable[Thing]) -> dict[tuple[str, str], CatalogServer]:
    """By kind and slug: an npm package and a Python package may share a name."""
    wanted = {key for thing in things if thing.name for key in thing.slugs}
    rows = found.servers().filter(slug__in={slug for _, slug in wanted})
    return {(row.source_kind, row.slug): row for row in rows}


def _tools(servers: Iterable[CatalogServer]) -> dict[int, tuple[Line, ...]]:
    rows = (
        CatalogTool.objects.filter(server__in=list(servers), listed=True)
        .order_by("server_id", "name")
        .values_list("server_id", "name", "slug", "category", "severity")
        .annotate(doubt=KT("verdict__doubtful"))[:MOST_TOOLS]
    )
    listed: dict[int, list[Line]] = defaultdict(list)
    for server, name, slug, category, severity, doubt in rows:
        tool = Known(name, category, doubt == "true")
        decision = grading.decision(tool)
        listed[server].append(
            Line(name, slug, category, severity, tool.doubtful, decision)
        )
    return {server: tuple(sorted(ls, key=_order)) for server, ls in listed.items()}


def _order(line: Line) -> tuple[int, str]:
    return WORST_FIRST.index(line.severity), line.name


def graded(lines: Sequence[Line]) -> Graded:
    total = grading.points(line.severity for line in lines)
    left = grading.points(
        line.severity for line in lines if line.decision in {"allow", "limit"}
    )
    severities = Counter(line.severity for line in lines)
    return Graded(
        tools=len(lines),
        severities={s: severities[s] for s in WORST_FIRST if severities[s]},
        points=total,
        grade=grading.letter(total),
        policy_grade=grading.letter(left),
        decisions=dict(Counter(line.decision for line in lines)),
    )
