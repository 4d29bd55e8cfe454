"""Runs the tests that a document carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from policies.compile import CompiledPolicy
from policies.facts import Tool


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
    raise NotImplementedError
