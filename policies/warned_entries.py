"""Warnings about entries, limits and whole rules."""

from __future__ import annotations

from collections.abc import Iterator

from policies.compile import CompiledPolicy
from policies.globs import parse_glob
from policies.rule_views import entries_of, rules_of_entry
from policies.saved import Saved, Warned, Warning, listed
from policies.unmatched import impossible

NO_SUCH_TOOL = "The server has no tool of this name."


def nothing_passes(saved: Saved) -> Warned:
    compiled = saved.compiled
    if compiled.default_allow:
        return
    if saved.tools:
        resolved = [saved.compiled.resolve(tool.name) for tool in saved.tools]
        entries = [one.entry for one in resolved if one.entry and not one.hidden]
    else:
        entries = list(compiled.entries)
    if all(e.data.get("action") == "deny" and not e.all_watched for e in entries):
        said = 'lets no tool through: did you mean "default": "allow"?'
        yield Warning("/default", f"This document {said}")


def split_limits(saved: Saved) -> Warned:
    for pointer, limit in _limits(saved.compiled):
        if limit.get("scope") == "session":
            said = "A client may open any number of sessions: the limit holds in each."
            yield Warning(f"{pointer}/scope", said)
        if "by" in limit:
            said = "The client chooses the argument that splits this counter."
            yield Warning(f"{pointer}/by", f"{said} The limit holds for each value.")


def _limits(compiled: CompiledPolicy) -> Iterator[tuple[str, dict[str, object]]]:
    holders = [(entry.pointer, entry.data) for entry in entries_of(compiled)]
    for kind in ("resources", "prompts"):
        holders.append((f"/{kind}", compiled.document.data.get(kind, {})))
    for pointer, data in holders:
        for index, limit in enumerate(data.get("limits", ())):
            yield f"{pointer}/limits/{index}", limit


def needless_approval(saved: Saved) -> Warned:
    for entry in entries_of(saved.compiled):
        data = entry.data
        asks = data.get("action") == "require_approval" or data.get("approve_if")
        limits = data.get("limits", ())
        over = any(limit.get("over") == "require_approval" for limit in limits)
        if "approval" in data and not asks and not over:
            yield Warning(
                f"{entry.pointer}/approval", "No rule here asks for approval."
            )


def never(saved: Saved) -> Warned:
    for rule in saved.rules:
        reason = impossible([leaf for leaf in rule.leaves if leaf.always])
        if reason and rule.kind == "require":
            yield Warning(
                rule.pointer, f"This never holds, so all is denied: {reason}."
            )
        elif reason:
            yield Warning(rule.pointer, f"This rule can never match: {reason}.")


def shadowed(saved: Saved) -> Warned:
    for entry in entries_of(saved.compiled):
        name = entry.glob.exact if entry.glob else None
        if name is not None and saved.compiled.resolve(name).hidden:
            said = "This entry never applies: hide wins over every entry."
            yield Warning(entry.pointer, said)
        denied = entry.data.get("action") == "deny" and not entry.all_watched
        for rule in rules_of_entry(entry):
            watched = entry.all_watched or rule.data.get("mode") == "watch"
            if denied and not watched:
                said = "This rule can never match: a call is denied before it."
                yield Warning(rule.pointer, said)
            always = rule.kind == "deny_if" and not rule.leaves
            denied = denied or (always and not watched)


def several_globs(saved: Saved) -> Warned:
    for tool in saved.tools:
        if tool.name in saved.compiled.exact:
            continue
        entries = saved.compiled.matching(tool.name)
        if len(entries) > 1:
            first, others = entries[0], entries[1:]
            texts = [entry.glob.text for entry in others if entry.glob]
            said = f"{tool.name} also matches {listed(texts)}; this entry applies."
            yield Warning(first.pointer, said)


def nameless(saved: Saved) -> Warned:
    names = [tool.name for tool in saved.tools]
    if not names:
        return
    for entry in saved.compiled.entries:
        if entry.glob and not any(map(entry.glob.matches, names)):
            yield Warning(entry.pointer, NO_SUCH_TOOL)
    for number, text in enumerate(saved.compiled.document.data.get("hide", ())):
        # A pattern may be meant for tools to come; a whole name is that of one tool.
        exact = parse_glob(text).exact
        if exact is not None and exact not in names:
            yield Warning(f"/hide/{number}", NO_SUCH_TOOL)
