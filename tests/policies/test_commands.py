"""`policy_check` and `policy_decide`, as a stranger's CI runs them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

GOOD = '{"version": "1", "default": "allow", "tools": {"t": {"rate_limit": "1/day"}}}'


def check(tmp_path, text: str, **options):
    file = tmp_path / "policy.json"
    file.write_bytes(text.encode())
    out = io.StringIO()
    try:
        call_command("policy_check", str(file), stdout=out, **options)
    except SystemExit as stopped:
        return stopped.code, out.getvalue()
    return 0, out.getvalue()


def decide(monkeypatch, *lines: str | bytes):
    data = b"\n".join(x if isinstance(x, bytes) else x.encode() for x in lines)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("policy_decide", "-", stdout=out, stderr=err)
    except CommandError as error:
        err.write(str(error))
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    return answers, err.getvalue().splitlines()


def test_check_good(tmp_path):
    assert check(tmp_path, GOOD) == (0, "")


def test_check_prints_each_error(tmp_path):
    code, out = check(
        tmp_path, '{"version": "1",\n "defalt": 1, "hide": ["a\\n*", ""]}'
    )
    assert code == 1
    assert out.splitlines() == [
        "1:1  the key 'default' is missing.",
        "2:2 /defalt 'defalt' is no key here. Did you mean 'default'?",
        "2:32 /hide/1 the name or glob is empty.",
    ]


def test_check_keeps_to_a_line_whatever_the_keys_hold(tmp_path):
    code, out = check(
        tmp_path, '{"version": "1", "default": "deny", "tools": {"a\\n\\u001b": 1}}'
    )
    assert code == 1
    assert out.startswith("1:60 /tools/a\\n\\x1b ")
    assert len(out.splitlines()) == 1


def test_check_runs_the_tests_of_the_document(tmp_path):
    case = {"name": "never", "tool": "t", "expect": "deny"}
    data = json.loads(GOOD) | {"tests": [case]}
    code, out = check(tmp_path, json.dumps(data))
    assert code == 1
    assert "/tests/0 the test 'never' fails: expected deny, decided allow." in out


def test_check_says_what_it_cannot_read(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("policy_check", str(tmp_path / "none"))
    (tmp_path / "latin").write_bytes(b"\xe9")
    with pytest.raises(CommandError, match="no UTF-8 at byte 1"):
        call_command("policy_check", str(tmp_path / "latin"))
    with pytest.raises(CommandError, match="no time zone"):
        check(tmp_path, GOOD, zone="Mars/Base")


def test_decide_writes_one_line_each(monkeypatch):
    case = {"document": json.loads(GOOD), "call": {"tool": "t"}}
    full = case | {"context": {"used": {"rate:t": 1}}}
    none = {"id": 3, "document": None, "call": {"prompt": "p"}}
    answers, told = decide(
        monkeypatch, *map(json.dumps, (case | {"id": 1}, full | {"id": 2}, none))
    )
    assert told == []
    assert answers == [
        {"id": 1, "expect": "allow", "rule": None},
        {"id": 2, "expect": "limit", "rule": "/tools/t/rate_limit"},
        {"id": 3, "expect": "deny", "rule": "(no policy)"},
    ]


def test_decide_refuses_a_document_within_the_line(monkeypatch):
    line = '{"id": "x", "document": {"version": "1", "default": "deny", "default": 1}}'
    [answer], told = decide(monkeypatch, line)
    assert told == []
    [problem] = answer["refused"]
    assert (problem["pointer"], problem["line"], problem["column"]) == (
        "/default",
        1,
        37,
    )


CALL = '{"document": null, "call": {"tool": "t"'

BAD = [
    ("{", "no JSON: column 2"),
    ("[]", "a case is a JSON object"),
    ('{"call": {"tool": "t"}}', "give one of document"),
    ('{"document": null}', "no call"),
    ('{"document": null, "call": {}}', "names one of tool"),
    ('{"document": null, "call": {"tool": 1}}', "/call/tool"),
    (CALL + '}, "call": 1}', "duplicate"),
    (CALL + ', "args": {"a": 1, "a": 2}}}', "duplicate"),
    (CALL + ', "call_json": "{"}}', "/call/call_json"),
    (CALL + '}, "context": {"usd": {}}}', "did you mean 'used'"),
    (CALL + '}, "context": {"at": "noon"}}', "rfc 3339"),
    (CALL + '}, "context": {"zone": "x"}}', "no time zone"),
    (CALL + '}, "context": {"used": {"c": -1}}}', "0 or more"),
    ('{"document_ref": "x", "call": {"tool": "t"}}', "no line before"),
    ('{"document_json": 1, "call": {"tool": "t"}}', "must be a string"),
    (b"\xff", "no utf-8"),
]


@pytest.mark.parametrize(("line", "word"), BAD)
def test_decide_names_the_line_that_is_no_case(monkeypatch, line, word):
    good = '{"id": 1, "document": null, "call": {"tool": "t"}}'
    answers, told = decide(monkeypatch, "", good, line, good)
    assert [answer["expect"] for answer in answers] == ["deny", "deny"]
    assert told[0].startswith("line 3: ")
    assert word.lower() in told[0].lower()
    assert told[1] == "1 line is no case"


def test_decide_reads_numbers_with_their_own_digits(monkeypatch):
    deny = {"conditions": [{"path": "args.n", "op": "eq", "value": 1}]}
    data = {"version": "1", "default": "deny", "tools": {"t": {"deny_if": [deny]}}}
    case = {"id": 1, "document": data, "call": {"tool": "t", "args": {"n": "HERE"}}}
    line = json.dumps(case)
    exact = line.replace('"HERE"', "2")
    beyond = line.replace('"HERE"', "9007199254740993")
    answers, told = decide(monkeypatch, exact, beyond)
    assert told == []
    assert [answer["expect"] for answer in answers] == ["allow", "deny"]


def test_the_systems_python_will_do_where_make_run_has_been(tmp_path, settings):
    if not (settings.BASE_DIR / ".venv/bin/python").exists():
        pytest.skip("no virtual environment of `make run`")
    path = tmp_path / "policy.json"
    path.write_text('{"version": "1"}')
    # -S: as on a machine where nothing is installed for it.
    outside = [getattr(sys, "_base_executable", sys.executable), "-S"]

    ended = subprocess.run(
        [*outside, settings.BASE_DIR / "manage.py", "policy_check", path],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode == 1 and "1:1" in ended.stdout, ended.stderr
