"""From what a server offers to rows, with the history of what changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from catalog import differing
from catalog.classifier.verdicts import Verdict
from catalog.classifying import CURRENT, Classifier, Facts
from catalog.models import CatalogServer, CatalogTool, Change, ChangeKind, Scan
from catalog.naming import (
    free,
    publisher,
    publisher_name,
    server_slug,
    slug,
    words_of,
)
from catalog.offers import Offer, Tool
from servers.models import Severity

WORST_FIRST = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
JUDGED = ["facts", "category", "severity", "confidence", "verdict", "classifier"]
WRITTEN = [*JUDGED, "definition", "fingerprint", "publisher", "words", "listed"]
WRITTEN += ["last_seen", "changed_at"]


@transaction.atomic
def store(offer: Offer, by: Classifier = CURRENT) -> CatalogServer:
    """One scan more. What the server lists no more is kept, and listed no more."""
    server, begins = _server(offer)
    writing = Writing(server, offer, by, begins)
    for tool in offer.tools:
        writing.take(tool)
    writing.write()
    if not begins:
        Change.objects.bulk_create(writing.changes)
    _record(server, offer, begins)
    _count(server, writing.verdicts.values())
    _finish(server, offer)
    return server


def reclassify(by: Classifier = CURRENT) -> int:
    """Judges the rows that another version judged; gives how many."""
    return sum(_reclassify(pk, by) for pk in sorted(outdated(by)))


def outdated(by: Classifier) -> QuerySet[CatalogTool, int]:
    """Ids of the servers that have tools judged by another version."""
    rows = CatalogTool.objects.exclude(classifier=by.version)
    return rows.values_list("server", flat=True).distinct()


@transaction.atomic
def _reclassify(pk: int, by: Classifier) -> int:
    # Locked, as a scan of the same server may be storing at this moment.
    server = CatalogServer.objects.select_for_update().get(pk=pk)
    rows = list(server.listing.exclude(classifier=by.version))
    changes = []
    for row in rows:
        facts = by.read_text(row.definition) if row.definition else row.facts
        verdict = by.judge(facts)
        detail = differing.verdicts(row, verdict)
        if detail and row.listed:
            detail["classifier"] = [row.classifier, by.version]
            changes.append(_change(server, row, ChangeKind.VERDICT, detail=detail))
        judged(row, facts, verdict)
    CatalogTool.objects.bulk_update(rows, JUDGED, batch_size=500)
    Change.objects.bulk_create(changes)
    listed = server.listing.filter(listed=True)
    _count(server, listed.values_list("category", "severity"))
    server.updated_at = timezone.now()
    server.save(update_fields=[*COUNTED, "updated_at"])
    return len(rows)


def failed(kind: str, source: str, why: str) -> None:
    """Says so on the row, where there is one; what was known stays."""
    rows = CatalogServer.objects.filter(source_kind=kind, source=source)
    rows.update(scan_error=why[:2000], updated_at=timezone.now())


@dataclass
class Writing:
    """The rows of one server, as they are to be."""

    server: CatalogServer
    offer: Offer
    by: Classifier
    begins: bool = False
    changes: list[Change] = field(default_factory=list)
    verdicts: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        listing = self.server.listing
        rows = listing.none() if self.begins else listing.all()
        self._known = {row.name: row for row in rows}
        self._slugs = {row.slug for row in self._known.values()}
        self._new: list[CatalogTool] = []
        self._altered: list[CatalogTool] = []
        self._same: list[int] = []

    def take(self, tool: Tool) -> None:
        row = self._known.pop(tool.name, None)
        if row is None:
            row = self._add(tool)
        elif row.fingerprint != tool.fingerprint or not row.listed:
            self._change(row, tool)
        elif row.classifier != self.by.version or _learned(row, tool):
            self._again(row, tool)
        else:
            self._same.append(row.pk)
        self.verdicts[row.name] = (row.category, row.severity)

    def write(self) -> None:
        """Whatever was not taken is gone from the server's list."""
        moment = self.offer.scanned_at
        gone = [row for row in self._known.values() if row.listed]
        for row in gone:
            row.listed = False
            self._say(row, ChangeKind.REMOVED, before=row.fingerprint)
        CatalogTool.objects.bulk_create(self._new, batch_size=500)
        CatalogTool.objects.bulk_update(self._altered, WRITTEN, batch_size=500)
        CatalogTool.objects.bulk_update(gone, ["listed"], batch_size=500)
        CatalogTool.objects.filter(pk__in=self._same).update(last_seen=moment)

    def _add(self, tool: Tool) -> CatalogTool:
        own = free(slug(tool.name), self._slugs)
        self._slugs.add(own)
        row = CatalogTool(server=self.server, name=tool.name, slug=own)
        row.first_seen = self.offer.scanned_at
        self._fill(row, tool)
        self._new.append(row)
        self._say(row, ChangeKind.ADDED, after=tool.fingerprint)
        return row

    def _change(self, row: CatalogTool, tool: Tool) -> None:
        """Another definition, or one that came back."""
        kind = ChangeKind.CHANGED if row.listed else ChangeKind.ADDED
        detail = {}
        if row.fingerprint != tool.fingerprint:
            detail = differing.detail(row, tool.facts, tool.definition)
            row.changed_at = self.offer.scanned_at
        verdict = self.by.judge(tool.facts)
        detail |= differing.verdicts(row, verdict)
        marks = {"before": row.fingerprint, "after": tool.fingerprint}
        self._say(row, kind, detail=detail, **marks)
        if row.fingerprint != tool.fingerprint:
            row.definition = ""
        row.listed = True
        self._fill(row, tool, verdict)
        self._altered.append(row)

    def _again(self, row: CatalogTool, tool: Tool) -> None:
        """The same definition, judged by another version or known whole by now."""
        verdict = self.by.judge(tool.facts)
        if detail := differing.verdicts(row, verdict):
            detail["classifier"] = [row.classifier, self.by.version]
            self._say(row, ChangeKind.VERDICT, detail=detail)
        self._fill(row, tool, verdict)
        self._altered.append(row)

    def _fill(
        self, row: CatalogTool, tool: Tool, verdict: Verdict | None = None
    ) -> None:
        judged(row, tool.facts, verdict or self.by.judge(tool.facts))
        row.definition = tool.definition or row.definition
        row.fingerprint = tool.fingerprint
        row.publisher = self.server.publisher
        row.words = words(self.server, tool.facts)
        row.last_seen = self.offer.scanned_at

    def _say(self, row: CatalogTool, kind: ChangeKind, **more: Any) -> None:
        change = _change(self.server, row, kind, **more)
        change.after_version, change.at = self.offer.version, self.offer.scanned_at
        self.changes.append(change)


def _learned(row: CatalogTool, tool: Tool) -> bool:
    """The whole definition where only its facts were known."""
    return bool(tool.definition) and not row.definition


def judged(row: CatalogTool, facts: Facts, verdict: Verdict) -> None:
    row.facts = facts
    row.category, row.severity = verdict.category, verdict.severity
    row.confidence, row.classifier = verdict.confidence, verdict.version
    row.verdict = verdict.as_json()


def words(server: CatalogServer, facts: Facts) -> str:
    """What the search finds a tool by: its names, its parameters', its server's."""
    names = [facts["name"], *(each["path"] for each in facts["parameters"])]
    found = [word for name in [*names, server.slug] for word in words_of(name)]
    return " ".join(dict.fromkeys(found))


def _server(offer: Offer) -> tuple[CatalogServer, bool]:
    """The row of its source, and whether it is new.

    Locked, so that two scans of one source are stored one after the other.
    """
    of_source = {"source_kind": offer.kind, "source": offer.source}
    rows = CatalogServer.objects.select_for_update()
    if found := rows.filter(**of_source).first():
        return found, False
    wanted = server_slug(offer.kind, offer.source)
    like = CatalogServer.objects.filter(slug__startswith=wanted)
    own = publisher(offer.kind, offer.source)
    made = CatalogServer.objects.create(
        slug=free(wanted, set(like.values_list("slug", flat=True))),
        name=offer.source.partition("://")[2][:200] or offer.source[:200],
        publisher=own,
        publisher_name=publisher_name(own),
        **of_source,
    )
    return made, True


def _change(
    server: CatalogServer, row: CatalogTool, kind: ChangeKind, **more: Any
) -> Change:
    versions = {"before_version": server.version, "after_version": server.version}
    return Change(server=server, tool=row.name, kind=kind, **versions, **more)


def _record(server: CatalogServer, offer: Offer, begins: bool) -> None:
    """Once a scan, also where the same one is loaded again."""
    said = {
        "version": offer.version,
        "transport": offer.transport,
        "revision": offer.revision[:20],
        "identity": dict(offer.identity),
        "tools": len(offer.tools),
        "prompts": offer.prompts,
        "resources": offer.resources,
        "environment": offer.environment[:300],
        "problems": list(offer.problems),
    }
    when: dict[str, Any] = {"server": server, "scanned_at": offer.scanned_at}
    if begins:
        Scan.objects.create(**when, **said)
    else:
        Scan.objects.update_or_create(**when, defaults=said)


COUNTED = ["tools_listed", "counts", "severities", "severity"]


def _count(server: CatalogServer, verdicts: Any) -> None:
    """`verdicts`: category and severity of each tool that is listed now."""
    pairs = list(verdicts)
    server.tools_listed = len(pairs)
    server.counts = dict(Counter(category for category, _ in pairs))
    server.severities = dict(Counter(severity for _, severity in pairs))
    worst = (each for each in WORST_FIRST if each in server.severities)
    server.severity = next(worst, Severity.LOW)


def _finish(server: CatalogServer, offer: Offer) -> None:
    server.version, server.scanned_at = offer.version, offer.scanned_at
    server.shipped, server.scan_error = offer.shipped, ""
    server.registry_name = offer.registry_name or server.registry_name
    server.updated_at = timezone.now()
    names = ["version", "scanned_at", "shipped", "scan_error", "registry_name"]
    server.save(update_fields=[*names, *COUNTED, "updated_at"])
