"""Holds the engine against the reference; a difference is made small first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from tests.policies.reference.coverage import Coverage
from tests.policies.reference.decide import decide
from tests.policies.reference.engine import Answer, Engine
from tests.policies.reference.exact import load
from tests.policies.reference.texts import Raw, write
from tests.policies.reference.validate import problems
from tests.policies.reference.vectors import reference_case

MOST_TRIES = 3000
Block = tuple[str, list[dict[str, Any]]]


def hold(engine: Engine, blocks: Iterable[Block], coverage: Coverage) -> list[str]:
    """The first difference of each block, explained."""
    found = []
    for text, cases in blocks:
        # One side after the other: a processor at one thing does it a fifth quicker.
        wanted = wanted_of(text, cases, coverage)
        policy = engine.compiled(text)
        got = [answer_of(engine, policy, case) for case in cases]
        differing = (
            case for case, g, w in zip(cases, got, wanted, strict=True) if g != w
        )
        found += [explain(engine, text, case) for case in islice(differing, 1)]
    return found


def wanted_of(
    text: str, cases: list[dict[str, Any]], coverage: Coverage
) -> list[Answer]:
    document = load(text)
    coverage.open(document)
    asked = [reference_case(case, document, coverage.seen) for case in cases]
    return [coverage.close(decide(case)) for case in asked]


def answer_of(engine: Engine, policy: Any, case: dict[str, Any]) -> Any:
    """A crash is an answer too, and never the right one."""
    try:
        return engine.answer(policy, case)
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__}: {error}"


def explain(engine: Engine, text: str, case: dict[str, Any]) -> str:
    whole = {
        "document": raw(text),
        "args": raw(case["call"].get("call_json", "{}")),
        "context": case.get("context", {}),
    }
    small = shrunk(whole, lambda tree: both(engine, tree, case) is not None)
    wanted, got = both(engine, small, case) or ("?", "?")
    return (
        f"\ndocument  {write(small['document'])}\n"
        f"call      {json.dumps(without_args(case), ensure_ascii=False)}\n"
        f"args      {write(small['args'])}\ncontext   {write(small['context'])}\n"
        f"reference {wanted}\nengine    {got}"
    )


def raw(text: str) -> Any:
    return json.loads(text, parse_int=Raw, parse_float=Raw)


def without_args(case: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in case["call"].items() if key != "call_json"}


def both(
    engine: Engine, tree: dict[str, Any], case: dict[str, Any]
) -> tuple[Any, Any] | None:
    """What the two say where they differ; None where they agree, or where the
    document is none any more."""
    if set(tree) != {"document", "args", "context"}:
        return None
    text = write(tree["document"])
    if problems(text) or not isinstance(tree["args"], dict):
        return None
    small = {
        "call": {**case["call"], "call_json": write(tree["args"])},
        "context": tree["context"],
    }
    try:
        wanted = decide(reference_case(small, load(text)))
        policy = engine.compiled(text)
    except Exception:  # noqa: BLE001 - cut too far, not a difference
        return None
    got = answer_of(engine, policy, small)
    return None if got == wanted else (wanted, got)


def shrunk(tree: Any, still: Any) -> Any:
    """Cuts pieces off while the difference stays."""
    tries = 0
    cut = True
    while cut:
        cut = False
        for candidate in smaller(tree):
            tries += 1
            if tries > MOST_TRIES:
                return tree
            if still(candidate):
                tree, cut = candidate, True
                break
    return tree


def smaller(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict):
        for key in tree:
            yield {k: v for k, v in tree.items() if k != key}
        for word in ("any", "all"):
            if word in tree and isinstance(tree[word], list):
                yield from tree[word]
        if isinstance(tree.get("not"), dict):
            yield tree["not"]
        for key, value in tree.items():
            for less in smaller(value):
                yield {**tree, key: less}
    if isinstance(tree, list):
        for i, item in enumerate(tree):
            yield tree[:i] + tree[i + 1 :]
            for less in smaller(item):
                yield [*tree[:i], less, *tree[i + 1 :]]
