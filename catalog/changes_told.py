"""What a change of the catalogue is, in one plain sentence, for feeds and lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.urls import reverse

from catalog.models import CatalogTool, Change, ChangeKind, Status
from catalog.plain import line

VERBS = {
    ChangeKind.ADDED: "was added",
    ChangeKind.REMOVED: "was removed",
    ChangeKind.CHANGED: "changed",
    ChangeKind.VERDICT: "has a new verdict",
}
# Of one list of names in a sentence; the tool's page has them all.
MOST_NAMES = 8


class Told(NamedTuple):
    """A change and the page that shows its tool now; the server's where none does."""

    change: Change
    path: str


def changes() -> QuerySet[Change]:
    """Of servers that are shown, newest first."""
    rows = Change.objects.exclude(server__status=Status.DELETED)
    return rows.select_related("server").order_by("-at", "-pk")


def told(rows: Sequence[Change]) -> list[Told]:
    """One query for all pages."""
    slugs = _slugs(rows)
    return [Told(row, _path(row, slugs)) for row in rows]


def title(change: Change) -> str:
    return f"{line(change.server.name)}: {line(change.tool)} {_verb(change)}"


def sentences(change: Change) -> str:
    """`In version 1.3 (before: 1.2). Category: Write, before: Read.`"""
    return " ".join(_sentences(change)) or "Nothing more is known of it."


def _verb(change: Change) -> str:
    return VERBS.get(ChangeKind(change.kind), "changed")


def _sentences(change: Change) -> Iterable[str]:
    now, before = line(change.after_version), line(change.before_version)
    if now:
        other = f", before: {before}" if before and before != now else ""
        yield f"In version {now}{other}."
    detail = change.detail
    for name in ("category", "severity"):
        if pair := detail.get(name):
            yield f"{name.capitalize()}: {line(pair[-1])}, before: {line(pair[0])}."
    yield from _parameters(detail.get("parameters") or {})
    if fields := detail.get("fields"):
        yield f"Fields that differ: {_names(fields)}."


def _parameters(parameters: Mapping[str, Any]) -> Iterable[str]:
    for name in ("added", "removed"):
        if names := parameters.get(name):
            yield f"Parameters {name}: {_names(names)}."


def _names(names: Sequence[Any]) -> str:
    shown = ", ".join(line(name) for name in names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def _slugs(rows: Sequence[Change]) -> dict[tuple[int, str], str]:
    named = CatalogTool.objects.filter(
        listed=True,
        server_id__in={row.server_id for row in rows},
        name__in={row.tool for row in rows},
    )
    return {
        (server, name): slug
        for server, name, slug in named.values_list("server_id", "name", "slug")
    }


def _path(change: Change, slugs: Mapping[tuple[int, str], str]) -> str:
    slug = slugs.get((change.server_id, change.tool))
    if slug is None:
        return reverse("catalog:server", args=[change.server.slug])
    return reverse("catalog:tool", args=[change.server.slug, slug])
