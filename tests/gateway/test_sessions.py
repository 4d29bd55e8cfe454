"""A session id opens for its grant, its server, its credentials, for a day."""

import uuid
from dataclasses import replace

import pytest

from gateway import ids, sessions
from gateway.errors import NoSession
from tests.cases import cases
from tests.gateway.test_keys import OURS, keys

ABOUT = {
    "grant": uuid.UUID(int=1),
    "server": uuid.UUID(int=2),
    "credential": uuid.UUID(int=3),
}
SESSION = sessions.Session(
    ABOUT["grant"],
    ABOUT["server"],
    ABOUT["credential"],
    revision="2025-11-25",
    upstream="their-id",
    upstream_revision="2025-06-18",
    client_name="a client",
    capabilities={"elicitation": {}},
    at=1_000_000,
)


def test_it_says_again_what_it_was_told() -> None:
    text = sessions.seal(OURS, SESSION)
    opened = sessions.unseal(OURS, text)

    assert replace(opened, hash=b"") == SESSION
    assert len(opened.hash) == 16 and "their-id" not in text
    sessions.check(opened, **ABOUT, now=1_000_100)


@pytest.mark.parametrize("none", ["", None])
def test_no_upstream_session_is_not_an_unopened_one(none: str | None) -> None:
    text = sessions.seal(OURS, replace(SESSION, upstream=none))

    assert sessions.unseal(OURS, text).upstream == none


@cases(
    "change",
    [
        {"grant": uuid.UUID(int=9)},
        {"server": uuid.UUID(int=9)},
        {"credential": uuid.UUID(int=9)},
        {"now": 1_000_000 + sessions.LIFETIME + 1},
        {"now": 1_000_000 - 3600},
    ],
)
def test_it_is_nobody_elses(change: dict[str, object]) -> None:
    with pytest.raises(NoSession):
        sessions.check(SESSION, **(ABOUT | {"now": 1_000_000.0} | change))  # type: ignore[arg-type]


def test_what_we_did_not_seal_is_no_session() -> None:
    for text in ["", "x", "k1.AAAA", sessions.seal(keys("k1", k1=8), SESSION)]:
        with pytest.raises(NoSession):
            sessions.unseal(OURS, text)


@cases("id", ["1", 1, "", -(2**53), "x" * 256])
def test_a_request_id_says_what_it_answers(id: str | int) -> None:
    call, grant = uuid.uuid4(), uuid.uuid4()
    text = ids.seal(OURS, call, grant, "tools/call", id)

    asked = ids.unseal(OURS, text)

    assert asked == ids.Asked(call, grant, "tools/call", id)
    assert type(asked.id) is type(id)


@cases("text", ["1", 1, None, {}, "k1.AAAA"])
def test_an_id_that_does_not_open_was_not_asked(text: object) -> None:
    assert ids.unseal(OURS, text) is None
