"""Pages cut into entries, whatever an entry holds."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.registry.pieces import MAX_ENTRIES, split
from servers.definitions import BadJson

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(
    st.lists(VALUES, max_size=8),
    VALUES,
    st.sampled_from([None, 2]),
    st.booleans(),
)
def test_every_entry_comes_out_as_it_went_in(
    entries: list[object], metadata: object, indent: int | None, plain: bool
) -> None:
    page = {"before": metadata, "servers": entries, "metadata": metadata, "z": [{}]}
    body = json.dumps(page, indent=indent, ensure_ascii=plain).encode(
        errors="surrogatepass"
    )
    texts, rest = split(body)
    assert [json.loads(text.decode(errors="surrogatepass")) for text in texts] == (
        entries
    )
    assert json.loads(rest.decode(errors="surrogatepass")) == metadata


@pytest.mark.parametrize(
    ("body", "entries"),
    [
        (b'{"servers":[]}', []),
        (b' {"servers" : null } \n', []),
        (b'{"servers":[1,,2]}', [b"1", b"", b"2"]),
        (b'{"servers":["]","\\"]",[[]]]}', [b'"]"', b'"\\"]"', b"[[]]"]),
        (b'{"servers":[{"a":"\\ud800"},NaN]}', [b'{"a":"\\ud800"}', b"NaN"]),
    ],
)
def test_entries_are_not_judged_here(body: bytes, entries: list[bytes]) -> None:
    assert split(body)[0] == entries


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"null", b"[]", b"<html></html>", b'{"metadata":{}}'),
        *(b'{"servers":{}}', b'{"servers":"x"}', b'{"servers":[}', b'{"servers":[]'),
        *(b'{"servers":[]}}', b'{"servers":[]}{"servers":[]}', b'{"servers":["}'),
        *(b"{servers:[]}", b'{"servers":[],}', b"\xef\xbb\xbf{}", b"[" * 100_000),
        b'{"servers":[' + b"1," * MAX_ENTRIES + b"1]}",
    ],
)
def test_what_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(BadJson):
        split(body)


@pytest.mark.parametrize(
    "hostile",
    [
        *(b'"\\' * 200_000, b'"' * 399_999, b"[" * 400_000, b"\\" * 400_000),
        *(b'{"a":' * 80_000, b'"\\"' * 133_333, b'",' * 200_000),
    ],
)
def test_hostile_pages_take_no_time(hostile: bytes) -> None:
    began = time.process_time()
    for body in (hostile, b'{"servers":[' + hostile + b"]}"):
        with suppress(BadJson):
            split(body)
    assert time.process_time() - began < 3  # one that looks back takes minutes
