"""What is compiled ahead is found by pytest, and is what it would have made."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

from tests.compiling import TESTS, compile_rewritten, rewritten

TEST = "def test_sum():\n    one = 1\n    assert one + one == 3\n"


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / f"test_ahead_{tmp_path.name}.py"
    path.write_text(TEST)
    return path


def test_pytest_does_not_compile_it_again(file, monkeypatch):
    compile_rewritten(file)
    monkeypatch.setattr(rewrite, "_rewrite_test", None)
    module = importlib.import_module(file.stem)
    with pytest.raises(AssertionError, match=r"\(1 \+ 1\) == 3"):
        module.test_sum()


def test_a_changed_file_is_compiled_again(file):
    before = compile_rewritten(file).read_bytes()
    file.write_text(TEST.replace("3", "4"))
    assert compile_rewritten(file).read_bytes() != before


def test_every_test_file_is_compiled():
    found = list(rewritten(TESTS))
    assert Path(__file__) in found
    assert TESTS / "conftest.py" in found
    assert not [path for path in found if "node_modules" in path.parts]
