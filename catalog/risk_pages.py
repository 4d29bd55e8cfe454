"""The rubric as a page: made of the tables that the classifier itself reads."""

from __future__ import annotations

import functools
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.attacks import patterns
from catalog.classifier.rubric import rubric
from catalog.classifier.version import VERSION
from catalog.config_scan import grading
from catalog.evaluation import history
from catalog.public import public
from policies.recommended import PER_MINUTE, Known, as_text, for_tool, hides

EXAMPLE = "the_tool"
# The guide's own questions (docs/labelling.md); a test holds the two together.
QUESTIONS = {
    "Financial": "Does the call move money, change what somebody pays or is owed, or"
    " place, change or cancel an instrument by which money moves?",
    "Destructive": "Does the call remove or end something that existed before the call,"
    " so that what was there is gone?",
    "Execute": "Does the call make something run whose effect its arguments do not"
    " bound, or start, stop or steer something that runs?",
    "Write": "Does the call store something new or change what is stored, on the"
    " server, in a file or in another system?",
    "Read": "Does the call answer with data that is kept or found somewhere, and change"
    " nothing?",
    "Other": "None of these.",
}
EFFECTS = {
    "hide": "hidden: the agent does not know that it exists",
    "require_approval": "runs only when a person says yes",
    "allow": "allowed",
}


@public
def show_risk(request: HttpRequest) -> HttpResponse:
    return render(request, "catalog/risk.html", context())


@functools.cache
def context() -> dict[str, Any]:
    """It changes with the code alone."""
    rules = rubric()
    return {
        **rules,
        "categories": [_category(each, rules) for each in rules["categories"]],
        "points": grading.POINTS,
        "measured": measured(),
    }


def _category(category: dict[str, Any], rules: dict[str, Any]) -> dict[str, Any]:
    name = category["name"]
    return category | {
        "question": QUESTIONS[name],
        "cases": [case for case in rules["cases"] if case["category"] == name],
        "policy": as_text(for_tool(EXAMPLE, name)),
        "effect": _alone(name),
        "balanced": _balanced(name),
        "attacks": patterns.for_category(name),
    }


def _alone(category: str) -> str:
    """What the recommended policy of one tool does."""
    if category in PER_MINUTE:
        return f"at most {PER_MINUTE[category]} calls a minute"
    if category == "Financial":
        return EFFECTS["require_approval"]
    return EFFECTS["hide" if hides(Known(EXAMPLE, category)) else "allow"]


def _balanced(category: str) -> str:
    """What the policy of a whole server does."""
    decision = grading.decision(Known(EXAMPLE, category))
    return EFFECTS.get(decision) or _alone(category)


def measured() -> dict[str, Any] | None:
    """The score of this version on held-out servers, or of the newest that has one."""
    entries = history.read()
    if not entries:
        return None
    newest = next((e for e in entries if e["version"] == VERSION), entries[-1])
    figures = newest["figures"]
    return {
        "version": newest["version"],
        "date": newest["date"],
        "tools": figures["tools"],
        "classes": [
            {
                "name": name,
                **{key: _share(value[key]) for key in ("precision", "recall")},
                "few": value["few"],
            }
            for name, value in figures["classes"].items()
        ],
        "read_or_not": _share(figures["read_or_not"]),
        "accuracy": _share(figures["accuracy"]),
        "macro_f1": _share(
            {
                "value": figures["macro_f1"],
                "low": figures["macro_f1_interval"][0],
                "high": figures["macro_f1_interval"][1],
            }
        ),
        "before": [
            {
                "version": e["version"],
                "date": e["date"],
                "macro_f1": f"{e['figures']['macro_f1']:.2f}",
            }
            for e in entries
            if e is not newest
        ],
    }


def _share(figure: dict[str, Any]) -> str:
    """`96 % (43 of 45; 85 to 99 %)`: no percentage without its count and interval."""
    low, high = (f"{100 * figure[end]:.0f}" for end in ("low", "high"))
    if "of" not in figure:
        return f"{figure['value']:.2f} ({figure['low']:.2f} to {figure['high']:.2f})"
    said = f"{figure['hits']} of {figure['of']}; {low} to {high} %"
    return f"{100 * figure['value']:.0f} % ({said})"
