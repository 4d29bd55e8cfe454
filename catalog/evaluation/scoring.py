"""The classifier's verdicts beside the labels, and beside the authors' annotations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from catalog.classifier.judging import judge
from catalog.classifier.lexicon import PRECEDENCE
from catalog.classifier.subject import RULES, Rules
from catalog.evaluation import metrics
from catalog.evaluation.labels import Label
from catalog.packing import unpack

SNAPSHOT = Path(__file__).parent.parent / "snapshot"
CATEGORIES = ("Read", "Write", "Execute", "Destructive", "Financial", "Other")

# Facts by (server, tool).
Tools = Mapping[tuple[str, str], Mapping[str, Any]]


class Judged(NamedTuple):
    label: Label
    verdict: str
    confidence: float


class Scored(NamedTuple):
    """`missing` labels have no facts in the snapshot."""

    judged: tuple[Judged, ...]
    missing: int

    @property
    def pairs(self) -> list[metrics.Pair]:
        return [(one.label.label, one.verdict) for one in self.judged]

    @property
    def errors(self) -> list[Judged]:
        return [one for one in self.judged if one.verdict != one.label.label]


def shipped(folder: Path = SNAPSHOT) -> dict[tuple[str, str], dict[str, Any]]:
    """The facts of the snapshot."""
    return {
        (path.stem, facts["name"]): facts
        for path in sorted(folder.glob("*.json"))
        for facts in unpack(json.loads(path.read_text()))
    }


def score(labels: Iterable[Label], tools: Tools, rules: Rules = RULES) -> Scored:
    judged, missing = [], 0
    for label in labels:
        facts = tools.get((label.server, label.tool))
        if facts is None:
            missing += 1
            continue
        verdict = judge(facts, rules)
        judged.append(Judged(label, verdict.category, verdict.confidence))
    return Scored(tuple(judged), missing)


def figures(scored: Scored) -> dict[str, Any]:
    """All that is kept of a scoring: counts, and what follows from them."""
    pairs = scored.pairs
    counts = metrics.confusion(pairs)
    classes = {c: metrics.scores(counts, c) for c in CATEGORIES}
    return {
        "tools": len(pairs),
        "missing": scored.missing,
        "classes": {c: _class(one) for c, one in classes.items()},
        "confusion": [[counts[a, b] for b in CATEGORIES] for a in CATEGORIES],
        "accuracy": _share(metrics.accuracy(counts, str.__eq__)),
        "read_or_not": _share(metrics.accuracy(counts, metrics.both_read)),
        "macro_f1": _rounded(metrics.macro(counts, CATEGORIES)),
        "macro_f1_interval": _ends(metrics.macro_interval(pairs, CATEGORIES)),
    }


def agreement(labels: Iterable[Label]) -> dict[str, Any]:
    """Of the two passes, before the third reading."""
    pairs = [(label.first, label.second) for label in labels]
    same = sum(one == other for one, other in pairs)
    return {"agreed": same, "of": len(pairs), "kappa": _rounded(metrics.kappa(pairs))}


def beside_authors(tools: Tools) -> dict[str, Any]:
    """Verdicts made without annotations, beside what the annotations say.

    An absent hint is no hint, and no tool is counted for it.
    """
    read, destroys = [0, 0], [0, 0]
    for facts in tools.values():
        hints = facts["annotations"]
        category = judge({**facts, "annotations": {}}).category
        if "readOnlyHint" in hints:
            _count(read, hints["readOnlyHint"] == (category in ("Read", "Other")))
        if hints.get("readOnlyHint") is not True and "destructiveHint" in hints:
            _count(destroys, hints["destructiveHint"] == _destroys(category))
    return {
        "read_only_hint": _share(metrics.share(*read)),
        "destructive_hint": _share(metrics.share(*destroys)),
    }


def _destroys(category: str) -> bool:
    return PRECEDENCE.index(category) <= PRECEDENCE.index("Destructive")


def _count(hits_of: list[int], hit: bool) -> None:
    hits_of[0] += hit
    hits_of[1] += 1


def _class(one: metrics.Scores) -> dict[str, Any]:
    parts = {"precision": one.precision, "recall": one.recall, "f1": one.f1}
    return {name: _share(part) for name, part in parts.items()} | {"few": one.few}


def _share(one: metrics.Share) -> dict[str, Any]:
    values = {name: _rounded(getattr(one, name)) for name in ("value", "low", "high")}
    return {"hits": one.hits, "of": one.of} | values


def _ends(ends: tuple[float, float] | None) -> list[float | None]:
    return [None, None] if ends is None else [_rounded(end) for end in ends]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
