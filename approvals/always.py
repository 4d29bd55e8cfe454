"""A draft of a policy by which calls like one that was asked about need nobody's word.

Pure. Every rule that asked gets one more condition: that the call is not such a one.
`alike` says what such a call is, as for a waiver: `{pointer: {"is": value} | {"in":
[...]} | {"max": number} | {"any": true}}` for each leaf of the arguments. What a
document cannot say about one tool alone is refused with the place to look at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from policies.compile import compile_document
from policies.document import DocumentError, parse
from policies.effects import effect_of, entry_pointer, escaped
from policies.globs import LONGEST
from policies.numbers import exact, is_number
from policies.positions import Path, pointer_of
from policies.splice import NotEditable, Spliced

Condition = dict[str, Any]
Alike = Mapping[str, Mapping[str, Any]]
MOST_CONDITIONS = 20
ASKS = "require_approval"


class Subject(NamedTuple):
    """The call that was asked about; `version` is the text that asked."""

    tool: str
    arguments: Any
    rules: tuple[str, ...]
    version: str


class Drafted(NamedTuple):
    """`pointer` is the entry that differs."""

    text: str
    pointer: str


def drafted(draft: str, subject: Subject, alike: Alike) -> Drafted:
    """`draft` with the call let through. Raises NotEditable, the reason for people."""
    for rule in subject.rules:
        _of_the_tool(rule)
    edited, asked = Spliced(draft), Spliced(subject.version)
    unlike = {"not": {"all": conditions(subject.arguments, alike)}}
    try:
        entry = _own_entry(edited, subject.tool)
        for rule in subject.rules:
            _relax(edited, entry, asked, _steps(rule), unlike)
        compile_document(parse(edited.text))
    except DocumentError as error:
        first = error.problems[0]
        raise NotEditable(f"line {first.line}: {first.message}") from None
    return Drafted(edited.text, entry_pointer(subject.tool))


def conditions(arguments: Any, alike: Alike) -> list[Condition]:
    """That hold for exactly the calls that are alike, and are unsure at most of others.

    An object or a list holds no more than it did: a key that nobody saw is unlike. What
    was empty must be empty, whether list, object or text.
    """
    found = list(_of_value(arguments, (), alike))
    if len(found) > MOST_CONDITIONS:
        raise NotEditable(
            f"these arguments take {len(found)} conditions, and a rule holds"
            f" {MOST_CONDITIONS}: let some be anything, or write the rule in the text"
        )
    return found


# Conditions


def _of_value(value: Any, path: Path, alike: Alike) -> list[Condition]:
    written = written_path(path)
    if value is None:
        raise NotEditable(f"{written} is null, which a rule cannot tell from nothing")
    test = alike.get(pointer_of(path)) if path else None
    if test is not None:
        return [_of_leaf(written, test)]
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        longest = {"path": written, "op": "len_lt", "value": len(value) + 1}
        return [
            longest,
            *(c for step, each in inner for c in _of_value(each, (*path, step), alike)),
        ]
    return [_of_leaf(written, {"is": value})]


def _of_leaf(path: str, test: Mapping[str, Any]) -> Condition:
    if "any" in test:
        return {"path": path, "op": "exists"}
    if "max" in test:
        return {"path": path, "op": "lte", "value": test["max"]}
    if "in" in test:
        if any(value is None or isinstance(value, dict | list) for value in test["in"]):
            raise NotEditable(f"{path}: a list of values holds texts and numbers only")
        return {"path": path, "op": "in", "value": list(test["in"])}
    value = test["is"]
    if isinstance(value, dict | list):
        return {"path": path, "op": "len_lt", "value": 1}
    return {"path": path, "op": "eq", "value": _plain(path, value)}


def _plain(path: str, value: Any) -> Any:
    if not is_number(value):
        return value
    number = exact(value)
    if number is None:
        raise NotEditable(f"{path} is a number that rules cannot hold: {value}")
    return number


def written_path(path: Path) -> str:
    """As policies/paths.py reads it."""
    return "args" + "".join(map(_step, path))


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    plain = step and not any(mark in step for mark in '.[]" ')
    return f".{step}" if plain else f"[{json.dumps(step, ensure_ascii=False)}]"


# The document


def _of_the_tool(rule: str) -> None:
    steps = _steps(rule)
    if steps[0] != "tools":
        raise NotEditable(
            f"{rule} asks for every tool: a rule there cannot tell tools apart"
        )
    if steps[-1] != "action" and "approve_if" not in steps[2:3]:
        raise NotEditable(f"{rule} asks because it was full: raise it in the text")


def _own_entry(edited: Spliced, tool: str) -> Path:
    """The entry under the tool's own name; a glob's is copied to it first."""
    effect = effect_of(compile_document(parse(edited.text)), tool)
    if effect.source == "default" or effect.state in {"hide", "deny"}:
        raise NotEditable(f"the draft does not let anybody ask for {tool}")
    written = _steps(effect.pointer)
    if effect.source == "name":
        return written
    if len(escaped(tool)) > LONGEST:
        raise NotEditable(f"{tool} has a name too long for an entry of its own")
    path: Path = ("tools", escaped(tool))
    edited.put_source(path, edited.source(written))
    return path


def _relax(
    edited: Spliced, entry: Path, asked: Spliced, rule: Path, unlike: Condition
) -> None:
    if rule[-1] == "action":
        _relax_action(edited, entry, unlike)
    else:
        written = asked.get((*rule[:3], int(rule[3])))
        at = _place_of(edited, entry, written, pointer_of(rule))
        edited.append((*entry, "approve_if", at, "conditions"), unlike)


def _relax_action(edited: Spliced, entry: Path, unlike: Condition) -> None:
    if edited.get((*entry, "action")) != ASKS:
        raise NotEditable(f"{pointer_of(entry)} of the draft asks nobody any more")
    rule: dict[str, Any] = {"conditions": [unlike]}
    if edited.has((*entry, "reason")):
        rule["reason"] = edited.get((*entry, "reason"))
        edited.remove((*entry, "reason"))
    edited.remove((*entry, "action"))
    if not edited.has((*entry, "approve_if")):
        edited.put((*entry, "approve_if"), [])
    edited.append((*entry, "approve_if"), rule)


def _place_of(edited: Spliced, entry: Path, rule: Any, place: str) -> int:
    """Where the rule that asked stands in the draft, which others may have edited."""
    rules = edited.get((*entry, "approve_if"))
    if rule is None or not isinstance(rules, list) or rule not in rules:
        raise NotEditable(
            f"{place} is another rule in the draft: change it in the text"
        )
    return rules.index(rule)


def _steps(pointer: str) -> Path:
    steps = pointer.removeprefix("/").split("/")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)
