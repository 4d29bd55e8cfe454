"""Which protocol a request speaks, and who is sent away."""

from typing import Any

import pytest

from gateway import eras, methods
from gateway.errors import (
    HeaderMismatch,
    InvalidParams,
    NotRelayed,
    Refusal,
    Unsupported,
)
from tests.cases import cases

META: dict[str, object] = {
    eras.META_VERSION: eras.MODERN,
    eras.META_CAPABILITIES: {},
}
MODERN: dict[str, object] = {"_meta": META}


def meta(**change: object) -> dict[str, object]:
    named = {"version": eras.META_VERSION, "capabilities": eras.META_CAPABILITIES}
    changed = {named[key]: value for key, value in change.items()}
    both = META | changed
    return {"_meta": {key: value for key, value in both.items() if value is not None}}


CASES: list[tuple[bytes | None, str, dict[str, object], str | type[Refusal]]] = [
    (b"2026-07-28", "tools/list", MODERN, "modern"),
    (b"2025-11-25", "tools/list", {}, "legacy"),
    (b"2025-03-26", "tools/list", {"_meta": {"progressToken": 1}}, "legacy"),
    (None, "tools/list", {}, "legacy"),
    (None, "initialize", {}, "legacy"),
    (b"2026-07-28", "initialize", {}, "legacy"),
    (b"2026-07-28", "initialize", MODERN, "modern"),
    (None, "tools/list", MODERN, HeaderMismatch),
    (b"2025-11-25", "tools/list", MODERN, HeaderMismatch),
    (b"2026-07-28", "tools/list", {}, InvalidParams),
    (b"2026-07-28", "tools/list", meta(capabilities=None), InvalidParams),
    (b"2026-07-28", "tools/list", meta(capabilities=[]), InvalidParams),
    (b"2026-07-28", "tools/list", meta(version="2026-07-29"), HeaderMismatch),
    (b"2027-01-01", "tools/list", meta(version="2027-01-01"), Unsupported),
    (b"2024-11-05", "tools/list", {}, Unsupported),
    (b"", "tools/list", {}, Unsupported),
    (b"2024-11-05", "tools/list", meta(version="2024-11-05"), Unsupported),
]


@cases("header, method, params, expected", CASES)
def test_classified(
    header: bytes | None,
    method: str,
    params: dict[str, object],
    expected: str | type[Refusal],
) -> None:
    said: Any = params.get("_meta", {})
    if isinstance(expected, str):
        assert eras.classify(header, method, said) == expected
    else:
        with pytest.raises(expected):
            eras.classify(header, method, said)


def test_initialize_is_answered_with_a_revision_that_is_served() -> None:
    assert eras.negotiated("2025-06-18") == "2025-06-18"
    assert eras.negotiated("2024-11-05") == "2025-11-25"
    assert eras.negotiated(None) == "2025-11-25"
    assert eras.negotiated(["x"]) == "2025-11-25"


@cases(
    "name, era",
    [
        ("initialize", "modern"),
        ("ping", "modern"),
        ("server/discover", "legacy"),
        ("tasks/get", "legacy"),
        ("tasks/list", "modern"),
        ("subscriptions/listen", "modern"),
        ("logging/setLevel", "legacy"),
        ("tools/Call", "modern"),
        ("", "legacy"),
    ],
)
def test_what_is_not_listed_is_not_relayed(name: str, era: str) -> None:
    with pytest.raises(NotRelayed):
        methods.find(name, era)


@cases(
    "name, params",
    [
        ("tools/call", {}),
        ("tools/call", {"name": 1}),
        ("tools/call", {"name": "a", "Name": "b"}),
        ("tools/call", {"name": "a", "arguments": []}),
        ("tools/call", {"name": "a", "task": {}}),
        ("tools/list", {"inputResponses": {}}),
        ("tools/call", {"name": "a", "_meta": []}),
        ("tools/list", {"cursor": 1}),
        ("tools/list", {"Cursor": "1"}),
        ("completion/complete", {"ref": "x", "argument": {}}),
        ("resources/read", {"uri": None}),
    ],
)
def test_parameters_that_a_method_does_not_have(
    name: str, params: dict[str, object]
) -> None:
    with pytest.raises(InvalidParams):
        methods.check_params(methods.METHODS[name], params)
