"""Canonical text and fingerprints, and hostile definitions."""

from __future__ import annotations

import json

import pytest

from servers.definitions import (
    MAX_TOOLS,
    BadJson,
    canonical,
    decode,
    fingerprint,
    folded,
    is_plain,
    pretty,
    read_tools,
)
from tests.cases import cases


def test_order_and_spelling_are_no_change() -> None:
    one = decode(b'{"b": 1.0, "a": [1e2, "\\u00e9"]}')
    other = decode('{"a":[100,"é"],"b":1}'.encode())
    assert canonical(one) == canonical(other) == '{"a":[100,"é"],"b":1}'
    assert fingerprint("{}") == (
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    )


def test_whole_numbers_beyond_doubles_take_their_double() -> None:
    assert canonical(decode(b"[9223372036854775807]")) == "[9223372036854776000]"
    assert canonical([2**53 - 1]) == "[9007199254740991]"


@cases(
    "body",
    [b'{"a":1,"a":2}', b'{"a":{"b":1,"b":1}}', b"NaN", b"[1e400]", b'"\\ud800"',
     b"\xff", b"{} {}", b"", b'\xef\xbb\xbf{}'],
)  # fmt: skip
def test_what_is_no_strict_json(body: bytes) -> None:
    with pytest.raises(BadJson):
        canonical(decode(body))


def test_nesting_is_bounded() -> None:
    deep = decode(b"[" * 60 + b"]" * 60)
    assert canonical(deep)
    with pytest.raises(BadJson, match="deeper"):
        canonical(decode(b"[" * 100 + b"]" * 100))
    with pytest.raises(BadJson):
        decode(b"[" * 100_000)


def test_tools_that_cannot_be_kept_are_named() -> None:
    listed = [
        {"name": "good", "description": "a\0b"},
        "text",
        {"title": "no name"},
        {"name": ""},
        {"name": 5},
        {"name": "a\0b"},
        {"name": "a" * 1001},
        {"name": "large", "description": "x" * 300_000},
        {"name": "huge number", "inputSchema": {"maximum": 10**400}},
    ]
    tools, problems = read_tools(listed)
    assert [tool.name for tool in tools] == ["good"]
    assert "\0" not in tools[0].text
    assert [text.split(" is left")[0] for text in problems] == [
        f"Tool {number}" for number in range(2, 10)
    ]


def test_a_name_that_is_listed_twice() -> None:
    same = {"name": "a", "x": 1}
    tools, problems = read_tools([same, {"x": 1.0, "name": "a"}, {"name": "b"}])
    assert [(tool.name, tool.twice) for tool in tools] == [("a", False), ("b", False)]
    tools, _ = read_tools([same, {"name": "a", "x": 2}])
    assert [(tool.name, tool.twice) for tool in tools] == [("a", True)]
    assert problems == []


def test_the_number_of_tools_is_bounded() -> None:
    tools, problems = read_tools({"name": f"t{n}"} for n in range(MAX_TOOLS + 5))
    assert len(tools) == MAX_TOOLS
    assert "first 5000 of 5005" in problems[0]


@cases(
    ("name", "plain"),
    [("read_file", True), ("a/b.c-d", True), ("a" * 128, True), ("a" * 129, False),
     ("read file", False), ("réad", False), ("read\n", False), ("", False)],
)  # fmt: skip
def test_plain_names(name: str, plain: bool) -> None:
    assert is_plain(name) is plain


def test_names_that_look_alike() -> None:
    assert folded("Read_File") == folded("read_file") == folded("ｒｅａｄ_file")
    assert folded("read-file") != folded("read_file")


def test_reading_text_shows_what_cannot_be_seen() -> None:
    text = canonical({"description": "a\u202eb\u200bc", "name": "x"})
    shown = pretty(text)
    assert "\\u202e" in shown
    assert "\\u200b" in shown
    assert json.loads(shown) == json.loads(text)
