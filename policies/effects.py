"""What a document does to each tool, in the five words of the editor's table.

Pure. The words say what the entry that applies does by itself: allow, limit, ask, deny,
hide. Whatever they cannot say (conditions, other limits, `all_tools`) is a `Rule`, with
the pointer of its place in the text, and is never lost by a change of the word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from policies.compile import CompiledPolicy
from policies.globs import parse_glob
from policies.limited import RATE_TEXT, WINDOWS
from policies.plans import Entry
from policies.positions import pointer_of
from policies.wording import PERIODS, Rule, rules_of

State = Literal["allow", "limit", "ask", "deny", "hide"]
Source = Literal["name", "glob", "default"]

ACTIONS: Mapping[str, State] = {"deny": "deny", "require_approval": "ask"}
WINDOW_NAMES = {seconds: name for name, seconds in WINDOWS.items()}
PLAIN_LIMIT = {"counter", "window", "max", "scope"}


@dataclass(frozen=True, slots=True)
class Pace:
    """The limit that the table can show: so many calls a window, for each grant."""

    max: int
    window: str

    def __str__(self) -> str:
        return f"{self.max:,} {PERIODS[self.window]}"


@dataclass(frozen=True, slots=True)
class Effect:
    """`pointer` is what decides: the entry, the element of `hide`, or `/default`.

    `others` are globs that match too and do not apply. `data` is the entry.
    """

    tool: str
    state: State
    source: Source
    pointer: str
    pace: Pace | None = None
    rules: tuple[Rule, ...] = ()
    others: tuple[str, ...] = ()
    watched: bool = False
    data: Mapping[str, Any] | None = None

    @property
    def passes(self) -> bool:
        """Whether calls may get through at all."""
        return self.watched or self.state in {"allow", "limit", "ask"}


def effect_of(compiled: CompiledPolicy, tool: str) -> Effect:
    resolved = compiled.resolve(tool)
    entry = resolved.entry
    if resolved.hidden:
        return _hidden(compiled, tool)
    if entry is None:
        state: State = "allow" if compiled.default_allow else "hide"
        return Effect(tool, state, "default", "/default")
    return _from_entry(compiled, tool, entry)


def effects(compiled: CompiledPolicy, tools: Iterable[str]) -> list[Effect]:
    return [effect_of(compiled, tool) for tool in tools]


def lets_nothing_through(compiled: CompiledPolicy, tools: Iterable[str]) -> bool:
    """`tools` are those known; without any, what the document names is looked at."""
    every = compiled.all_tools
    if every and every.data.get("action") == "deny" and not every.all_watched:
        return True
    found = effects(compiled, tools)
    if found:
        return not any(effect.passes for effect in found)
    if compiled.default_allow:
        return False
    return all(_stops(entry) for entry in compiled.entries)


def _stops(entry: Entry) -> bool:
    return entry.data.get("action") == "deny" and not entry.all_watched


def _hidden(compiled: CompiledPolicy, tool: str) -> Effect:
    for index, text in enumerate(compiled.document.data["hide"]):
        glob = parse_glob(text)
        if glob.matches(tool):
            source: Source = "glob" if glob.exact is None else "name"
            return Effect(tool, "hide", source, f"/hide/{index}")
    raise AssertionError(f"{tool!r} is hidden by nothing")


def _from_entry(compiled: CompiledPolicy, tool: str, entry: Entry) -> Effect:
    exact = compiled.exact.get(tool) is entry
    state = ACTIONS.get(entry.data.get("action", "allow"), "allow")
    pace = pace_of(entry.data)
    if state == "allow" and pace:
        state = "limit"
    others = [e.pointer for e in compiled.matching(tool) if e is not entry]
    return Effect(
        tool,
        state,
        "name" if exact else "glob",
        entry.pointer,
        pace,
        rules_of(entry.data, entry.pointer, shown=state == "limit"),
        tuple(others),
        entry.all_watched,
        entry.data,
    )


def pace_of(entry: Mapping[str, Any]) -> Pace | None:
    """`rate_limit`, else the only element of `limits` where it is as plain."""
    if "rate_limit" in entry:
        return _rate(entry["rate_limit"])
    limits = entry.get("limits", [])
    return _plain(limits[0]) if len(limits) == 1 else None


def _rate(written: Any) -> Pace | None:
    if isinstance(written, str):
        match = RATE_TEXT.fullmatch(written)
        return Pace(int(match[1]), match[2]) if match else None
    return _pace(written["max"], written["window"])


def _plain(limit: Mapping[str, Any]) -> Pace | None:
    if not limit.keys() <= PLAIN_LIMIT or limit.get("scope", "grant") != "grant":
        return None
    return _pace(limit["max"], limit["window"])


def _pace(most: Any, window: Any) -> Pace | None:
    name = window if isinstance(window, str) else WINDOW_NAMES.get(window)
    return Pace(int(most), name) if name and most == int(most) else None


def escaped(tool: str) -> str:
    """The key that names exactly this tool."""
    return "".join(f"\\{c}" if c in "*?\\" else c for c in tool)


def entry_pointer(tool: str) -> str:
    return pointer_of(("tools", escaped(tool)))
