"""Tags of the components: `{% load ui %}`. Each component is a partial `_<name>.html`.

{% icon "server" %}                      an icon of config/static/icons.svg
{% show "badge" decision="deny" %}       the component templates/_badge.html
{% part "dialog" id="a" title="b" %}...{% endpart %}
                                         a component with a body
{{ tool.name|inert }}                    a name somebody else chose, in a <bdi>
{% if request.membership|at_least:"admin" %}
{{ grant.last_used_at|ago }}             "5 minutes ago" ("time" adds the exact one)
"""

from __future__ import annotations

import functools
import unicodedata
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from django import template
from django.conf import settings
from django.forms import BoundField
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Membership

register = template.Library()


class Badge(NamedTuple):
    word: str
    icon: str
    tone: str


DECISIONS = {
    "allow": Badge("allowed", "allowed", "green"),
    "deny": Badge("denied", "denied", "red"),
    "limit": Badge("limited", "limited", "amber"),
    "require_approval": Badge("waiting", "waiting", "violet"),
    "approved": Badge("approved", "approved", "green"),
    "hide": Badge("hidden", "hidden", ""),
}
SEVERITIES = {
    "low": Badge("low", "low", ""),
    "medium": Badge("medium", "medium", "blue"),
    "high": Badge("high", "high", "amber"),
    "critical": Badge("critical", "critical", "red"),
}
CATEGORIES = {
    "Read": Badge("Read", "read", ""),
    "Write": Badge("Write", "write", "blue"),
    "Execute": Badge("Execute", "execute", "amber"),
    "Destructive": Badge("Destructive", "destructive", "red"),
    "Financial": Badge("Financial", "financial", "red"),
    "Other": Badge("Other", "other", ""),
}
# Drawn of a few words alone, a hundred times a page: each is drawn once a process.
ALONE = frozenset({"badge"})
KEEP = {"\n", "\t"}
# Controls, invisible formatting (bidirectional marks too), lone surrogates.
DISGUISES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
STEPS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


@register.simple_tag
@functools.lru_cache
def icon(name: str) -> SafeString:
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false">'
        '<use href="{}#{}"></use></svg>',
        static("icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def show(context: template.Context, name: str, /, **given: Any) -> SafeString:
    """Renders `_<name>.html` with what is given, and nothing else of the page.

    Not `include`, which lets a page's own `title` or `name` slip into a component.
    """
    if name in ALONE:
        return alone(name, **given)
    engine = cast(template.Template, context.template).engine
    partial = engine.get_template(f"_{name}.html")
    kept = {key: context.get(key) for key in ("request", "csrf_token")}
    return partial.render(context.new(kept | given))


@functools.lru_cache(maxsize=1024, typed=True)
def alone(name: str, **given: str) -> SafeString:
    """Typed: what is safe in one place is not for equal text in another."""
    return mark_safe(render_to_string(f"_{name}.html", given))


@register.simple_block_tag(takes_context=True)
def part(
    context: template.Context, content: SafeString, name: str, /, **given: Any
) -> SafeString:
    return show(context, name, body=content, **given)


@register.simple_block_tag(takes_context=True)
def remember(context: template.Context, content: SafeString, name: str) -> str:
    """Keeps what is between the tags for later, as a variable of the page."""
    context[name] = mark_safe(content.strip())
    return ""


@register.simple_tag
def mailbox_in_use() -> bool:
    return bool(settings.MAIL_STAYS_HERE and settings.MAILBOX_SECRET)


@register.filter
def inert(text: object) -> SafeString:
    """A name that a stranger chose: isolated, and what is invisible in it shown."""
    return format_html("<bdi>{}</bdi>", visible(text))


@register.filter
def visible(text: object) -> str:
    """Control and formatting characters as ‹U+202E›; line ends and tabs stay."""
    shown = str(text)
    # None of the categories is printable: nearly all names need no closer look.
    if shown.isprintable():
        return shown
    odd = {ord(each): f"‹U+{ord(each):04X}›" for each in set(shown) if disguises(each)}
    return shown.translate(odd)


def disguises(character: str) -> bool:
    return character not in KEEP and unicodedata.category(character) in DISGUISES


@register.filter
def theme(chosen: str | None) -> str:
    return chosen if chosen in {"light", "dark"} else "auto"


@register.filter
def at_least(membership: Membership, minimum: str) -> bool:
    return membership.at_least(minimum)


@register.filter
def decision_badge(decision: str) -> Badge:
    return DECISIONS.get(decision) or Badge(decision, "info", "")


@register.filter
def severity_badge(severity: str) -> Badge:
    return SEVERITIES.get(severity) or Badge(severity, "info", "")


@register.filter
def category_badge(category: str) -> Badge:
    return CATEGORIES.get(category) or Badge(category, "info", "")


@register.filter
def ago(moment: datetime) -> str:
    """How long ago, or in how long, in one unit; a date beyond thirty days."""
    seconds = (timezone.now() - moment).total_seconds()
    if abs(seconds) > 30 * 86_400:
        return f"{moment:%Y-%m-%d}"
    for unit, length in STEPS:
        if abs(seconds) >= length:
            return _told(int(abs(seconds) // length), unit, seconds > 0)
    return "just now" if seconds > -5 else "in a moment"


@register.filter
def exact(moment: datetime) -> str:
    """For machines."""
    return moment.astimezone(UTC).isoformat()


@register.filter
def exactly(moment: datetime) -> str:
    """For people, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _told(count: int, unit: str, past: bool) -> str:
    words = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{words} ago" if past else f"in {words}"


@register.filter
def control(field: BoundField) -> SafeString:
    """The widget, with the class of our controls unless it is a box to tick."""
    given = field.field.widget.attrs.get("class", "")
    boxed = input_type(field) not in {"checkbox", "radio"}
    return field.as_widget(
        attrs={"class": f"input {given}".strip() if boxed else given}
    )


@register.filter
def input_type(field: BoundField) -> str:
    return getattr(field.field.widget, "input_type", "")
