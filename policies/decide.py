"""Deciding a call: pure, no I/O, no parsing."""

from __future__ import annotations

from policies.compile import CompiledPolicy
from policies.decision import Ask, Decision, Judgement, Use
from policies.facts import Call, Facts, Tool

__all__ = [
    "Ask",
    "Call",
    "CompiledPolicy",
    "Decision",
    "Facts",
    "Judgement",
    "Tool",
    "Use",
    "judge",
    "visible_prompt",
    "visible_resource",
    "visible_tool",
]


def judge(policy: CompiledPolicy | None, call: Call, facts: Facts) -> Judgement:
    """`policy` is None for a grant without one."""
    raise NotImplementedError


def visible_tool(policy: CompiledPolicy | None, name: str, tool: Tool) -> bool:
    raise NotImplementedError


def visible_resource(policy: CompiledPolicy | None, uri: str) -> bool:
    raise NotImplementedError


def visible_prompt(policy: CompiledPolicy | None, name: str) -> bool:
    raise NotImplementedError
