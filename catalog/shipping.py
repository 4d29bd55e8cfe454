"""The snapshot that ships: facts of servers that were really asked, one file each.

A file holds names, types, digests, lengths, stems and signals, and no sentence of a
server. It is sorted and has one tool a line (`packing.py`), so that two scans
can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from django.db import transaction

from catalog import storing
from catalog.classifying import CURRENT, Classifier
from catalog.models import CatalogServer, CatalogTool
from catalog.naming import server_slug
from catalog.offers import Offer, Tool, from_answer
from catalog.packing import pack, unpack
from catalog.recipes import RECIPES, why_empty
from catalog.scanning.answers import Answer

FOLDER = Path(__file__).with_name("snapshot")
# What servers say of themselves is text; these two are names.
IDENTITY = ("name", "version")
LONGEST_NAME = 5  # words
HEAD = ("kind", "source", "version", "transport", "revision", "environment")
SORTED = orjson.OPT_SORT_KEYS


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many servers were stored, and how many tools were judged anew."""

    servers: int
    tools: int


def as_text(offer: Offer) -> bytes:
    head: dict[str, Any] = {name: getattr(offer, name) for name in HEAD}
    head["scanned_at"] = f"{offer.scanned_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    head["identity"] = {k: _name(offer.identity.get(k, "")) for k in IDENTITY}
    head |= {"prompts": offer.prompts, "resources": offer.resources}
    tools = sorted(offer.tools, key=lambda tool: tool.name)
    packed = pack([tool.facts for tool in tools])
    lines = [_line(key, head[key]) for key in sorted(head)]
    lines += [_line("words", packed["words"]), _line("empty", packed["empty"])]
    lines += [_lines(key, packed[key]) for key in ("parameters", "tools")]
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def from_text(text: bytes) -> Offer:
    found = orjson.loads(text)
    tools = tuple(Tool(facts["name"], facts) for facts in unpack(found))
    return Offer(
        **{name: found[name] for name in HEAD},
        scanned_at=datetime.fromisoformat(found["scanned_at"]),
        identity=found["identity"],
        tools=tools,
        prompts=found["prompts"],
        resources=found["resources"],
        problems=() if tools else why_empty(found["kind"], found["source"]),
        shipped=True,
    )


def shipped(folder: Path = FOLDER) -> list[Offer]:
    return [from_text(path.read_bytes()) for path in sorted(folder.glob("*.json"))]


@transaction.atomic
def load(folder: Path = FOLDER, by: Classifier = CURRENT) -> Loaded:
    """Into rows. What was scanned here later stays; nothing to do is soon done.

    One transaction, as 79 would take longer than all that is done in them.
    """
    known = {
        (kind, source): (pk, scanned_at)
        for pk, kind, source, scanned_at in CatalogServer.objects.values_list(
            "pk", "source_kind", "source", "scanned_at"
        )
    }
    outdated = set(storing.outdated(by))
    servers = 0
    for offer in shipped(folder):
        pk, scanned_at = known.get((offer.kind, offer.source), (0, None))
        # Those of another version of the classifier are read again with its facts.
        same = scanned_at == offer.scanned_at and pk in outdated
        if scanned_at is None or scanned_at < offer.scanned_at or same:
            storing.store(offer, by)
            servers += 1
    return Loaded(servers, storing.reclassify(by))


def write(offers: Iterator[Offer], folder: Path = FOLDER) -> list[str]:
    """Gives the slugs that were written."""
    folder.mkdir(exist_ok=True)
    written = []
    for offer in offers:
        slug = server_slug(offer.kind, offer.source)
        (folder / f"{slug}.json").write_bytes(as_text(offer))
        written.append(slug)
    return written


def from_answers(folder: Path, by: Classifier = CURRENT) -> Iterator[Offer]:
    """Of the recipes, from answers that `catalog_scan` kept."""
    for recipe in RECIPES:
        path = folder / f"{server_slug(recipe.kind, recipe.name)}.json"
        if path.exists():
            yield from_answer(Answer.from_bytes(path.read_bytes()), by)


def from_rows(by: Classifier = CURRENT) -> Iterator[Offer]:
    """Of the recipes, from the newest scan of each that is stored."""
    for recipe in RECIPES:
        rows = CatalogServer.objects.filter(source_kind=recipe.kind)
        if server := rows.filter(source=recipe.name, scans__isnull=False).first():
            yield _of_row(server, by)


def _of_row(server: CatalogServer, by: Classifier) -> Offer:
    scan = server.scans.latest("scanned_at")
    return Offer(
        kind=server.source_kind,
        source=server.source,
        version=scan.version,
        transport=scan.transport,
        revision=scan.revision,
        scanned_at=scan.scanned_at,
        environment=scan.environment,
        identity=scan.identity,
        tools=tuple(_tool(row, by) for row in server.listing.filter(listed=True)),
        prompts=scan.prompts,
        resources=scan.resources,
    )


def _tool(row: CatalogTool, by: Classifier) -> Tool:
    facts = by.read_text(row.definition) if row.definition else row.facts
    return Tool(row.name, facts, row.definition)


def _name(text: str) -> str:
    """Some servers have a sentence there."""
    return text if len(text.split()) <= LONGEST_NAME else ""


def _line(key: str, value: Any) -> bytes:
    return b'"%s": %s' % (key.encode(), orjson.dumps(value, option=SORTED))


def _lines(key: str, values: list[Any]) -> bytes:
    listed = b",\n".join(orjson.dumps(value, option=SORTED) for value in values)
    return b'"%s": [\n%s\n]' % (key.encode(), listed)
