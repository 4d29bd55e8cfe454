"""What the strict decode takes, and that it changes nothing it lets through."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import strictjson
from tests.cases import cases

REFUSED = {
    "duplicate key": b'{"a":1,"a":2}',
    "duplicate key, nested": b'{"x":[{"a":1, "a":1}]}',
    "duplicate key, escaped": b'{"a":1,"\\u0061":2}',
    "NaN": b'{"a":NaN}',
    "Infinity": b"[Infinity]",
    "overflow": b"[1e400]",
    "overflow, whole": b"[" + b"9" * 400 + b"]",
    "lone surrogate": b'["\\ud800"]',
    "low surrogate first": b'["\\udc00\\ud800"]',
    "byte order mark": b"\xef\xbb\xbf[]",
    "bad UTF-8": b'["\xff"]',
    "overlong UTF-8": b'["\xc0\xaf"]',
    "UTF-16": '{"a":1}'.encode("utf-16-le"),
    "two values": b"{} {}",
    "trailing text": b"[]x",
    "nothing": b"",
    "raw control character": b'["\x01"]',
    "comment": b"[/* */]",
    "trailing comma": b"[1,]",
    "leading zero": b"[01]",
    "single quotes": b"{'a':1}",
    "too deep": b"[" * 65 + b"]" * 65,
    "too deep, objects": b'{"a":' * 65 + b"1" + b"}" * 65,
    "far too deep": b"[" * 100_000 + b"]" * 100_000,
}
KEPT = [
    b'{"a":1,"b":[true,false,null],"c":"x"}',
    b'{"amount":9007199254740993}',
    b'{"amount":123456789012345678901234567890}',
    b'{"amount":1.50}',
    b'{"amount":1E5}',
    b'{"amount":0.1000000000000000055511151231257827}',
    b'{"brackets":"' + b"[{" * 80 + b'"}',
    b"[" * 64 + b"]" * 64,
]


@cases("name", REFUSED)
def test_refused(name: str) -> None:
    with pytest.raises(strictjson.BadJSON):
        strictjson.loads(REFUSED[name])


@cases("body", KEPT)
def test_written_back_with_its_own_digits(body: bytes) -> None:
    assert strictjson.dumps(strictjson.loads(body)) == body


def test_spaces_and_escapes_go_and_nothing_else() -> None:
    body = b' { "\\u0061" : [ 1.0 , "\\/" , 1e2 ] } '

    assert strictjson.dumps(strictjson.loads(body)) == b'{"a":[1.0,"/",1e2]}'


numbers = st.one_of(
    st.integers(-(10**40), 10**40).map(str),
    st.decimals(-(10**20), 10**20, allow_nan=False, allow_infinity=False).map(
        lambda number: f"{number:f}"
    ),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
texts = st.text(st.characters(codec="utf-8"), max_size=8)
documents = st.recursive(
    st.one_of(numbers, texts.map(json.dumps), st.sampled_from(["null", "true"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: "[" + ", ".join(items) + "]"),
        st.dictionaries(texts, inner, max_size=4).map(
            lambda items: (
                "{"
                + ",".join(f"{json.dumps(key)}:{value}" for key, value in items.items())
                + "}"
            )
        ),
    ),
    max_leaves=12,
)


@given(documents)
def test_what_is_written_means_what_was_read(text: str) -> None:
    written = strictjson.dumps(strictjson.loads(text.encode()))

    def exact(source: str | bytes) -> object:
        return json.loads(source, parse_float=Decimal, parse_int=Decimal)

    assert exact(written) == exact(text)
    assert strictjson.dumps(strictjson.loads(written)) == written
