"""Severity by category and signal; confidence by what speaks, and against what."""

from __future__ import annotations

from catalog.classifier.grading import BY_CATEGORY
from catalog.classifier.judging import classify
from tests.cases import cases
from tests.catalog.classifier.test_judging import tool


def test_severity_follows_the_category():
    assert BY_CATEGORY == {
        "Read": "low",
        "Write": "medium",
        "Execute": "high",
        "Destructive": "critical",
        "Financial": "critical",
        "Other": "low",
    }


@cases(
    ("definition", "severity", "signal"),
    [
        (tool("run_code", "Runs code.", code="string"), "critical", "free_code"),
        (tool("write_row", "Writes. This cannot be undone."), "high", "irreversible"),
        (tool("save_row", "Saves it. Data will be lost."), "high", "loses_data"),
        (tool("push_it", "Pushes.", force="boolean"), "high", "force"),
        (tool("grant_role", "Grants a role."), "high", "grants_access"),
        (tool("get_secret", "Gets a secret."), "high", "secrets"),
        (tool("read_file", "Reads a file.", path="string"), "medium", "reads_files"),
        (tool("find_rows", "Finds rows.", sql="string"), "medium", "free_query"),
    ],
    ids=lambda x: x if isinstance(x, str) else x["name"],
)
def test_signals_raise_severity_and_say_why(definition, severity, signal):
    verdict = classify(definition)
    assert verdict.severity == severity
    assert signal in {s.signal for s in verdict.signals}
    assert (signal,) in {e.words for e in verdict.evidence if e.says == severity}


MANY = {f"p{n}": "string" for n in range(20)}


@cases(
    ("definition", "signal", "field"),
    [
        (tool("x", "", url="string"), "url", "parameters.url"),
        (tool("x", "", amount="integer"), "amount", "parameters.amount"),
        (tool("x", "", recipients="array"), "recipient", "parameters.recipients"),
        (tool("x", "", pattern="string"), "wildcard", "parameters.pattern"),
        (tool("x", "", html="string"), "html", "parameters.html"),
        (tool("x", "", apiKey="string"), "secret", "parameters.apiKey"),
        (tool("delete_all_rows", ""), "bulk", "name"),
        (tool("x", "", **MANY), "many_parameters", "parameters"),
    ],
)
def test_signals_name_their_field(definition, signal, field):
    assert (signal, field) in {
        (s.signal, s.field) for s in classify(definition).signals
    }


def test_a_list_of_values_is_not_free():
    fixed = tool("x", "", code={"type": "string", "enum": ["a", "b"]})
    assert "free_code" not in {s.signal for s in classify(fixed).signals}


@cases(
    ("surer", "doubtful", "why"),
    [
        (("get_row", "Gets a row."), ("get_row", "Updates a row."), "disagree"),
        (("get_row", "Gets a row."), ("manage_row", "Gets a row."), "little"),
        (("get_row", "Gets a row."), ("row", "Gets a row."), "no verb"),
        (("get_row", "Gets a row."), ("get_row", "Row of a table."), "begin"),
        (("get_row", "Gets a row."), ("get_row", "Gets. " + "x " * 20_000), "longer"),
        (("get_row", "Gets a row."), ("zzz", "Qqq."), "Neither"),
    ],
)
def test_doubts_are_told(surer, doubtful, why):
    sure, unsure = classify(tool(*surer)), classify(tool(*doubtful))
    assert unsure.confidence < sure.confidence
    told = [e.why for e in unsure.evidence if e.says == "confidence"]
    assert any(why in reason for reason in told)
    assert not [e for e in sure.evidence if e.says == "confidence"]


def test_a_verdict_in_doubt_is_at_least_high():
    verdict = classify(tool("zzz", "Qqq."))
    assert verdict.category == "Other"
    assert verdict.confidence < 0.6
    assert verdict.severity == "high"
