"""What a server offers, ready to be stored: from a scan's answer or from a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from catalog.classifying import BadDefinition, Classifier, Facts, storable
from catalog.recipes import why_empty
from catalog.scanning.answers import Answer
from servers.definitions import read_tools

TEXTS = ("kind", "source", "version", "transport", "revision", "environment")


@dataclass(frozen=True, slots=True)
class Tool:
    """`definition` is RFC 8785 text, empty where only facts are known."""

    name: str
    facts: Facts
    definition: str = ""

    @property
    def fingerprint(self) -> str:
        return str(self.facts["fingerprint"])


@dataclass(frozen=True, slots=True)
class Offer:
    """One server at one moment. `prompts` and `resources` are numbers."""

    kind: str
    source: str
    version: str
    transport: str
    revision: str
    scanned_at: datetime
    environment: str = ""
    registry_name: str = ""
    identity: Mapping[str, str] = field(default_factory=dict)
    tools: tuple[Tool, ...] = ()
    prompts: int = 0
    resources: int = 0
    problems: tuple[str, ...] = ()
    shipped: bool = False


def from_answer(answer: Answer, by: Classifier) -> Offer:
    """What cannot be read or kept is left out and said in `problems`."""
    definitions, problems = read_tools(answer.items.get("tools", ()))
    tools = []
    for each in definitions:
        if each.twice:
            problems.append(f"{each.name} is listed twice, differently.")
        try:
            tools.append(Tool(each.name, by.read_text(each.text), each.text))
        except BadDefinition as error:
            problems.append(f"{each.name} is left out: {error}")
    known = () if tools else why_empty(answer.kind, answer.source)
    return Offer(
        **{name: getattr(answer, name) for name in TEXTS},
        scanned_at=answer.scanned_at,
        registry_name=answer.registry_name,
        identity=storable(answer.identity),
        tools=tuple(tools),
        prompts=answer.count("prompts"),
        resources=answer.count("resources") + answer.count("resourceTemplates"),
        problems=tuple(storable([*answer.problems, *problems])) + known,
    )
