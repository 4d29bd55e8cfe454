"""What changes from one document to another, in words, tool by tool. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from policies.compile import CompiledPolicy
from policies.effects import Effect, effect_of
from policies.globs import parse_glob

Tone = Literal["tightens", "loosens", "changes"]

STRICTNESS = {"hide": 0, "deny": 0, "ask": 1, "limit": 2, "allow": 3}
MOST_RULES = 3
MOST_ALIKE, SHOWN_ALIKE = 10, 3
SECTIONS = {
    "default": "tools that nothing names",
    "hide": "the list of hidden names",
    "all_tools": "rules for every tool",
    "resources": "resources",
    "prompts": "prompts",
    "validate_arguments": "checking arguments by the schema",
    "mode": "enforcing or watching",
}
WORDS = {
    "allow": "allowed",
    "limit": "allowed",
    "ask": "asks for approval",
    "deny": "denied",
    "hide": "hidden",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """`before` is empty where there was no version; `tool` False for a section."""

    subject: str
    before: str
    after: str
    tone: Tone
    tool: bool = True


def differences(
    old: CompiledPolicy | None, new: CompiledPolicy, tools: Iterable[str]
) -> list[Difference]:
    names = {*tools, *named(new), *(named(old) if old else ())}
    found = [_of_tool(old, new, name) for name in sorted(names)]
    sections = [_of_section(old, new, key) for key in SECTIONS]
    told = [each for each in sections if each is not None]
    return told + _grouped([each for each in found if each is not None])


def _grouped(found: list[Difference]) -> list[Difference]:
    """Where very many tools change alike, one line says so."""
    groups: dict[tuple[str, str, Tone], list[Difference]] = {}
    for each in found:
        groups.setdefault((each.before, each.after, each.tone), []).append(each)
    shown: list[Difference] = []
    for group in groups.values():
        shown += [_together(group)] if len(group) > MOST_ALIKE else group
    return shown


def _together(group: list[Difference]) -> Difference:
    names = ", ".join(each.subject for each in group[:SHOWN_ALIKE])
    more = len(group) - SHOWN_ALIKE
    return replace(group[0], subject=f"{names} and {more:,} more tools")


def named(compiled: CompiledPolicy) -> set[str]:
    """Tools that a document names exactly, known or not."""
    hidden = (parse_glob(text).exact for text in _hidden(compiled))
    return {*compiled.exact, *(name for name in hidden if name is not None)}


def _hidden(compiled: CompiledPolicy) -> list[str]:
    written = compiled.document.data.get("hide", [])
    return list(written) if isinstance(written, list) else []


def effect_words(effect: Effect) -> str:
    words = WORDS[effect.state]
    if effect.source == "default":
        words += " by default"
    if effect.state == "limit":
        words += f", at most {effect.pace}"
    shown = [rule.words for rule in effect.rules[:MOST_RULES]]
    if more := len(effect.rules) - len(shown):
        shown.append(f"{more} more rules")
    return "; ".join([f"{words} (watched only)" if effect.watched else words, *shown])


def text_difference(old: str, new: str, names: tuple[str, str]) -> list[str]:
    """Unified lines without line ends; empty where the texts are the same."""
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), *names, lineterm="", n=3
    )
    return list(lines)


def _of_tool(
    old: CompiledPolicy | None, new: CompiledPolicy, name: str
) -> Difference | None:
    after = effect_of(new, name)
    if old is None:
        return Difference(name, "", effect_words(after), "changes")
    before = effect_of(old, name)
    words = effect_words(before), effect_words(after)
    if words[0] == words[1]:
        if before.data == after.data:
            return None
        words = (words[0], "other rules, see the text")
    return Difference(name, *words, _tone(before, after))


def _tone(before: Effect, after: Effect) -> Tone:
    if before.watched or after.watched or before.rules != after.rules:
        return "changes"
    was, now = STRICTNESS[before.state], STRICTNESS[after.state]
    if was == now:
        return "changes"
    return "tightens" if now < was else "loosens"


def _of_section(
    old: CompiledPolicy | None, new: CompiledPolicy, key: str
) -> Difference | None:
    before = old.document.data.get(key) if old else None
    after = new.document.data.get(key)
    if before == after or (old is None and after is None):
        return None
    told = _told(before) if old else ""
    return Difference(SECTIONS[key], told, _told(after), "changes", tool=False)


def _told(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, list):
        shown = ", ".join(map(str, value[:5]))
        return f"{shown} and {len(value) - 5} more" if len(value) > 5 else shown
    if isinstance(value, dict):
        return f"set: {', '.join(value)}" if value else "set"
    return str(value).lower() if isinstance(value, bool) else str(value)
