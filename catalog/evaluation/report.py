"""What `catalog_evaluate` prints, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalog.evaluation.scoring import CATEGORIES, Judged


def lines(figures: dict[str, Any], title: str) -> Iterator[str]:
    yield f"{title}: {figures['tools']} tools"
    if figures["missing"]:
        yield f"  {figures['missing']} labelled tools are not in the snapshot"
    yield ""
    for category in CATEGORIES:
        yield _class(category, figures["classes"][category])
    low, high = figures["macro_f1_interval"]
    yield ""
    ends = f"[{_percent(low)}, {_percent(high)}]"
    yield f"  macro F1 {_percent(figures['macro_f1'])} {ends}"
    yield f"  read or not {_share(figures['read_or_not'])}"
    yield f"  all right {_share(figures['accuracy'])}"
    yield ""
    yield from _confusion(figures["confusion"])


def errors(found: list[Judged]) -> Iterator[str]:
    yield ""
    yield f"{len(found)} errors: label, verdict, confidence"
    for one in found:
        label = one.label
        yield (
            f"  {label.label:<12}{one.verdict:<12}{one.confidence:.2f}"
            f"  {label.server} {label.tool}"
        )


def agreement(found: dict[str, Any]) -> str:
    return (
        f"Two passes over all labels: {found['agreed']} of {found['of']} agreed,"
        f" kappa {found['kappa']:.3f}"
    )


def beside_authors(found: dict[str, Any]) -> Iterator[str]:
    yield "Beside the authors' annotations, which the verdict did not see:"
    yield f"  readOnlyHint, where given: {_share(found['read_only_hint'])} agree"
    yield f"  destructiveHint, where given: {_share(found['destructive_hint'])} agree"


def _class(category: str, found: dict[str, Any]) -> str:
    parts = [f"{name} {_share(found[name])}" for name in ("precision", "recall", "f1")]
    few = "  (too few, not in the macro)" if found["few"] else ""
    return f"  {category:<12}{'  '.join(parts)}{few}"


def _share(found: dict[str, Any]) -> str:
    ends = f"[{_percent(found['low'])}, {_percent(found['high'])}]"
    return f"{_percent(found['value'])} {ends} {found['hits']}/{found['of']}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _confusion(rows: list[list[int]]) -> Iterator[str]:
    heads = "".join(f"{category[:6]:>8}" for category in CATEGORIES)
    yield f"  {'label':<12}{heads}  (verdict)"
    for category, row in zip(CATEGORIES, rows, strict=True):
        yield f"  {category:<12}{''.join(f'{count:>8}' for count in row)}"
