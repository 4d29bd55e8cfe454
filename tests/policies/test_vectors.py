"""The worked cases of the policy page, through the API and through the command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from policies.case_lines import CaseReader
from tests.cases import cases
from tests.policies.worked import CASES, VECTORS, document_of

ROOT = Path(__file__).parent.parent.parent


def line_of(case: dict[str, Any]) -> str:
    """With the document inside, as a stranger would send it."""
    whole = {key: value for key, value in case.items() if key != "document_ref"}
    if "document_ref" in case:
        whole["document"] = document_of(case)
    return json.dumps(whole)


def check(case: dict[str, Any], answer: dict[str, Any]) -> None:
    assert answer["id"] == case["id"]
    if "refused" in case:
        check_refused(case["refused"], answer["refused"])
        return
    assert answer["expect"] == case["expect"], case["why"]
    if "rule" in case:
        assert answer["rule"] == case["rule"], case["why"]
    if "would" in case or case["id"].startswith("watch-"):
        assert answer.get("would") == case.get("would"), case["why"]


def check_refused(wanted: dict[str, str], told: list[dict[str, Any]]) -> None:
    first = told[0]
    assert f"{first['pointer']}/".startswith(f"{wanted['pointer']}/")
    said = f"{first['pointer']} {first['message']}".lower()
    assert wanted["reason_contains"].lower() in said
    assert first["line"] == 1
    assert first["column"] >= 1


def test_there_are_cases_to_run():
    assert len(CASES) == 576


@cases("case", CASES, ids=[case["id"] for case in CASES])
def test_case(case):
    answer = CaseReader().answer(line_of(case))
    assert answer is not None
    check(case, answer)


def test_all_cases_through_the_command(tmp_path):
    file = tmp_path / "cases.jsonl"
    file.write_text("\n".join(map(line_of, CASES)))
    done = subprocess.run(
        [sys.executable, "manage.py", "policy_decide", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "", "DATA_DIR": str(tmp_path)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(CASES)
    for case, answer in zip(CASES, answers, strict=True):
        check(case, answer)


def test_references_to_documents_of_an_earlier_line():
    reader = CaseReader()
    assert reader.answer(json.dumps({"documents": VECTORS["documents"]})) is None
    for case in CASES:
        answer = reader.answer(json.dumps(case))
        assert answer is not None
        check(case, answer)
