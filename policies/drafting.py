"""What a new policy's draft begins with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import TextChoices

from accounts.models import Organization
from policies import deciders, recommended
from policies.checks import MOST_ENTRIES
from policies.document import LARGEST
from policies.effects import escaped
from policies.globs import LONGEST
from policies.pinned import Pinned
from policies.recommended import Known


class Start(TextChoices):
    RECOMMENDED = "recommended", "Recommended for these tools, each with its reason"
    DENY = "deny", "Deny everything, then allow tool by tool"
    READ = "read", "Allow what the server calls read-only, deny the rest"
    ALLOW = "allow", "Allow everything, then restrict tool by tool"


DESCRIPTIONS = {
    Start.RECOMMENDED: (
        "Reading is allowed, writing limited; running things and moving money ask a"
        " person, as does what is doubtful; deleting is hidden."
    ),
    Start.DENY: "Nothing gets through until a tool is named here.",
    Start.READ: (
        "Tools that the server's own annotations call read-only; nobody has checked"
        " that yet."
    ),
    Start.ALLOW: "Everything gets through; every call is recorded.",
}


ALONE = (
    " One person only could decide here, so self_approval is set: take it out once"
    " there are more of you."
)


def first_draft(start: str, known: Pinned, organization: Organization) -> str:
    if start == Start.RECOMMENDED:
        return recommended_draft(
            known.recommendable, DESCRIPTIONS[Start.RECOMMENDED], organization
        )
    document: dict[str, Any] = {
        "version": "1",
        "description": DESCRIPTIONS[Start(start)],
        "default": "allow" if start == Start.ALLOW else "deny",
    }
    if start != Start.ALLOW:
        document["tools"] = _read_only(known) if start == Start.READ else {}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def recommended_draft(
    tools: Iterable[Known], description: str, organization: Organization
) -> str:
    """`self_approval` is set, and said, while one member at most could decide."""
    alone = deciders.drafts_self_approval(organization)
    every = list(tools)
    named = min(len(every), MOST_ENTRIES)
    while True:
        said = description
        if named < len(every):
            said += f" The first {named} of {len(every)} tools are named, as no"
            said += " document holds more; the rest stays denied."
        document = recommended.balanced(every[:named], said, alone)
        if any("approval" in each for each in document["tools"].values()):
            document["description"] += ALONE
        text = recommended.as_text(document)
        if len(text.encode()) <= LARGEST:
            return text
        named = named * 3 // 4


def _read_only(known: Pinned) -> dict[str, Mapping[str, object]]:
    names = [t.name for t in known.tools if t.annotations.get("readOnlyHint") is True]
    keys = [escaped(name) for name in names]
    return {key: {} for key in keys if len(key) <= LONGEST}
