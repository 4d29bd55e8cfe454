"""The rules as people read them: made of the very tables that judge. Pure."""

from __future__ import annotations

from typing import Any

from catalog.classifier.case import ANY, CHANGING, NO_VERB
from catalog.classifier.cases import CASES
from catalog.classifier.grading import (
    BY_CATEGORY,
    DOUBTS,
    LEAST,
    RAISES,
    SEVERITIES,
    SURE,
)
from catalog.classifier.lexicon import FAIR, PRECEDENCE, STRONG, VERBS, WEAK
from catalog.classifier.parameters import MANY_PARAMETERS, ROLES
from catalog.classifier.risks import NAMED, SAID
from catalog.classifier.verdicts import DOUBTFUL
from catalog.classifier.version import VERSION

SPECIAL = {
    ANY: "any word",
    NO_VERB: "no verb",
    CHANGING: "any verb that changes something",
}
STRENGTHS = {STRONG: "strong", FAIR: "fair", WEAK: "weak"}


def rubric() -> dict[str, Any]:
    """All of it: JSON-able, in the order in which it should be read."""
    return {
        "version": VERSION,
        "precedence": list(PRECEDENCE),
        "categories": [_category(category) for category in PRECEDENCE],
        "severities": list(SEVERITIES),
        "cases": [_case(case._asdict()) for case in CASES],
        "signals": _signals(),
        "raises": [rule._asdict() for rule in RAISES],
        "confidence": {
            "sure": SURE,
            "least": LEAST,
            "doubtful": DOUBTFUL,
            "doubts": [doubt._asdict() for doubt in DOUBTS],
        },
    }


def _category(category: str) -> dict[str, Any]:
    """Its severity, and its verbs by how clearly they speak."""
    verbs: dict[str, list[str]] = {name: [] for name in STRENGTHS.values()}
    for said, strength, line in VERBS:
        if said == category:
            verbs[STRENGTHS[strength]] += line.split()
    return {"name": category, "severity": BY_CATEGORY[category], "verbs": verbs}


def _case(case: dict[str, Any]) -> dict[str, Any]:
    words = ("verbs", "objects", "near", "given")
    shown = {key: [_word(word) for word in case[key].split()] for key in words}
    return case | shown | {"strength": STRENGTHS[case["strength"]]}


def _word(word: str) -> str:
    return SPECIAL.get(word) or word.replace("_", " ")


def _signals() -> list[dict[str, Any]]:
    """Each signal once, with what it is read from."""
    found: dict[str, dict[str, Any]] = {}
    for role in ROLES:
        one = found.setdefault(role.signal, _signal(role.signal, role.why))
        one["parameters"] += role.names.split()
    many = f"takes {MANY_PARAMETERS} parameters or more"
    for signal, why in (*SAID.items(), *NAMED.items(), ("many_parameters", many)):
        found.setdefault(signal, _signal(signal, why))
    return list(found.values())


def _signal(name: str, why: str) -> dict[str, Any]:
    return {"signal": name, "why": why, "parameters": []}
