"""Reading what a server sends: what is the answer, what is passed on, what is not."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import answers
from gateway.answers import Plan
from gateway.errors import UpstreamFault
from tests.cases import cases

SAME = Plan(7, 7, "tools/call", "modern", "modern", "payments")
ACROSS = Plan(
    "sealed", 7, "tools/call", "modern", "legacy", "payments", ("sealed", "mine")
)


def message(**fields: Any) -> bytes:
    return orjson.dumps({"jsonrpc": "2.0"} | fields)


def test_between_stateless_peers_an_answer_goes_down_byte_for_byte() -> None:
    raw = b'{"jsonrpc":"2.0", "id":7,"result":{"n":1.50,"content":[]}}'

    event = answers.read(SAME, raw)

    assert (event.kind, event.body, event.status) == ("final", raw, "ok")


def test_across_eras_the_id_is_the_clients_and_numbers_keep_their_digits() -> None:
    raw = b'{"jsonrpc":"2.0","id":"sealed","result":{"n":1.50,"content":[]}}'

    event = answers.read(ACROSS, raw)

    assert b'"id":7' in event.body and b'"n":1.50' in event.body


def test_an_error_of_a_tool_is_told_apart() -> None:
    raw = message(id=7, result={"content": [], "isError": True})

    assert answers.read(SAME, raw).status == "tool_error"
    assert (
        answers.read(SAME, message(id=7, error={"code": 5, "message": "m"})).code == 5
    )


@cases("id", [8, "7", 7.0, None, True, [7]])
def test_what_answers_something_else_is_dropped(id: Any) -> None:
    assert answers.read(SAME, message(id=id, result={})).kind == "drop"


@cases(
    "raw",
    [b"", b"{", b"[]", b"1", b'{"id":7,"id":7}', b'{"id":7}', b'{"id":7,"result":1}'],
)
def test_what_is_no_message_is_a_fault(raw: bytes) -> None:
    with pytest.raises(UpstreamFault):
        answers.read(SAME, raw)


@cases(
    "method",
    ["notifications/cancelled", "notifications/resources/updated", "x", "", 7, None],
)
def test_other_notifications_are_dropped(method: Any) -> None:
    assert answers.read(SAME, message(method=method, params={})).kind == "drop"


def test_progress_is_passed_on_under_the_clients_token_only() -> None:
    def progress(plan: Plan, token: Any) -> answers.Event:
        params = {"progressToken": token, "progress": 1}
        return answers.read(
            plan, message(method="notifications/progress", params=params)
        )

    passed = orjson.loads(progress(ACROSS, "sealed").body)
    assert passed["params"]["progressToken"] == "mine"
    assert progress(ACROSS, "mine").kind == progress(SAME, 7).kind == "drop"


def test_questions_are_answered_and_changes_noticed() -> None:
    asked = answers.read(ACROSS, message(id=1, method="sampling/createMessage"))
    changed = answers.read(SAME, message(method="notifications/tools/list_changed"))

    assert asked.kind == "reply" and orjson.loads(asked.body)["id"] == 1
    assert changed.kind == "changed"


KEYS = ["jsonrpc", "id", "method", "params", "result", "error", "resultType", "code"]
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(KEYS), values), st.sampled_from([SAME, ACROSS]))
def test_nothing_a_server_says_is_more_than_a_fault(
    said: dict[str, Any], plan: Plan
) -> None:
    try:
        event = answers.read(plan, orjson.dumps(said))
    except UpstreamFault:
        return
    if event.kind == "final":
        assert orjson.loads(event.body)["id"] == 7
