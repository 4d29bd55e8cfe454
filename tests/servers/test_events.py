"""Server-sent events in every spelling, cut at every byte."""

from __future__ import annotations

import pytest

from servers.events import EventReader
from servers.failures import TooLarge
from tests.cases import cases

STREAM = (
    b": comment\n\nevent: message\ndata: one\n\n"
    b"data:two\r\ndata: lines\r\nid: 7\r\n\r\n"
    b"data\rdata:  spaced\r\rretry: 5\n\nid: 1\n\ndata: last\n\n"
)
DATA = [b"one", b"two\nlines", b"\n spaced", b"last"]


@cases("size", [1, 2, 3, 7, len(STREAM)])
def test_pieces_of_any_size(size: int) -> None:
    reader = EventReader(100)
    found = []
    for at in range(0, len(STREAM), size):
        found += reader.feed(STREAM[at : at + size])
    assert found == DATA


def test_what_is_not_complete_is_no_event() -> None:
    assert EventReader(100).feed(b"data: half\n") == []


def test_empty_data_is_no_event() -> None:
    assert EventReader(100).feed(b"id: 1\ndata:\n\ndata: \n\ndata: x\n\n") == [b"x"]


@pytest.mark.parametrize("piece", [b"data: " + b"a" * 50, b"data: aaaaaaaaaa\n"])
def test_one_event_is_bounded(piece: bytes) -> None:
    reader = EventReader(100)
    with pytest.raises(TooLarge):
        for _ in range(20):
            reader.feed(piece)
