"""One message out of a body."""

import pytest

from gateway import jsonrpc
from gateway.errors import InvalidRequest, ParseError
from tests.cases import cases

REFUSED = [
    b"[]",
    b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
    b"1",
    b"{}",
    b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":7}',
    b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":true,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1.0,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":"' + b"x" * 257 + b'","method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":null}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","METHOD":"tools/call"}',
    b'{"jsonrpc":"2.0","id":1,"ID":2,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","extra":1}',
    b'{"jsonrpc":"2.0","id":1}',
    b'{"jsonrpc":"2.0","id":1,"result":{},"error":{}}',
    b'{"jsonrpc":"2.0","result":{}}',
]


@cases("body", REFUSED)
def test_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        jsonrpc.decode(body)


def test_bad_json_is_a_parse_error() -> None:
    with pytest.raises(ParseError):
        jsonrpc.decode(b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}')


@cases("id", ["1", "", 1, 0, -5, 2**53, "x" * 256])
def test_a_request_keeps_its_id_and_type(id: jsonrpc.Id) -> None:
    message = jsonrpc.decode(jsonrpc.request(id, "ping", {"a": 1}))

    assert (message.kind, message.method, message.params) == (
        "request",
        "ping",
        {"a": 1},
    )
    assert message.id == id and type(message.id) is type(id)


def test_notifications_and_responses_are_told_apart() -> None:
    note = jsonrpc.decode(jsonrpc.notification("notifications/initialized", {}))
    answer = jsonrpc.decode(jsonrpc.result(3, {}))

    assert note.kind == "notification" and note.id is None
    assert answer.kind == "response" and answer.id == 3
