"""A table of rules as one test: a row costs what it checks, and no fixtures, reports
and messages between processes of its own.
"""

from __future__ import annotations

import functools
import inspect
import random
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

import pytest

Test = Callable[..., Any]
Row = tuple[str, dict[str, Any]]
PARAM = type(pytest.param())
# Skipping too: the rows that come after it would not be looked at.
FAILING = (Exception, pytest.fail.Exception, pytest.skip.Exception)


def cases(
    names: str | Sequence[str],
    values: Iterable[Any],
    ids: Callable[[Any], object] | Iterable[object] | None = None,
) -> Callable[[Test], Test]:
    """Takes what `pytest.mark.parametrize` takes, for rows that leave nothing behind:
    they share their fixtures. All are run, and each that fails is reported by its id.
    """
    split = names.replace(",", " ").split() if isinstance(names, str) else list(names)
    ids = ids if ids is None or callable(ids) else list(ids)
    rows = [_row(split, value, ids, number) for number, value in enumerate(values)]

    def decorate(test: Test) -> Test:
        body, below = vars(test).get("cases", (test, [("", {})]))
        return _together(body, [_joined(*pair) for pair in product(below, rows)])

    return decorate


def _joined(below: Row, above: Row) -> Row:
    return f"{below[0]}-{above[0]}".removeprefix("-"), {**below[1], **above[1]}


def _row(names: list[str], value: Any, ids: Any, number: int) -> Row:
    given = ids[number] if isinstance(ids, list) else None
    if isinstance(value, PARAM):
        assert not value.marks, "a mark would be passed over"
        value, given = value.values, value.id or given
    elif len(names) == 1:
        value = (value,)
    row = dict(zip(names, value, strict=True))
    texts = [_text(row[name], ids) or f"{name}{number}" for name in names]
    return str(given or "-".join(texts))[:200], row


def _text(value: Any, ids: Any) -> str:
    said = ids(value) if callable(ids) else None
    if said is None and isinstance(value, str | bytes | int | float):
        said = value
    return "" if said is None else str(said)


def _together(body: Test, rows: list[Row]) -> Test:
    assert rows, "a table without rows checks nothing"
    assert not inspect.iscoroutinefunction(body), "nobody would wait for it"
    asked = inspect.signature(body).parameters
    shared = [asked[name] for name in asked if name not in rows[0][1]]

    @functools.wraps(body)
    def test(request: pytest.FixtureRequest, **fixtures: Any) -> None:
        # In another order each time, as tests are: pytest-randomly sows the seed.
        mixed = random.sample(rows, len(rows))
        failed = [
            n for n, row in mixed if not _passes(request, n, body, row | fixtures)
        ]
        if failed:
            said = f"{len(failed)} of {len(rows)} rows: {', '.join(failed)}"
            pytest.fail(said, pytrace=False)

    own = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    vars(test)["__signature__"] = inspect.Signature([own, *shared])
    vars(test)["cases"] = body, rows
    return test


def _passes(
    request: pytest.FixtureRequest, name: str, body: Test, arguments: dict[str, Any]
) -> bool:
    __tracebackhide__ = True
    try:
        body(**arguments)
    except FAILING as error:
        if "from pytest-timeout" in str(error):
            raise  # Its clock runs once: the next row could hang for ever.
        with request.getfixturevalue("subtests").test(name):
            raise
        return False
    return True
