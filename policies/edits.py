"""A choice in the editor's table, made in the document's text.

Pure. One tool's entry changes; the rest of the text stays as written. Where a glob
applies, its entry is copied to one under the tool's own name first, so that the glob's
rules still hold for the tool. What cannot be said without touching other tools (a glob
that hides it) is refused with the place to look at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from policies.compile import CompiledPolicy, compile_document
from policies.document import parse
from policies.effects import Effect, Pace, State, effect_of, escaped
from policies.globs import LONGEST
from policies.limited import WINDOWS
from policies.positions import Path
from policies.splice import NotEditable, Spliced

Choice = State | Literal["unnamed"]
CHOICES: tuple[Choice, ...] = ("unnamed", "allow", "limit", "ask", "deny", "hide")
ACTIONS = {"deny": "deny", "ask": "require_approval"}
# What a choice writes where nobody but the requester could decide, and takes back.
ALONE = {"self_approval": True}
FIRST_PACE = Pace(10, "minute")


@dataclass(frozen=True, slots=True)
class Change:
    """`alone`: whom it asks about a call may be who made it."""

    tool: str
    choice: Choice
    pace: Pace | None = None
    alone: bool = False


def choose_all(text: str, changes: Iterable[Change]) -> str:
    """Raises NotEditable, or DocumentError where the text is no document."""
    for change in changes:
        text = choose(text, change)
    return text


def choose(text: str, change: Change) -> str:
    edited, compiled = Spliced(text), compile_document(parse(text))
    effect = effect_of(compiled, change.tool)
    if chosen(effect) == change.choice and _same_pace(effect, change):
        return text
    if change.choice == "hide":
        _hide(edited, change.tool)
        return edited.text
    if effect.state == "hide" and effect.source != "default":
        _show_again(edited, compiled, effect)
        # Seen again, it has an entry or the default, which may be right already.
        return choose(edited.text, change)
    if change.choice == "unnamed":
        _unname(edited, effect)
    else:
        _set_entry(edited, effect, change)
    return edited.text


def chosen(effect: Effect) -> Choice:
    """What the table's select shows."""
    return "unnamed" if effect.source == "default" else effect.state


def set_default(text: str, default: Literal["allow", "deny"]) -> str:
    edited = Spliced(text)
    edited.put(("default",), default)
    return edited.text


def _same_pace(effect: Effect, change: Change) -> bool:
    return change.choice != "limit" or change.pace in (None, effect.pace)


def _hide(edited: Spliced, tool: str) -> None:
    if not edited.has(("hide",)):
        edited.put(("hide",), [])
    edited.append(("hide",), _key(tool))


def _show_again(edited: Spliced, compiled: CompiledPolicy, effect: Effect) -> None:
    index = int(effect.pointer.rsplit("/", 1)[1])
    if effect.source == "glob":
        written = edited.get(("hide", index))
        raise NotEditable(
            f"{effect.tool} is hidden by “{written}” in the list hide, which may hide"
            " other tools too: change that list in the text"
        )
    edited.remove(("hide", index))


def _unname(edited: Spliced, effect: Effect) -> None:
    if effect.rules:
        raise NotEditable(
            f"{effect.tool} has rules: remove its entry in the text, if it is to go"
        )
    if effect.source == "glob":
        raise NotEditable(f"{effect.tool} is named by the glob at {effect.pointer}")
    edited.remove(_written_path(edited, effect))


def _set_entry(edited: Spliced, effect: Effect, change: Change) -> None:
    path = _own_entry(edited, effect)
    if change.choice == "ask":
        _ask(edited, path, change.alone)
        return
    _ask_no_more(edited, path)
    if change.choice == "deny":
        edited.put((*path, "action"), ACTIONS["deny"])
        return
    for key in ("action", "reason"):
        if edited.has((*path, key)):
            edited.remove((*path, key))
    if change.choice == "limit":
        _set_pace(edited, path, effect.pace, change.pace or effect.pace or FIRST_PACE)
    elif effect.pace:
        kind = "rate_limit" if edited.has((*path, "rate_limit")) else "limits"
        edited.remove((*path, kind))


def _ask(edited: Spliced, path: Path, alone: bool) -> None:
    edited.put((*path, "action"), ACTIONS["ask"])
    if alone and not edited.has((*path, "approval")):
        edited.put((*path, "approval"), ALONE)


def _ask_no_more(edited: Spliced, path: Path) -> None:
    entry = edited.get(path)
    if not isinstance(entry, dict) or entry.get("approval") != ALONE:
        return
    if not _asks_otherwise(entry):
        edited.remove((*path, "approval"))


def _asks_otherwise(entry: dict[str, Any]) -> bool:
    over = (
        limit.get("over") == "require_approval" for limit in entry.get("limits", ())
    )
    return bool(entry.get("approve_if")) or any(over)


def _own_entry(edited: Spliced, effect: Effect) -> Path:
    """The path of the entry under the tool's own name, made where there is none."""
    if effect.source == "name":
        return _written_path(edited, effect)
    path = ("tools", _key(effect.tool))
    if not edited.has(("tools",)):
        edited.put(("tools",), {})
    written = "{}"
    if effect.source == "glob":
        written = edited.source(_written_path(edited, effect))
    edited.put_source(path, written)
    return path


def _set_pace(edited: Spliced, path: Path, before: Pace | None, pace: Pace) -> None:
    rate = (*path, "rate_limit")
    if isinstance(edited.get(rate), dict):
        edited.put((*rate, "max"), pace.max)
        edited.put((*rate, "window"), WINDOWS[pace.window])
    elif before is None or edited.has(rate):
        edited.put(rate, f"{pace.max}/{pace.window}")
    else:
        edited.put((*path, "limits", 0, "max"), pace.max)
        edited.put((*path, "limits", 0, "window"), pace.window)


def _written_path(edited: Spliced, effect: Effect) -> Path:
    """The entry's path; its key may be escaped otherwise than we would."""
    key = effect.pointer.removeprefix("/tools/").replace("~1", "/").replace("~0", "~")
    return ("tools", key)


def _key(tool: str) -> str:
    key = escaped(tool)
    if len(key) > LONGEST:
        raise NotEditable(
            f"{tool} has a name of over {LONGEST} characters: only a glob can name it"
        )
    return key
