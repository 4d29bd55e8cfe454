"""Mirrored headers, held against the official SDK's reading of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared import inbound

from gateway import headers
from gateway.errors import HeaderMismatch
from tests.cases import cases

SCHEMA = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "dry": {"type": "boolean", "x-mcp-header": "Dry"},
        "deep": {
            "type": "object",
            "properties": {"id": {"type": "string", "x-mcp-header": "Deep-Id"}},
        },
        "plain": {"type": "string"},
    },
}
BAD_SCHEMAS = [
    {"type": "object", "x-mcp-header": "A"},
    {"properties": {"a": {"type": "number", "x-mcp-header": "A"}}},
    {"properties": {"a": {"type": ["string"], "x-mcp-header": "A"}}},
    {"properties": {"a": {"type": "string", "x-mcp-header": "A B"}}},
    {"properties": {"a": {"type": "string", "x-mcp-header": 7}}},
    {
        "properties": {
            "a": {"type": "string", "x-mcp-header": "A"},
            "b": {"type": "string", "x-mcp-header": "a"},
        }
    },
    None,
    [],
    "x",
]


@cases(
    "name",
    [b"mcp-method", b"mcp-name", b"mcp-protocol-version", b"mcp-param-a", b"host",
     b"authorization", b"mcp-session-id", b"content-length"],
)  # fmt: skip
def test_a_header_that_is_sent_twice_is_refused(name: bytes) -> None:
    with pytest.raises(HeaderMismatch):
        headers.once([(name, b"1"), (b"x", b"2"), (name, b"1")])


def test_others_may_repeat() -> None:
    sent = [(b"accept", b"a"), (b"accept", b"b"), (b"host", b"h")]
    assert headers.once(sent)[b"host"] == b"h"


@given(st.text(max_size=20))
def test_values_are_written_as_the_sdk_writes_them(text: str) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return
    assert headers.encode(text).decode() == inbound.encode_header_value(text)
    assert headers.decode(headers.encode(text)) == text


@cases(
    "value", ["=?base64?!!?=", "=?base64?YR==?=", "=?base64?/w==?=", "=?BASE64?YQ==?="]
)
def test_values_are_read_as_the_sdk_reads_them(value: str) -> None:
    assert headers.decode(value.encode()) == inbound.decode_header_value(value)


def test_the_mirrors_must_say_what_the_body_says() -> None:
    good = {b"mcp-method": b"tools/call", b"mcp-name": b"pay"}
    headers.check_mirrors(good, "tools/call", "pay", required=True)
    headers.check_mirrors({}, "tools/call", "pay", required=False)
    headers.check_mirrors(
        good | {b"mcp-name": b"=?base64?cMOkeQ==?="}, "tools/call", "päy", required=True
    )


@cases("required", [True, False])
@cases(
    "wrong",
    [
        {b"mcp-method": b"tools/list", b"mcp-name": b"pay"},
        {b"mcp-method": b"tools/call", b"mcp-name": b"Pay"},
        {b"mcp-method": b"tools/call", b"mcp-name": b"=?base64?cGF5?"},
        {b"mcp-method": b"tools/call", b"mcp-name": b""},
    ],
)
def test_a_mirror_that_differs_is_refused(
    wrong: dict[bytes, bytes], required: bool
) -> None:
    with pytest.raises(HeaderMismatch):
        headers.check_mirrors(wrong, "tools/call", "pay", required=required)


def test_a_missing_mirror_is_refused_where_it_is_required() -> None:
    with pytest.raises(HeaderMismatch):
        headers.check_mirrors({b"mcp-name": b"pay"}, "tools/call", "pay", required=True)


@cases("schema", [SCHEMA, *BAD_SCHEMAS])
def test_declared_is_what_the_sdk_takes_for_declared(schema: object) -> None:
    ours = {path: token for path, (token, _) in headers.declared(schema).items()}
    theirs = (
        {}
        if inbound.find_invalid_x_mcp_header(schema)
        else inbound.x_mcp_header_map(schema)
    )

    assert ours == {
        path: f"mcp-param-{token.lower()}" for path, token in theirs.items()
    }


values = st.one_of(
    st.none(), st.booleans(), st.integers(-50, 50), st.text(max_size=3),
    st.floats(-5, 5, allow_nan=False),
)  # fmt: skip


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "region": values,
            "count": values,
            "dry": values,
            "deep": st.one_of(values, st.fixed_dictionaries({"id": values})),
        },
    ),
    st.dictionaries(
        st.sampled_from(["Region", "Count", "Dry", "Deep-Id"]),
        st.one_of(values, st.sampled_from(["7", "7.0", "true", "=?base64?Nw==?="])),
    ),
    st.booleans(),
)
def test_arguments_and_their_headers_agree_as_in_the_sdk(
    arguments: dict[str, object], sent: dict[str, object], own: bool
) -> None:
    if own:
        mirrored = inbound.mcp_param_headers(
            inbound.x_mcp_header_map(SCHEMA), arguments
        )
    else:
        mirrored = {
            f"Mcp-Param-{name}": inbound.encode_header_value(str(value))
            for name, value in sent.items()
        }
    raw = {name.lower().encode(): value.encode() for name, value in mirrored.items()}
    theirs = inbound.validate_mcp_param_headers(SCHEMA, arguments, mirrored)

    try:
        headers.check_params(raw, headers.declared(SCHEMA), arguments)
        refused = False
    except HeaderMismatch:
        refused = True

    assert refused == (theirs is not None)


def test_upstream_gets_the_headers_of_the_arguments() -> None:
    arguments = {"region": "Zürich", "count": 7, "dry": False, "deep": {"id": "a"}}

    assert dict(headers.params(headers.declared(SCHEMA), arguments)) == {
        b"mcp-param-region": b"=?base64?WsO8cmljaA==?=",
        b"mcp-param-count": b"7",
        b"mcp-param-dry": b"false",
        b"mcp-param-deep-id": b"a",
    }
