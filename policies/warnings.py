"""What saving warns about: a valid document that may not protect as meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from policies import warned_conditions as conditions
from policies import warned_entries as entries
from policies.compile import CompiledPolicy
from policies.facts import Tool
from policies.saved import Saved, Warned, Warning

__all__ = ["Warning", "warnings"]

_CHECKS: tuple[Callable[[Saved], Warned], ...] = (
    entries.nothing_passes,
    entries.nameless,
    entries.several_globs,
    entries.shadowed,
    entries.never,
    conditions.optional,
    conditions.lacking,
    conditions.deny_lists,
    conditions.unanchored,
    conditions.chosen_by_others,
    conditions.unset_verdicts,
    conditions.waiting_verdicts,
    entries.split_limits,
    entries.needless_approval,
)


def warnings(
    compiled: CompiledPolicy,
    tools: Sequence[Tool] = (),
    unset_verdicts: frozenset[str] = frozenset(),
    waiting_verdicts: frozenset[str] = frozenset(),
) -> list[Warning]:
    """`tools` are the server's pinned definitions; `unset_verdicts` names those
    whose verdict nobody has set yet, `waiting_verdicts` those of which a new one waits
    to be accepted."""
    saved = Saved(compiled, tools, unset_verdicts, waiting_verdicts)
    found = [warning for check in _CHECKS for warning in check(saved)]
    return list(dict.fromkeys(found))
