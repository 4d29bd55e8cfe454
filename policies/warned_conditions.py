"""Warnings about single conditions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.declared import declared
from policies.rule_views import Leaf, RuleView
from policies.saved import Saved, Warned, Warning, listed


def optional(saved: Saved) -> Warned:
    for rule, leaf in saved.leaves():
        if rule.kind == "require" or leaf.path.root != "args" or leaf.op == "exists":
            continue
        if not leaf.passes_when_absent():
            continue
        steps = leaf.path.steps
        names = [
            tool.name
            for tool in saved.tools_of(rule.entry)
            if declared(tool.input_schema or {}, steps) != "required"
        ]
        if names:
            yield Warning(leaf.pointer, _optional_text(names, leaf.path.text))


def _optional_text(names: list[str], path: str) -> str:
    return (
        f"{path} is optional for {listed(names)}: where it is left out this "
        'condition does not match. "if_absent": "match" makes it match.'
    )


def lacking(saved: Saved) -> Warned:
    for rule, leaf in saved.leaves():
        if rule.kind != "require" or leaf.path.root != "args":
            continue
        names = [
            tool.name
            for tool in saved.tools_of(rule.entry)
            if declared(tool.input_schema or {}, leaf.path.steps) == "missing"
        ]
        if names:
            said = f"{leaf.path.text} is no argument in the schema of {listed(names)}."
            yield Warning(leaf.pointer, said)


def chosen_by_others(saved: Saved) -> Warned:
    for _, leaf in saved.leaves():
        if leaf.path.root == "client.name":
            said = "client.name is chosen by the client: it may tighten, not protect."
            yield Warning(leaf.pointer, said)
        if leaf.path.root == "tool.annotations":
            said = "tool.annotations are written by the server: they may tighten, not"
            yield Warning(leaf.pointer, f"{said} protect.")


def unset_verdicts(saved: Saved) -> Warned:
    for leaf, names in _by_verdict(saved, saved.unset):
        said = f"Nobody has set the verdict of {listed(names)} yet: it reads"
        yield Warning(leaf.pointer, f"{said} as category Other, severity low.")


def waiting_verdicts(saved: Saved) -> Warned:
    for leaf, names in _by_verdict(saved, saved.waiting):
        said = f"A new verdict of {listed(names)} waits to be accepted: until then this"
        yield Warning(leaf.pointer, f"{said} reads the one in force.")


def _by_verdict(
    saved: Saved, names: frozenset[str]
) -> Iterator[tuple[Leaf, list[str]]]:
    """Conditions on verdicts, each with those of the tools that it decides on."""
    for rule, leaf in saved.leaves():
        if leaf.path.root in ("tool.category", "tool.severity"):
            tools = saved.tools_of(rule.entry)
            if found := [tool.name for tool in tools if tool.name in names]:
                yield leaf, found


_FLAGS = re.compile(r"\(\?([a-zA-Z]*)(?:-[a-zA-Z]+)?\)")


def is_anchored(pattern: str) -> bool:
    """Whether the whole text must match, as far as can be told."""
    flags = _FLAGS.match(pattern)
    body = pattern[flags.end() :] if flags else pattern
    if flags and "m" in flags[1]:
        return False
    starts = body.startswith(("^", r"\A"))
    ends = (body.endswith("$") and not body.endswith(r"\$")) or body.endswith(r"\z")
    return starts and ends and not _has_branches(body)


def _has_branches(body: str) -> bool:
    """A `|` outside of all brackets: anchors then hold for one branch only."""
    plain = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "", body, flags=re.DOTALL)
    depth = 0
    for character in plain:
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            return True
    return False


def unanchored(saved: Saved) -> Warned:
    for rule, leaf in saved.leaves():
        relied_on = rule.kind == "require" and leaf.op == "regex" and not leaf.negated
        if relied_on and not is_anchored(leaf.value):
            said = "This regex may match anywhere in the text: anchor it with ^ and $."
            yield Warning(f"{leaf.pointer}/value", said)


_OPEN_NAMES = re.compile(
    r"(?i)(^|[_\-.])(path|file|filename|dir|directory|folder|url|uri|href|link|"
    r"endpoint|host|domain|e?mail|to|cc|bcc|recipients?|address)s?($|[_\-.])"
    r"|(Path|File|Dir|Url|URL|Uri|URI|Email|Mail|Host|Domain)s?$"
)
_OPEN_VALUE = re.compile(
    r"^(\.{0,2}/|~/|[A-Za-z]:\\|[a-z][a-z0-9+.\-]*://)|@[\w.\-]+\."
)


def deny_lists(saved: Saved) -> Warned:
    for rule, leaf in saved.leaves():
        if leaf.path.root != "args" or not _is_deny_list(rule, leaf):
            continue
        if _OPEN_NAMES.search(leaf.argument) or any(map(_is_open, _values(leaf))):
            said = "The same path, URL or e-mail can be written in many ways: list in"
            yield Warning(leaf.pointer, f"{said} require what is allowed instead.")


def _is_deny_list(rule: RuleView, leaf: Leaf) -> bool:
    if leaf.op == "exists" or leaf.op.startswith("len_"):
        return False
    picks_out = (leaf.op not in ("neq", "not_in")) != leaf.negated
    return picks_out == (rule.kind != "require")


def _values(leaf: Leaf) -> list[object]:
    return leaf.value if isinstance(leaf.value, list) else [leaf.value]


def _is_open(value: object) -> bool:
    return isinstance(value, str) and _OPEN_VALUE.search(value) is not None
