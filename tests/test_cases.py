"""A row that fails is told by its id; no row is left out because of another."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cases import cases

ROOT = Path(__file__).resolve().parent.parent
TABLE = """
import pytest
from tests.cases import cases

@cases("number", [1, 2, pytest.param(3, id="three")], ids={"1": 1, "2": 2, "3": 3})
@cases(("one", "other"), [("a", {}), ("b", None)], ids=lambda v: "odd" if v else None)
def test_table(number, one, other, tmp_path):
    if number == 1 and other is None:
        pytest.skip("for no reason")
    if number == 2 and other is None:
        with pytest.raises(ZeroDivisionError):
            print(number / 1)
    assert number < 3 or one == "b", "which is not"

@cases("number", range(3))
def test_slow(number):
    pytest.fail("Timeout (>1.0s) from pytest-timeout.")
"""
FAILING = {
    "odd-other0-three": "AssertionError: which is not",
    "odd-other1-2": "Failed: DID NOT RAISE ZeroDivisionError",
}


def run(folder: Path) -> str:
    """What pytest says in a worker's name, without the other plugins of this run."""
    (folder / "test_it.py").write_text(TABLE)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "xdist", "-n", "1", "test_it.py"],
        cwd=folder,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    return done.stdout


def test_each_row_that_fails_is_told(tmp_path):
    said = run(tmp_path)
    for name, reason in FAILING.items():
        assert f" test_table [{name}] _" in said
        assert re.search(rf"^E +{reason}$", said, re.MULTILINE)
    # A row that would leave out the test is one that fails.
    assert re.search(r"^3 of 6 rows: .*odd-other1-1", said, re.MULTILINE)
    # When the time is up, it is for all rows.
    assert said.count("test_slow ") == 2


SEEN: list[tuple[int, str]] = []


@cases("number", [1, 2, 3])
@cases("text", "ab")
def held(number, text, also):
    SEEN.append((number, text))


def test_every_row_is_run(request, monkeypatch):
    monkeypatch.setattr(random, "sample", lambda rows, _: rows[::-1])
    held(request, also=1)
    assert [(n, text) for text in "ba" for n in (3, 2, 1)] == SEEN


def test_what_would_check_nothing_is_refused():
    with pytest.raises(AssertionError, match="checks nothing"):
        cases("number", [])(held)
    with pytest.raises(AssertionError, match="mark"):
        cases("number", [pytest.param(1, marks=pytest.mark.skip)])

    async def awaited(number):
        raise AssertionError

    with pytest.raises(AssertionError, match="wait for it"):
        cases("number", [1])(awaited)
