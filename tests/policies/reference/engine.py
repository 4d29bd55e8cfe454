"""Asks the engine what the reference is asked: a case in, an answer out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import jiter
import orjson

from policies import compile as compiling
from policies import decide, document
from tests.policies.reference.texts import write
from tests.policies.reference.vectors import kind_of

Decode = Callable[[str], Any]
NOTHING: dict[str, Any] = {}
Answer = tuple[str, str | None, tuple[str, str | None] | None]


def decode(text: str) -> Any:
    """As the gateway does: orjson where it changes nothing, else exact digits."""
    raw = text.encode()
    try:
        fast = orjson.loads(raw)
        if orjson.dumps(fast) == raw:
            return fast
    except orjson.JSONDecodeError:
        pass
    return jiter.from_json(raw, float_mode="lossless-float", catch_duplicate_keys=True)


class Engine:
    """The engine, or a mutant of it: anything with its modules' functions."""

    def __init__(self, modules: Any = None, decode: Decode = decode) -> None:
        self.decode = decode
        self.of = modules or SimpleNamespace(
            parse=document.parse,
            compile_document=compiling.compile_document,
            judge=decide.judge,
            Call=decide.Call,
            Facts=decide.Facts,
            Tool=decide.Tool,
        )
        self.tools: dict[tuple[Any, ...], tuple[Any, Any]] = {}

    def compiled(self, text: str) -> Any:
        """`text` null is a grant without a policy."""
        if text == "null":
            return None
        return self.of.compile_document(self.of.parse(text))

    def answer(self, policy: Any, case: dict[str, Any]) -> Answer:
        context, call = case.get("context", NOTHING), self.call(case["call"])
        judgement = self.of.judge(policy, call, self.facts(call, context))
        decision = judgement.settle(
            is_full(judgement.uses, context), is_full(judgement.watched_uses, context)
        )
        would = decision.would and (decision.would.decision, decision.would.rule)
        return decision.decision, decision.rule, would

    def call(self, written: dict[str, Any]) -> Any:
        kind = kind_of(written)
        text = written.get("call_json") or json.dumps(written.get("args", {}))
        return self.of.Call(kind, written[kind], self.decode(text))

    def facts(self, call: Any, context: dict[str, Any]) -> Any:
        known = context.get
        grant, user = known("grant", NOTHING), known("user", NOTHING)
        return self.of.Facts(
            tool=self.tool(call, context),
            killed=known("killed", False),
            grant_label=grant.get("label"),
            grant_tags=tuple(grant["tags"]) if "tags" in grant else None,
            user_email=user.get("email"),
            user_role=user.get("role"),
            client_name=known("client"),
            at=instant(known("at", "2026-01-05T12:00:00Z")),
            zone=ZoneInfo(known("zone", "Etc/UTC")),
            waived=frozenset(known("waived", ())),
            break_glass=known("break_glass"),
        )

    def tool(self, call: Any, context: dict[str, Any]) -> Any:
        """One object a definition, as its validators are kept on it; of no name that
        a call has, as the call's own is what counts."""
        known = context.get("known_tools")
        if call.kind != "tool" or known is not None and call.name not in known:
            return None
        definition = context.get("definition")
        verdict = context.get("verdict", NOTHING)
        category, severity = verdict.get("category"), verdict.get("severity")
        held = bool(context.get("held"))
        what = id(definition), category, severity, held
        found = self.tools.get(what)
        if found is None:
            # Kept along: an id is another's as soon as its object is gone.
            found = definition, self.pinned(definition, verdict, held)
            self.tools[what] = found
        return found[1]

    def pinned(self, definition: Any, verdict: Any, held: bool) -> Any:
        pinned = decode(write(definition or {}))
        return self.of.Tool(
            name="(pinned)",
            input_schema=pinned.get("inputSchema"),
            annotations=pinned.get("annotations", {}),
            category=verdict.get("category", "Other"),
            severity=verdict.get("severity", "low"),
            held=held,
        )


@cache
def instant(written: str) -> datetime:
    return datetime.fromisoformat(written.replace("Z", "+00:00"))


def is_full(uses: Sequence[Any], context: dict[str, Any]) -> list[bool]:
    """What the counters would say, in millionths."""
    if not uses:
        return []
    used = context.get("used", NOTHING)
    return [
        use.is_full(int(Decimal(str(used.get(use.counter, 0))) * 10**6)) for use in uses
    ]
