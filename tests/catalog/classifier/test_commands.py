"""`catalog_classify` and `catalog_evaluate`, as a stranger runs them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from catalog.classifier.facts import read
from catalog.classifier.judging import classify
from catalog.classifier.version import VERSION
from catalog.evaluation import history, labels
from catalog.packing import pack


def run_classify(monkeypatch, *lines: str | bytes):
    data = b"\n".join(x if isinstance(x, bytes) else x.encode() for x in lines)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("catalog_classify", stdout=out, stderr=err)
    except CommandError as error:
        err.write(str(error))
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    return answers, err.getvalue().splitlines()


def test_one_verdict_a_line(monkeypatch):
    delete = {"name": "delete_row", "description": "Deletes a row."}
    answers, errors = run_classify(monkeypatch, json.dumps(delete), '{"name": "echo"}')
    assert errors == []
    assert [answer["name"] for answer in answers] == ["delete_row", "echo"]
    expected = json.loads(json.dumps(classify(delete).as_json()))
    assert answers[0] == {"name": "delete_row"} | expected
    wanted = {"name", "category", "severity", "confidence", "evidence", "signals"}
    assert wanted <= set(answers[0])


def test_bad_lines_are_told_and_do_not_stop(monkeypatch):
    answers, errors = run_classify(
        monkeypatch,
        "garbage",
        '{"name": "get_row"}',
        "",
        "[1]",
        '{"name": 7}',
        '{"name": "a", "name": "b"}',
        b'{"name": "\xff"}',
        "[" * 100_000,
        '{"name": "put_row"}',
    )
    assert [answer["name"] for answer in answers] == ["get_row", "put_row"]
    told = [line.split(":")[0] for line in errors[:-1]]
    assert told == ["line 1", "line 4", "line 5", "line 6", "line 7", "line 8"]
    assert errors[-1] == "6 lines are no definition"


def test_a_line_that_is_too_long_is_refused_and_passed(monkeypatch):
    long = json.dumps({"name": "a", "description": "x" * 5_000_000})
    answers, errors = run_classify(monkeypatch, long, '{"name": "put_row"}')
    assert [answer["name"] for answer in answers] == ["put_row"]
    assert errors[0].startswith("line 1: longer than")


def test_needs_no_database():
    environment = {**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none"}
    done = subprocess.run(
        [sys.executable, "manage.py", "catalog_classify"],
        input='{"name": "CancelAHORunBatch", "description": "Cancels it."}\nx\n',
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    verdict = json.loads(done.stdout)
    assert (verdict["category"], verdict["severity"]) == ("Destructive", "critical")
    assert "line 2" in done.stderr


@pytest.fixture
def two_servers(tmp_path, monkeypatch):
    """A snapshot of two labelled tools, with a history of its own."""
    facts = [
        read({"name": "delete_row", "description": "Deletes a row."}),
        read({"name": "frobnicate", "description": "Gets a row."}),
    ]
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    (snapshot / "acme.json").write_text(json.dumps(pack(facts)))
    lines = [
        {"tool": "delete_row", "label": "Destructive"},
        {"tool": "frobnicate", "label": "Write"},
        {"tool": "gone", "label": "Read"},
    ]
    path = tmp_path / "held_out.jsonl"
    path.write_text("\n".join(json.dumps(whole_label(line)) for line in lines))
    monkeypatch.setattr(labels, "HELD_OUT", path)
    monkeypatch.setattr(labels, "DEVELOPMENT", path)
    monkeypatch.setattr(history, "PATH", tmp_path / "history.json")
    return snapshot


def whole_label(line: dict[str, str]) -> dict[str, str]:
    first = {"first": line["label"], "second": line["label"], "outcome": "agreed"}
    return {"server": "acme", **line, **first}


def evaluate(*args: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("catalog_evaluate", *args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_score_is_kept_once_and_its_errors_are_told(two_servers, monkeypatch):
    options = ("--held-out", "--snapshot", str(two_servers))
    out, _ = evaluate(*options)
    assert f"Held-out servers, version {VERSION}: 2 tools" in out
    assert "1 labelled tools are not in the snapshot" in out
    assert "too few" in out
    assert "1 errors" in out
    assert "acme frobnicate" in out
    evaluate(*options)
    assert [one["version"] for one in history.read()] == [VERSION]


def test_other_figures_for_the_same_version_are_told_and_not_kept(two_servers):
    options = ("--held-out", "--snapshot", str(two_servers))
    evaluate(*options)
    kept = history.read()
    changed = [read({"name": "delete_row", "description": "Deletes a row."})]
    (two_servers / "acme.json").write_text(json.dumps(pack(changed)))
    _, err = evaluate(*options)
    assert "raises the version" in err
    assert history.read() == kept


def test_figures_as_json(two_servers):
    out, _ = evaluate("--held-out", "--json", "--snapshot", str(two_servers))
    found = json.loads(out)
    assert found["version"] == VERSION
    assert found["figures"]["confusion"][3][3] == 1
    assert found["agreement"]["agreed"] == found["agreement"]["of"] == 6


def test_a_folder_without_tools_is_refused(tmp_path):
    with pytest.raises(CommandError, match="holds none"):
        evaluate("--snapshot", str(tmp_path))
