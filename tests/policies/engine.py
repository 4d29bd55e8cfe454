"""A call against a document, with the facts that a test cares about."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from policies.cases import settle_with
from policies.compile import CompiledPolicy, compile_document
from policies.decide import judge
from policies.decision import Decision, Judgement
from policies.document import DocumentError, parse
from policies.facts import Call, Facts, Tool
from policies.positions import Problem

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
UTC_ZONE = ZoneInfo("Etc/UTC")


def document(**keys: Any) -> dict[str, Any]:
    return {"version": "1", "default": "deny", **keys}


def compiled(data: dict[str, Any]) -> CompiledPolicy:
    return compile_document(parse(json.dumps(data)))


def one_tool(entry: dict[str, Any], **keys: Any) -> CompiledPolicy:
    return compiled(document(tools={"t": entry}, **keys))


def facts(**known: Any) -> Facts:
    unsaid: dict[str, Any] = {
        "tool": Tool("t"),
        "killed": False,
        "grant_label": None,
        "grant_tags": None,
        "user_email": None,
        "user_role": None,
        "client_name": None,
        "at": NOON,
        "zone": UTC_ZONE,
    }
    return Facts(**(unsaid | known))


def judged(
    policy: CompiledPolicy | None, args: object = None, **known: Any
) -> Judgement:
    name = known.pop("name", "t")
    kind = known.pop("kind", "tool")
    return judge(policy, Call(kind, name, {} if args is None else args), facts(**known))


def decided(
    policy: CompiledPolicy | None,
    args: object = None,
    used: dict[str, float] | None = None,
    **known: Any,
) -> Decision:
    return settle_with(judged(policy, args, **known), used or {})


def outcome(*args: Any, **known: Any) -> tuple[str, str | None]:
    decision = decided(*args, **known)
    return decision.decision, decision.rule


def problems(text: str) -> list[Problem]:
    try:
        parse(text)
    except DocumentError as error:
        return list(error.problems)
    return []
