"""The history of scores only grows, by one entry a version."""

from __future__ import annotations

import json

import pytest

from catalog.evaluation import history


def test_one_entry_a_version(tmp_path):
    path = tmp_path / "history.json"
    assert history.read(path) == []
    history.append("1", "2026-01-01", {"tools": 1}, path)
    history.append("2", "2026-01-02", {"tools": 2}, path)
    with pytest.raises(history.AlreadyScored):
        history.append("1", "2026-01-03", {"tools": 3}, path)
    assert [one["version"] for one in json.loads(path.read_text())] == ["1", "2"]
    one = {"version": "1", "date": "2026-01-01", "figures": {"tools": 1}}
    assert history.entry("1", path) == one
    assert history.entry("3", path) is None


def test_the_history_that_ships():
    kept = history.read()
    versions = [one["version"] for one in kept]
    assert versions == sorted(set(versions), key=versions.index)
    assert [one["date"] for one in kept] == sorted(one["date"] for one in kept)
    for one in kept:
        assert one["figures"]["tools"] + one["figures"]["missing"] == 562
