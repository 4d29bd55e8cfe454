"""What the answers of the catalogue's API hold, as JSON Schema (2020-12)."""

from __future__ import annotations

from typing import Any

from catalog.models import ChangeKind, Source, Status
from servers.models import Category, Severity

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
MOMENT: Schema = {"type": "string", "format": "date-time"}
ADDRESS: Schema = {"type": "string", "format": "uri"}
FLAG: Schema = {"type": "boolean"}
ANYTHING: Schema = {"type": "object"}
CATEGORY: Schema = {"type": "string", "enum": list(Category.values)}
SEVERITY: Schema = {"type": "string", "enum": list(Severity.values)}


def a(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def listing(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def known(of: Schema) -> Schema:
    """null where it is not known."""
    return {"anyOf": [of, {"type": "null"}]}


def whole(**properties: Schema) -> Schema:
    """An object with all of these."""
    return {"type": "object", "required": [*properties], "properties": properties}


def page(of: Schema) -> Schema:
    return whole(items=listing(of), next=known(ADDRESS))


def counts(of: Schema) -> Schema:
    return {"type": "object", "propertyNames": of, "additionalProperties": COUNT}


EVIDENCE = whole(field=TEXT, words=listing(TEXT), says=TEXT, why=TEXT)
SIGNAL = whole(signal=TEXT, field=TEXT, why=TEXT)
PARAMETER = whole(path=TEXT, types=listing(TEXT), required=FLAG, signals=listing(TEXT))
SCAN = whole(
    at=MOMENT,
    version=known(TEXT),
    transport=TEXT,
    protocol=known(TEXT),
    environment=TEXT,
    tools=COUNT,
    prompts=COUNT,
    resources=COUNT,
)
SERVER = whole(
    slug=TEXT,
    name=TEXT,
    publisher=whole(slug=TEXT, name=TEXT),
    source=whole(kind={"type": "string", "enum": list(Source.values)}, name=TEXT),
    registry_name=known(TEXT),
    status={"type": "string", "enum": [Status.ACTIVE, Status.DEPRECATED]},
    version=known(TEXT),
    tools=COUNT,
    categories=counts(CATEGORY),
    severities=counts(SEVERITY),
    severity=known(SEVERITY),
    scanned_at=known(MOMENT),
    updated_at=MOMENT,
    url=ADDRESS,
)
LINKS = whole(tools=ADDRESS, policy=ADDRESS, changes=ADDRESS)
TOOL = whole(
    slug=TEXT,
    name=TEXT,
    server=TEXT,
    category=CATEGORY,
    severity=SEVERITY,
    confidence={"type": "number", "minimum": 0, "maximum": 1},
    doubtful=FLAG,
    classifier=TEXT,
    fingerprint=TEXT,
    first_seen=MOMENT,
    last_seen=MOMENT,
    changed_at=known(MOMENT),
    url=ADDRESS,
)
VERSION = whole(version=known(TEXT), fingerprint=TEXT)
CHANGE = whole(
    id=COUNT,
    server=TEXT,
    tool=TEXT,
    kind={"type": "string", "enum": list(ChangeKind.values)},
    at=MOMENT,
    before=VERSION,
    after=VERSION,
    detail=ANYTHING,
    url=ADDRESS,
)
PROBLEM = whole(type=ADDRESS, title=TEXT, status={"type": "integer"}, detail=TEXT)
RECORD = whole(
    server=whole(
        name={"type": "string", "pattern": "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$"},
        description={"type": "string", "minLength": 1, "maxLength": 100},
        version={"type": "string", "minLength": 1, "maxLength": 255},
    ),
    _meta=ANYTHING,
)
NEXT = {"nextCursor": TEXT}
RECORDS = whole(
    servers=listing(a("Record")),
    metadata=whole(count=COUNT) | {"properties": {"count": COUNT} | NEXT},
)
SCHEMAS: dict[str, Schema] = {
    "Server": SERVER,
    "WholeServer": {"allOf": [a("Server"), whole(scan=known(SCAN), links=LINKS)]},
    "Tool": TOOL | {"description": "`signals` are names here, and whole in one tool."},
    "WholeTool": {
        "allOf": [
            a("Tool"),
            whole(
                signals=listing(SIGNAL),
                evidence=listing(EVIDENCE),
                description=whole(sha256=known(TEXT), length=COUNT),
                parameters=listing(PARAMETER),
                annotations={"type": "object", "additionalProperties": FLAG},
                policy=known(ANYTHING),
            ),
        ]
    },
    "Change": CHANGE,
    "Record": RECORD,
    "Records": RECORDS,
    "Problem": PROBLEM,
}
ANSWERS: dict[str, Schema] = {
    "servers": page(a("Server")),
    "server": a("WholeServer"),
    "policy": ANYTHING,
    "tool": a("WholeTool"),
    "server_tools": page(a("Tool")),
    "tools": page(a("Tool")),
    "changes": page(a("Change")),
    "rubric": ANYTHING,
    "openapi": ANYTHING,
    "registry_servers": a("Records"),
    "registry_versions": a("Records"),
    "registry_version": a("Record"),
}
