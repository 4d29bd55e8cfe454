"""What a tool's page says by category: what that means, why a policy, its effect. Pure.

One row a category, so that no page contradicts itself. Severity and confidence are said
from the verdict, never from the category.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.classifier.grading import BY_CATEGORY
from catalog.classifier.verdicts import DOUBTFUL
from policies.recommended import PER_MINUTE


@dataclass(frozen=True, slots=True)
class Advice:
    """`means` follows "This tool"; `why` are sentences; `effect` is what the
    recommended policy does; `action` is the button's word."""

    means: str
    why: str
    effect: str
    action: str


def _rate(category: str) -> str:
    return (
        f"Each grant may call it up to {PER_MINUTE[category]} times a minute; the next"
        " call is told to wait."
    )


ADVICE = {
    "Read": Advice(
        "answers questions and changes nothing",
        "Reading is how an agent learns what it should not know, and how strangers'"
        " text gets in front of it. Whoever may read everything can carry everything"
        " to another tool.",
        "The tool may be called, as often as needed.",
        "Cap this tool",
    ),
    "Write": Advice(
        "creates or changes something",
        "What an agent writes, others rely on. A loop that runs away, or one sentence"
        " in a ticket that it took for an order, writes as fast as the server lets it.",
        _rate("Write"),
        "Rate-limit this tool",
    ),
    "Execute": Advice(
        "runs something",
        "What runs acts with the server's rights, not with those of the person who"
        " asked. A job that starts by mistake costs time and money before anybody"
        " looks.",
        _rate("Execute"),
        "Rate-limit this tool",
    ),
    "Destructive": Advice(
        "removes or ends something",
        "What is gone may not come back. An agent that misreads a page deletes with"
        " the same ease as one that read it right, and nobody sees it until something"
        " is missing.",
        "The tool disappears from the list that agents see, and a call to it is denied"
        " as if there were no such tool.",
        "Restrict this tool",
    ),
    "Financial": Advice(
        "moves money or commits to it",
        "Money that has moved is somebody else's. An amount, a currency or a recipient"
        " that came from a web page should be read by a person before it counts.",
        "Every call waits until a person approves it, and then runs exactly once.",
        "Gate this tool",
    ),
    "Other": Advice(
        "does something that its definition does not clearly name",
        "Nobody who reads its definition can say what it will touch. That is a reason"
        " to bound it first and to look at its first calls.",
        _rate("Other"),
        "Set a rule for this tool",
    ),
}
DENIED = "Every other tool of the server stays denied until the policy names it."


def advice(category: str) -> Advice:
    return ADVICE.get(category) or ADVICE["Other"]


def doubts(verdict: Mapping[str, Any]) -> list[str]:
    """Why a person should look, as sentences."""
    found = []
    if not verdict.get("described", True):
        found.append("The definition has no description.")
    if verdict.get("confidence", 0) < DOUBTFUL:
        found.append(
            f"The classifier is {percent(verdict)} sure, which is less than"
            f" {DOUBTFUL:.0%}."
        )
    return found


def percent(verdict: Mapping[str, Any]) -> str:
    return f"{verdict.get('confidence', 0):.0%}"


def usual(category: str, severity: str) -> str:
    """How the severity stands to the one that the category has by itself."""
    by_itself = BY_CATEGORY.get(category, severity)
    if severity == by_itself:
        return f"{severity.capitalize()} is what {category} tools are by themselves."
    return (
        f"{category} tools are {by_itself} by themselves; what stands below makes this"
        f" one {severity}."
    )
