"""A verdict from facts: deterministic, and every reason on record. Pure.

1. The name's verb speaks, or a case of verb and object that replaces it.
2. The description's opening word speaks, less loudly.
3. What the caller may choose among (`operation: create | delete`) speaks loudest.
4. Some parameters raise: a place to store the answer, a switch that removes.
5. Annotations raise the severity and lower the confidence, and never the other way.

The category with the most points stands; of equals, the more harmful.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.classifier.facts import observe
from catalog.classifier.grading import confidence, severity
from catalog.classifier.risks import risks, worse_hints
from catalog.classifier.subject import RULES, Rules, Subject
from catalog.classifier.verdicts import Verdict
from catalog.classifier.version import VERSION
from catalog.classifier.voting import standing, votes

# A verdict is for reading; all signals count, but no more than these are told.
MOST_SIGNALS = 40


def classify(definition: Mapping[str, Any], rules: Rules = RULES) -> Verdict:
    """Raises `facts.BadDefinition`."""
    return judge(observe(definition), rules)


def judge(facts: Mapping[str, Any], rules: Rules = RULES) -> Verdict:
    """Of what `facts.read` gives. The server's name is no part of it."""
    subject = Subject(facts, rules)
    found = votes(subject)
    category, _ = standing(found)
    signals = risks(subject, category)
    hints = worse_hints(signals, category)
    sure, doubts = confidence(subject, found, category, hints)
    worst, raised = severity(category, signals, sure, subject.described)
    ordered = sorted(found, key=lambda vote: (-vote.points, vote.evidence.field))
    return Verdict(
        category=category,
        severity=worst,
        confidence=sure,
        evidence=(*(vote.evidence for vote in ordered), *doubts, *raised),
        signals=signals[:MOST_SIGNALS],
        described=subject.described,
        version=VERSION,
    )
