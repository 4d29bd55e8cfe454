"""Deciding a call: pure, no I/O, no parsing.

The order is that of the policy page: killed and no policy; unknown, hidden,
default deny; held for drift; arguments; deny; limits; approval. The watched parts
are judged beside, as if nothing else were in the document.
"""

from __future__ import annotations

from policies.amounts import BadAmount
from policies.compile import CompiledPolicy, Resolved
from policies.decision import (
    ALLOW,
    NOTHING,
    Answer,
    Ask,
    Decision,
    Judgement,
    Side,
    Use,
    make,
)
from policies.facts import Call, Facts, Kind, Tool
from policies.plans import Plan
from policies.reading import Bounds, Reading, TooLarge
from policies.reads import Section, Subject
from policies.uris import BadUri, UriTooLarge, parse_uri

__all__ = [
    "Ask",
    "Call",
    "CompiledPolicy",
    "Decision",
    "Facts",
    "Judgement",
    "Tool",
    "Use",
    "judge",
    "visible_prompt",
    "visible_resource",
    "visible_tool",
]


def _named(decision: Answer, name: str) -> Judgement:
    return Judgement(Side(decided=Decision(decision, f"({name})", None)))


KILLED = _named("deny", "killed")
NO_POLICY = _named("deny", "no policy")
UNKNOWN_TOOL = _named("hide", "unknown tool")
HIDDEN = _named("hide", "hidden")
DEFAULT_DENY = _named("hide", "default deny")
CHANGED_TOOL = _named("deny", "changed tool")
BAD_URI = _named("deny", "bad URI")
TOO_LARGE = Decision("deny", "(too large)", None)
ARGUMENTS = Decision("deny", "(arguments)", None)
ALLOWED = Judgement(NOTHING)


def judge(policy: CompiledPolicy | None, call: Call, facts: Facts) -> Judgement:
    """`policy` is None for a grant without one."""
    if facts.killed:
        return KILLED
    if policy is None:
        return NO_POLICY
    if call.kind == "tool":
        return _judge_tool(policy, call, facts)
    return _judge_read(policy, call, facts)


def _judge_tool(policy: CompiledPolicy, call: Call, facts: Facts) -> Judgement:
    if facts.tool is None:
        return UNKNOWN_TOOL
    resolved = policy.resolve(call.name)
    if facts.break_glass is not None:
        return _opened(resolved, call, facts, facts.break_glass)
    if resolved.hidden:
        return HIDDEN
    if resolved.entry is None and not policy.default_allow:
        return DEFAULT_DENY
    if facts.tool.held:
        return CHANGED_TOOL
    enforced = _side(resolved.enforced, call, facts)
    if not resolved.watches:
        if enforced is NOTHING:
            return ALLOWED
        return make(Judgement, (enforced, NOTHING, ALLOW))
    return Judgement(enforced, _side(resolved.watched, call, facts))


def _opened(resolved: Resolved, call: Call, facts: Facts, opening: str) -> Judgement:
    """Break-glass skips what hides, denies and asks; limits and arguments hold."""
    allow = Decision("allow", f"(break-glass {opening})", None)
    enforced = _side(resolved.enforced, call, facts, opened=True)
    return Judgement(enforced, _side(resolved.watched, call, facts), allow)


def _side(plan: Plan, call: Call, facts: Facts, opened: bool = False) -> Side:
    if plan.validate is not None:
        tool = facts.tool
        if tool is None or not tool.accepts(call.args, plan.validate):
            return Side(decided=ARGUMENTS)
    r = Reading(call.args, facts)
    if not opened:
        try:
            for condition, passes, decision in plan.denies:
                if condition(r) is not passes:
                    return Side(decided=decision)
        except TooLarge:
            return Side(decided=TOO_LARGE)
    uses, bad = (plan.uses, None) if plan.uses is not None else _uses(plan, r)
    if bad is not None or opened or not plan.asks:
        if not uses and bad is None:
            return NOTHING
        return make(Side, (None, uses, bad, (), facts.waived, opened))
    try:
        asks = _asks(plan, r, facts)
    except TooLarge:
        return Side(uses=uses, bad=TOO_LARGE)
    return Side(None, uses, None, asks, facts.waived)


def _uses(plan: Plan, r: Reading) -> tuple[tuple[Use, ...], Decision | None]:
    """The uses before the first limit whose argument cannot be counted, and it."""
    uses: list[Use] = []
    for limit in plan.limits:
        try:
            uses.append(limit.fixed or limit.use(r))
        except BadAmount:
            still = limit.still
            return tuple(uses), Decision("deny", still.rule, still.on_deny)
        except TooLarge:
            return tuple(uses), TOO_LARGE
    return tuple(uses), None


def _asks(plan: Plan, r: Reading, facts: Facts) -> tuple[Ask, ...]:
    waived = facts.waived
    return tuple(
        ask
        for condition, passes, ask in plan.asks
        if ask.rule not in waived and condition(r) is not passes
    )


def _judge_read(policy: CompiledPolicy, call: Call, facts: Facts) -> Judgement:
    section = _section(policy, call.kind)
    try:
        subject, bounds = _subject(call.kind, call.name), Bounds()
        if section.hide.first(subject, bounds) is not None:
            return HIDDEN
        denied = section.deny.first(subject, bounds)
        if denied is not None and not section.deny_watched:
            denial = Side(decided=section.denial(denied))
            return Judgement(denial, _side(section.watched, call, facts))
        if not section.lets(subject, bounds):
            return DEFAULT_DENY
    except BadUri:
        return BAD_URI
    except (UriTooLarge, TooLarge):
        return Judgement(Side(decided=TOO_LARGE))
    enforced = _side(section.enforced, call, facts)
    if denied is not None:
        return Judgement(enforced, Side(decided=section.denial(denied)))
    return Judgement(enforced, _side(section.watched, call, facts))


def _section(policy: CompiledPolicy, kind: Kind) -> Section:
    return policy.resources if kind == "resource" else policy.prompts


def _subject(kind: Kind, name: str) -> Subject:
    """Raises BadUri, UriTooLarge."""
    return Subject(parse_uri(name) if kind == "resource" else name, len(name))


def visible_tool(policy: CompiledPolicy | None, name: str, tool: Tool) -> bool:
    """A denied tool is listed: its refusal says why."""
    if policy is None or tool.held:
        return False
    resolved = policy.resolve(name)
    return not resolved.hidden and (resolved.entry is not None or policy.default_allow)


def visible_resource(policy: CompiledPolicy | None, uri: str) -> bool:
    return policy is not None and _visible(policy, "resource", uri)


def visible_prompt(policy: CompiledPolicy | None, name: str) -> bool:
    return policy is not None and _visible(policy, "prompt", name)


def _visible(policy: CompiledPolicy, kind: Kind, name: str) -> bool:
    section, bounds = _section(policy, kind), Bounds()
    try:
        subject = _subject(kind, name)
        if section.hide.first(subject, bounds) is not None:
            return False
        denied = section.deny.first(subject, bounds)
        return denied is not None or section.lets(subject, bounds)
    except (BadUri, UriTooLarge, TooLarge):
        return False
