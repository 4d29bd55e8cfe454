"""A classifier of one word, so that tests decide what it says.

`TOOL_CLASSIFIER = "tests.servers.classifier"`; a test sets `VERSION` and `SAYS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.classifier.verdicts import Evidence, Signal, Verdict

NAME = "tests.servers.classifier"
VERSION = "1"
# What a word of the description makes of a tool; the first that is there counts.
SAYS = {
    "breaks": ("Breaks", ""),
    "deletes": ("Destructive", "critical"),
    "pays": ("Financial", "critical"),
    "runs": ("Execute", "high"),
    "writes": ("Write", "medium"),
    "reads": ("Read", "low"),
}
SEVERITY = dict(SAYS.values())


def classify(definition: Mapping[str, Any]) -> Verdict:
    said = definition.get("description", "")
    word = next((each for each in SAYS if each in said.lower()), "reads")
    if word == "breaks":
        raise ValueError(said)
    category, severity = SAYS[word]
    evidence = Evidence("description", (word, said), category, f"It {word}: \0 {said}")
    return Verdict(
        category,
        severity if said else "high",
        0.9 if said and "perhaps" not in said else 0.4,
        (evidence,),
        (Signal("free_code", "parameters.code", "Runs what it is given."),),
        bool(said),
        VERSION,
    )
