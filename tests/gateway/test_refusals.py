"""What a client is told of a call that does not run."""

from __future__ import annotations

import uuid
from typing import Any

import orjson

from gateway import refusals
from gateway.eras import Era
from policies.decision import Decision
from tests.cases import cases

CALL = uuid.UUID(int=7)


def told(
    decision: Decision, kind: str = "tool", era: Era = "modern", wait: int | None = None
) -> dict[str, Any]:
    body = refusals.answer(
        decision, call=CALL, id=1, kind=kind, name="x", era=era, retry_after=wait
    )
    return orjson.loads(body)  # type: ignore[no-any-return]


@cases("rule", sorted(refusals.WHY))
@cases("kind", ["tool", "resource", "prompt", "completion"])
def test_a_text_says_what_happened_why_and_what_to_do(rule: str, kind: str) -> None:
    answer = told(Decision("deny", rule, None), kind)

    text = (
        answer["result"]["content"][0]["text"]
        if kind == "tool"
        else answer["error"]["message"]
    )
    what, then = refusals.WHY[rule]
    assert "not executed" in text and what in text and then in text
    assert str(CALL) in text and rule in text


def test_a_read_is_refused_by_an_error_with_the_same_text_and_data() -> None:
    decision = Decision("deny", "/resources/deny/0", "Never.")
    result, error = told(decision)["result"], told(decision, "resource")["error"]

    assert error["code"] == -32000
    assert error["message"] == result["content"][0]["text"]
    assert error["data"] == result["_meta"]


def test_a_limit_says_when() -> None:
    decision = Decision("limit", "/all_tools/rate_limit", None)

    assert "in 30 seconds" in told(decision, wait=30)["result"]["content"][0]["text"]
    never = told(decision)["result"]
    assert "Waiting does not help" in never["content"][0]["text"]
    assert "io.policylayer/retryAfter" not in never["_meta"]


HIDDEN: list[tuple[str, Era, int, str]] = [
    ("tool", "modern", -32602, "Unknown tool: x"),
    ("tool", "legacy", -32602, "Unknown tool: x"),
    ("prompt", "modern", -32602, "Unknown prompt: x"),
    ("resource", "modern", -32602, "Resource not found"),
    ("resource", "legacy", -32002, "Resource not found"),
]


@cases("kind, era, code, text", HIDDEN)
def test_what_is_hidden_has_one_answer_whatever_hides_it(
    kind: str, era: Era, code: int, text: str
) -> None:
    rules = ("(unknown tool)", "(hidden)", "(default deny)")
    found = [told(Decision("hide", rule, None), kind, era) for rule in rules]

    assert found[0] == found[1] == found[2]
    assert (found[0]["error"]["code"], found[0]["error"]["message"]) == (code, text)
    assert str(CALL) not in str(found[0])
