"""Runs the tests that a document carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from policies.case_checks import SUBJECTS, read_instant
from policies.compile import CompiledPolicy
from policies.decide import judge
from policies.decision import Decision, Judgement
from policies.facts import Call, Facts, Kind, Tool
from policies.numbers import MILLION

DEFAULT_AT = "2026-01-05T12:00:00Z"

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CaseResult:
    pointer: str
    name: str
    outcome: Literal["passed", "failed", "not run"]
    message: str


def run_cases(
    compiled: CompiledPolicy, tools: Mapping[str, Tool], zone: ZoneInfo
) -> list[CaseResult]:
    """`tools` are the server's pinned definitions by name; a failing case blocks
    publishing."""
    return [
        _run(compiled, tools, zone, case, f"/tests/{index}")
        for index, case in enumerate(compiled.document.data.get("tests", ()))
    ]


def _run(
    compiled: CompiledPolicy,
    tools: Mapping[str, Tool],
    zone: ZoneInfo,
    case: Data,
    pointer: str,
) -> CaseResult:
    kind, name = subject_of(case)
    pinned = tools.get(name)
    bare = kind == "tool" and pinned is None and "definition" not in case
    if bare and compiled.validate is not None:
        said = f"not run: no definition of {name!r} is pinned to validate against."
        return CaseResult(pointer, case["name"], "not run", said)
    tool = tool_of(name, case, {}, pinned) if kind == "tool" else None
    facts = facts_of(case, tool, zone)
    judgement = judge(compiled, Call(kind, name, case.get("args", {})), facts)
    decision = settle_with(judgement, case.get("used", {}))
    wrong = _difference(case, decision)
    return CaseResult(pointer, case["name"], "failed" if wrong else "passed", wrong)


def _difference(case: Data, decision: Decision) -> str:
    """Nothing where the decision is the expected one."""
    rule_fits = "rule" not in case or case["rule"] == decision.rule
    if decision.decision == case["expect"] and rule_fits:
        return ""
    by = f" by {decision.rule}" if decision.rule else ""
    wanted = f" by {case['rule']}" if case.get("rule") else ""
    return f"expected {case['expect']}{wanted}, decided {decision.decision}{by}."


def subject_of(case: Data) -> tuple[Kind, str]:
    for kind in SUBJECTS:
        if kind in case:
            return kind, case[kind]
    raise KeyError("tool")


def tool_of(name: str, case: Data, verdict: Data, pinned: Tool | None = None) -> Tool:
    """The definition of the case, else the pinned one, else one without anything."""
    definition = case.get("definition")
    if definition is None and pinned is not None and not verdict:
        return pinned
    definition = definition or {}
    return Tool(
        name=name,
        input_schema=definition.get("inputSchema"),
        annotations=definition.get("annotations", {}),
        category=verdict.get("category", pinned.category if pinned else "Other"),
        severity=verdict.get("severity", pinned.severity if pinned else "low"),
        held=case.get("held", False),
    )


def facts_of(case: Data, tool: Tool | None, zone: ZoneInfo) -> Facts:
    grant, user = case.get("grant", {}), case.get("user", {})
    tags = grant.get("tags")
    return Facts(
        tool=tool,
        killed=case.get("killed", False),
        grant_label=grant.get("label"),
        grant_tags=None if tags is None else tuple(tags),
        user_email=user.get("email"),
        user_role=user.get("role"),
        client_name=case.get("client"),
        at=read_instant(case.get("at", DEFAULT_AT)),
        zone=zone,
        waived=frozenset(case.get("waived", ())),
        break_glass=case.get("break_glass"),
    )


def settle_with(judgement: Judgement, used: Mapping[str, Any]) -> Decision:
    """Decides with what the counters of these names hold, also the watched ones."""
    amounts = {
        counter: int(Decimal(repr(amount)) * MILLION)
        for counter, amount in used.items()
    }
    return judgement.settle(
        [use.is_full(amounts.get(use.counter, 0)) for use in judgement.uses],
        [use.is_full(amounts.get(use.counter, 0)) for use in judgement.watched_uses],
    )
