"""Waivers and openings cover what they say, and end by the clock."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any
from unittest import mock
from uuid import UUID

from gateway import covering
from gateway.snapshot import Opening, Waiver
from tests.cases import cases

APPROVAL = UUID(int=5)
RULE = frozenset({"/tools/pay/action"})


def call(waiver: Waiver | None, **changed: Any) -> Any:
    """A call of `pay` with the amount 5, of a grant with this waiver."""
    policy = mock.Mock(**{"entry_digest.return_value": "e"})
    pins = {"pay": mock.Mock(fingerprint="f")}
    waivers = {"pay": (waiver,)} if waiver else {}
    rights = mock.Mock(tools=pins, waivers=waivers, policy=policy)
    given = {
        "asked": None,
        "approval": None,
        "name": "pay",
        "snapshot": mock.Mock(rights=rights),
        "method": mock.Mock(kind="tool"),
        "message": mock.Mock(params={"arguments": {"amount": 5}}),
    }
    return SimpleNamespace(**(given | changed))


def waiver(**changed: Any) -> Waiver:
    like = {"/amount": {"is": 5}}
    return Waiver(APPROVAL, RULE, "f", "e", like, time.time() + 60)._replace(**changed)


def test_a_like_call_is_covered_and_names_the_approval() -> None:
    x = call(waiver())
    assert covering.rules(x) == RULE
    assert x.approval == APPROVAL


@cases(
    "changed",
    [
        {"expires": 1.0},
        {"fingerprint": "another"},
        {"entry_digest": "another"},
        {"arguments": {"/amount": {"is": 6}}},
    ],
    ids=str,
)
def test_another_call_is_not(changed: dict[str, Any]) -> None:
    x = call(waiver(**changed))
    assert covering.rules(x) == frozenset()
    assert x.approval is None


def test_a_read_and_another_tool_are_not() -> None:
    assert not covering.rules(call(waiver(), method=mock.Mock(kind="prompt")))
    assert not covering.rules(call(waiver(), name="echo"))


def test_an_opening_ends_by_the_clock() -> None:
    now = time.time()
    rights: Any = mock.Mock(
        break_glass={"pay": (Opening("old", now - 1), Opening("new", now + 9))}
    )
    assert covering.opening(rights, "pay") == "new"
    assert covering.opening(rights, "echo") is None
    with mock.patch("gateway.covering.time.time", return_value=now + 10):
        assert covering.opening(rights, "pay") is None
