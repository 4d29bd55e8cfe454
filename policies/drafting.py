"""What a new policy's draft begins with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db.models import TextChoices

from policies.effects import escaped
from policies.globs import LONGEST
from policies.pinned import Pinned


class Start(TextChoices):
    DENY = "deny", "Deny everything, then allow tool by tool"
    READ = "read", "Allow what the server calls read-only, deny the rest"
    ALLOW = "allow", "Allow everything, then restrict tool by tool"


DESCRIPTIONS = {
    Start.DENY: "Nothing gets through until a tool is named here.",
    Start.READ: (
        "Tools that the server's own annotations call read-only; nobody has checked"
        " that yet."
    ),
    Start.ALLOW: "Everything gets through; every call is recorded.",
}


def first_draft(start: str, known: Pinned) -> str:
    document: dict[str, Any] = {
        "version": "1",
        "description": DESCRIPTIONS[Start(start)],
        "default": "allow" if start == Start.ALLOW else "deny",
    }
    if start != Start.ALLOW:
        document["tools"] = _read_only(known) if start == Start.READ else {}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _read_only(known: Pinned) -> dict[str, Mapping[str, object]]:
    names = [t.name for t in known.tools if t.annotations.get("readOnlyHint") is True]
    keys = [escaped(name) for name in names]
    return {key: {} for key in keys if len(key) <= LONGEST}
