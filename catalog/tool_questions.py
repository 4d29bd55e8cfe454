"""The six questions of a tool's page, answered from its row and nothing else."""

from __future__ import annotations

from catalog import advice
from catalog.advice import Advice
from catalog.models import CatalogTool
from catalog.plain import day, line
from catalog.wording import Wording

SHORT = 60


def questions(
    tool: CatalogTool, worded: Wording, advised: Advice
) -> list[tuple[str, str]]:
    """Question and answer, plain text."""
    name, server = shortened(tool.name), shortened(tool.server.name)
    return [
        (f"What does {name} do?", what(tool, worded, advised)),
        (
            f"How do I enforce a policy on {name}?",
            f"Register {server} with PolicyLayer, paste the policy of this page into"
            " its editor or build it there, publish, and point your MCP client at the"
            " gateway's URL instead of the server's. The policy holds from the next"
            " call on.",
        ),
        (f"What risk level is {name}?", risk(tool)),
        (f"Can I rate-limit {name}?", limit(tool)),
        (
            f"How do I block {name} completely?",
            'Give it "action": "deny" with a "reason": every call is denied, and the'
            ' agent is told the reason. Or put its name into "hide": then it is not'
            " even listed.",
        ),
        (f"Which server provides {name}?", provider(tool)),
    ]


def shortened(text: str) -> str:
    said = line(text)
    return said if len(said) <= SHORT else f"{said[: SHORT - 1]}…"


def what(tool: CatalogTool, worded: Wording, advised: Advice) -> str:
    return (
        f"{worded.sentence}. By its definition it {advised.means}: its category is"
        f" {tool.category}."
    )


def risk(tool: CatalogTool) -> str:
    """Agrees with the badge: both are the verdict's."""
    sure = advice.percent(tool.verdict)
    said = (
        f"{tool.severity.capitalize()}. The classifier is {sure} sure of the category"
        f" {tool.category}."
    )
    return " ".join([said, *advice.doubts(tool.verdict)])


def limit(tool: CatalogTool) -> str:
    if tool.category == "Destructive":
        return (
            'Yes, once it is not hidden: give it a "rate_limit" of {"max": 10,'
            ' "window": 60} and each grant may call it 10 times in any 60 seconds.'
        )
    return (
        'Yes. A "rate_limit" of {"max": 10, "window": 60} lets each grant call it 10'
        " times in any 60 seconds; the next call is refused and told when to try"
        ' again. "limits" can count by hour or day, by server, or sum an argument.'
    )


def provider(tool: CatalogTool) -> str:
    server = tool.server
    version = f" {line(server.version)}" if server.version else ""
    asked = f" on {day(server.scanned_at)}" if server.scanned_at else ""
    return (
        f"{line(server.name)} ({line(server.source)}{version}), by"
        f" {line(server.publisher_name)}. It listed the tool itself when it was asked"
        f"{asked}."
    )
