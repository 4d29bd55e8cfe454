"""Tests of where tests write."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests import scratch as module
from tests.scratch import PREFIX, scratch


@pytest.fixture
def memory(tmp_path, monkeypatch):
    """A folder in memory's place, with room."""
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(module, "_has_room", lambda memory: True)
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_it_is_in_memory_and_gone_afterwards(memory):
    with scratch(memory) as lock:
        assert lock is not None
        (folder,) = memory.iterdir()
        assert os.environ["TMPDIR"] == str(folder)
        (folder / "some" / "thing").mkdir(parents=True)
    assert list(memory.iterdir()) == []
    assert "TMPDIR" not in os.environ


def test_what_was_left_behind_goes_and_what_is_in_use_stays(memory):
    (memory / f"{PREFIX}killed").mkdir()
    (memory / "foreign").mkdir()
    with scratch(memory) as held:
        assert held is not None
        assert names(memory) == {"foreign", mine := Path(os.environ["TMPDIR"]).name}
        # As pytest does, which goes on when what began it was killed.
        with subprocess.Popen(["sleep", "60"], pass_fds=(held,)) as holding:
            with open(os.devnull) as nothing:
                os.dup2(nothing.fileno(), held)
            module._sweep(memory)
            assert names(memory) == {"foreign", mine}
            holding.kill()
        module._sweep(memory)
        assert names(memory) == {"foreign"}


def test_without_room_or_where_it_was_said_nothing_changes(tmp_path, monkeypatch):
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(module, "ENOUGH", 2**60)
    with scratch(tmp_path) as lock:
        assert lock is None and "TMPDIR" not in os.environ
    monkeypatch.setattr(module, "ENOUGH", 1)
    monkeypatch.setenv("TMPDIR", "/elsewhere")
    with scratch(tmp_path) as lock:
        assert lock is None and os.environ["TMPDIR"] == "/elsewhere"
    monkeypatch.delenv("TMPDIR")
    with scratch(tmp_path / "absent") as lock:
        assert lock is None
    with scratch(tmp_path) as lock:
        assert lock is not None
