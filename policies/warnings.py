"""What saving warns about: a valid document that may not protect as meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policies.compile import CompiledPolicy
from policies.facts import Tool


@dataclass(frozen=True, slots=True)
class Warning:
    pointer: str
    message: str


def warnings(
    compiled: CompiledPolicy,
    tools: Sequence[Tool] = (),
    unset_verdicts: frozenset[str] = frozenset(),
) -> list[Warning]:
    """`tools` are the server's pinned definitions; `unset_verdicts` names those
    whose verdict nobody has set yet."""
    raise NotImplementedError
