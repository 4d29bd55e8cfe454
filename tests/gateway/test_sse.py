"""Events out of bytes, whatever the pieces and the line ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import sse
from tests.cases import cases

STREAMS = {
    b"data: one\n\ndata: two\n\n": [b"one", b"two"],
    b"data: one\r\n\r\ndata: two\r\n\r\n": [b"one", b"two"],
    b"data: one\r\rdata: two\r\r": [b"one", b"two"],
    b"data:one\n\n": [b"one"],
    b"data: a\ndata: b\n\n": [b"a\nb"],
    b": ping\n\n: ping\r\n\r\n": [],
    b"id: 7\ndata:\n\n": [],
    b"event: message\nid: 1\nretry: 5\ndata: x\n\n": [b"x"],
    b"event: endpoint\ndata: /elsewhere\n\ndata: x\n\n": [b"x"],
    b"data: cut off": [],
    b"data: cut off\n": [],
    b"\xef\xbb\xbfdata: x\n\n": [b"x"],
    "data: é\n\n".encode(): ["é".encode()],
    b"database: no\ndata\n\n": [],
}


@cases("stream", STREAMS)
def test_whole_events_come_out(stream: bytes) -> None:
    assert sse.Parser().feed(stream) == STREAMS[stream]


@given(
    st.sampled_from(list(STREAMS)), st.lists(st.integers(0, 60), max_size=6), st.data()
)
def test_the_pieces_do_not_matter(
    stream: bytes, cuts: list[int], data: st.DataObject
) -> None:
    parser, edges = sse.Parser(), [0, *sorted(cuts), len(stream)]
    pieces = [stream[a:b] for a, b in zip(edges, edges[1:], strict=False)]

    found = [event for piece in pieces for event in parser.feed(piece)]

    assert found == STREAMS[stream]


@cases("piece", [b"x" * 65536, b"data: " + b"x" * 65536 + b"\n", b"data: x\n" * 8192])
def test_an_endless_event_is_refused(piece: bytes) -> None:
    parser = sse.Parser()

    with pytest.raises(sse.EventTooLarge):
        for _ in range(80):
            parser.feed(piece)


def test_many_small_events_are_not_one_large_one() -> None:
    parser = sse.Parser()

    total = sum(
        len(parser.feed(b"data: " + b"x" * 60_000 + b"\n\n")) for _ in range(40)
    )

    assert total == 40


def test_an_event_is_read_back() -> None:
    assert sse.Parser().feed(sse.event(b'{"a":1}')) == [b'{"a":1}']


def test_json_of_several_lines_is_written_on_one() -> None:
    assert sse.event(b'{"a":\n1}') == b'data: {"a": 1}\n\n'
