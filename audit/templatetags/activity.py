"""Words of the activity pages: `{% load activity %}`."""

from __future__ import annotations

from typing import NamedTuple

from django import template

from audit.models import Record

register = template.Library()


class Told(NamedTuple):
    word: str
    icon: str
    tone: str


OUTCOMES = {
    "ok": Told("answered", "check", ""),
    "tool_error": Told("tool error", "warning", "amber"),
    "error": Told("error", "warning", "red"),
    "not_inspected": Told("answered, not inspected", "check", ""),
    "not_sent": Told("never sent", "undo", "amber"),
    "cancelled": Told("cancelled", "close", ""),
    "unknown": Told("unknown", "help", "amber"),
    "refused": Told("not forwarded", "close", ""),
}
OPEN = Told("in progress", "waiting", "blue")
UNITS = ((2_592_000, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute"))
MILLIONTH = 1_000_000
DECIDED = {
    "allow": "allowed",
    "deny": "denied",
    "hide": "hidden",
    "limit": "limited",
    "require_approval": "waiting for approval",
}
MEANINGS = {
    "(unknown tool)": "The server never listed a tool of this name.",
    "(hidden)": "The policy hides it.",
    "(default deny)": "The policy does not name it, and its default is deny.",
    "(killed)": "A kill switch was on.",
    "(no policy)": "The grant had no policy.",
    "(changed tool)": "The tool was held, because its definition had changed.",
    "(arguments)": "The arguments did not fit the tool’s schema.",
    "(bad URI)": "The address could not be read.",
    "(too large)": "The call was too large to judge.",
    "(changing)": "The policy changed while the call was judged.",
}
NAMED = {"tools": "Tool", "resources": "Resource", "prompts": "Prompt"}


@register.filter
def outcome(record: Record) -> Told:
    return OUTCOMES.get(record.outcome or "", OPEN)


@register.filter
def duration(milliseconds: float | None) -> str:
    if milliseconds is None:
        return ""
    if milliseconds < 1000:
        return (
            f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"
        )
    return f"{milliseconds / 1000:.1f} s"


@register.filter
def amount(millionths: int) -> str:
    """A limit's number, exact: 2500000 is 2.5."""
    whole, rest = divmod(millionths, MILLIONTH)
    return f"{whole:,}" + (f".{rest:06}".rstrip("0") if rest else "")


@register.filter
def window(seconds: int) -> str:
    for length, word in UNITS:
        if seconds % length == 0:
            count = seconds // length
            return f"a {word}" if count == 1 else f"{count} {word}s"
    return f"{seconds} seconds"


@register.filter
def decided(decision: str) -> str:
    return DECIDED.get(decision, decision)


@register.filter
def meaning(rule: str) -> str:
    return MEANINGS.get(rule, "")


@register.filter
def named(method: str | None) -> str:
    """What the name of a call is, by its method."""
    return NAMED.get((method or "").partition("/")[0], "Name")
