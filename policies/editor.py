"""What the editor shows beside a text: its problems, its tools, what would change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from accounts.models import User
from policies import recommended
from policies.comparing import Difference, differences, named
from policies.compile import CompiledPolicy, compile_document
from policies.document import DocumentError, parse
from policies.edits import CHOICES, FIRST_PACE, Change, Choice, chosen
from policies.effects import Effect, Pace, effect_of, lets_nothing_through
from policies.limited import WINDOWS
from policies.models import Policy
from policies.pinned import Pinned, known, pinned
from policies.publishing import Checked, check
from policies.spots import Spots
from policies.wording import Rule, rules_of
from servers.models import ToolDefinition

# Three fields a row: Django refuses a form of more than 1,000.
MOST_ROWS = 300
LABELS: dict[Choice, str] = {
    "allow": "Allow",
    "limit": "Limit",
    "ask": "Ask",
    "deny": "Deny",
    "hide": "Hide",
}
BY_DEFAULT = {"allow": "By default: allow", "hide": "By default: hide"}
EXCERPT = 80
ACTION_WORDS = {
    "allow": "allowed, if its own entry allows it",
    "deny": "denied",
    "require_approval": "asks for approval",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A problem, a warning or a rule, with its place and the line it stands on."""

    pointer: str
    message: str
    line: int = 0
    column: int = 1
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class ToolRow:
    """`advised` is the choice that is recommended for the tool, and `why`."""

    tool: ToolDefinition
    effect: Effect
    choice: Choice
    options: Sequence[tuple[str, str]]
    pace: Pace
    source: Told | None
    advised: str
    why: str
    rules: Sequence[Told]
    others: Sequence[Told]


@dataclass(frozen=True)
class Sides:
    """`shown` is what the form sends back, to tell what was changed in the table."""

    checked: Checked
    problems: Sequence[Told]
    warnings: Sequence[Told]
    rows: Sequence[ToolRow] = ()
    shown: str = "[]"
    found: int = 0
    unknown: Sequence[Told] = ()
    general: Sequence[Told] = ()
    changes: Sequence[Difference] = field(default_factory=tuple)
    nothing_passes: bool = False

    @property
    def hidden_rows(self) -> int:
        return self.found - len(self.rows)


def sides(policy: Policy, text: str, by: User, find: str = "") -> Sides:
    here = pinned(policy.server)
    checked = check(text, policy, by, here)
    spots = Spots(text)
    problems = [
        Told(p.pointer, p.message, p.line, p.column, spots.line(p.line)[:EXCERPT])
        for p in checked.problems
    ]
    compiled = checked.compiled
    if compiled is None:
        return Sides(checked, problems, ())
    problems = [_told(spots, one.rule, one.message) for one in checked.undecidable]
    matching = [row for row in here.rows if find.lower() in row.name.lower()]
    rows = [_row(compiled, spots, tool) for tool in matching[:MOST_ROWS]]
    names = [tool.name for tool in here.tools]
    nothing = lets_nothing_through(compiled, names)
    return Sides(
        checked,
        problems,
        # That nothing passes is said apart, with what to do about it.
        [
            _told(spots, warning.pointer, warning.message)
            for warning in checked.warnings
            if not (nothing and warning.pointer == "/default")
        ],
        rows,
        _shown(rows),
        len(matching),
        _unknown(compiled, spots, here),
        _general(compiled, spots),
        differences(in_force(policy), compiled, names),
        nothing,
    )


def in_force(policy: Policy) -> CompiledPolicy | None:
    if policy.current is None:
        return None
    try:
        return compile_document(parse(policy.current.text))
    except DocumentError:
        # Published under rules that have been tightened since: nothing to compare.
        return None


def changes_of(posted: str, fields: dict[str, str]) -> list[Change]:
    """What differs between the table as it was `posted` back and its fields.

    Raises ValueError where either was made up.
    """
    changes = []
    for index, (tool, *before) in enumerate(_rows(posted)):
        now = [
            fields.get(f"{name}-{index}", "") for name in ("choice", "max", "window")
        ]
        if now != before and (now[0] != before[0] or now[0] == "limit"):
            changes.append(_change(tool, now))
    return changes


def _rows(posted: str) -> list[list[str]]:
    rows = json.loads(posted)
    if not isinstance(rows, list) or len(rows) > MOST_ROWS:
        raise ValueError("the rows are no list")
    for row in rows:
        if not isinstance(row, list) or list(map(type, row)) != [str] * 4:
            raise ValueError("a row is a tool, its choice, a number and a window")
    return rows


def _change(tool: str, now: list[str]) -> Change:
    choice, most, window = now
    if choice not in CHOICES:
        raise ValueError("no such choice")
    if choice != "limit":
        return Change(tool, choice)
    if not most.isdecimal() or len(most) > 10 or window not in WINDOWS:
        raise ValueError(f"{tool}: a limit is a whole number in a window")
    return Change(tool, choice, Pace(int(most), window))


def _row(compiled: CompiledPolicy, spots: Spots, tool: ToolDefinition) -> ToolRow:
    effect = effect_of(compiled, tool.name)
    advice = recommended.advice(known(tool))
    return ToolRow(
        tool=tool,
        effect=effect,
        choice=chosen(effect),
        options=_options(compiled, effect),
        pace=effect.pace or FIRST_PACE,
        source=_source(spots, effect),
        advised=LABELS[advice.choice],
        why=advice.why,
        rules=[_told(spots, rule.pointer, rule.words) for rule in effect.rules],
        others=[_told(spots, pointer, _key(pointer)) for pointer in effect.others],
    )


def _options(compiled: CompiledPolicy, effect: Effect) -> list[tuple[str, str]]:
    """“By default” only where choosing it would do so."""
    options: list[tuple[Choice, str]] = list(LABELS.items())
    exact = effect.tool in compiled.exact
    if effect.source == "default" or (exact and not effect.rules and not effect.others):
        default = BY_DEFAULT["allow" if compiled.default_allow else "hide"]
        options.insert(0, ("unnamed", default))
    return [(str(value), label) for value, label in options]


def _source(spots: Spots, effect: Effect) -> Told | None:
    if effect.source == "default":
        return None
    if effect.state == "hide":
        return _told(spots, effect.pointer, str(spots.value(effect.pointer)))
    return _told(spots, effect.pointer, _key(effect.pointer))


def _key(pointer: str) -> str:
    return pointer.rsplit("/", 1)[1].replace("~1", "/").replace("~0", "~")


def _unknown(compiled: CompiledPolicy, spots: Spots, here: Pinned) -> list[Told]:
    """Exact names of tools that the server does not list: a typing error, perhaps."""
    missing = sorted(named(compiled) - {row.name for row in here.rows})
    return [_told(spots, effect_of(compiled, name).pointer, name) for name in missing]


def _general(compiled: CompiledPolicy, spots: Spots) -> list[Told]:
    every = compiled.all_tools
    if every is None:
        return []
    rules = rules_of(every.data, "/all_tools")
    if "action" in every.data:
        action = every.data["action"]
        rules = (Rule("/all_tools/action", ACTION_WORDS[action]), *rules)
    return [_told(spots, rule.pointer, rule.words) for rule in rules]


def _shown(rows: Iterable[ToolRow]) -> str:
    return json.dumps(
        [
            [row.tool.name, row.choice, str(row.pace.max), row.pace.window]
            for row in rows
        ]
    )


def _told(spots: Spots, pointer: str, message: str) -> Told:
    spot = spots.find(pointer)
    if spot is None:
        return Told(pointer, message)
    excerpt = spots.line(spot.line)[:EXCERPT]
    return Told(pointer, message, spot.line, spot.column, excerpt)
