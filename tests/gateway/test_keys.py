"""Seals open for us, for the same use, unaltered; for nobody else."""

import base64

import pytest

from gateway.keys import Keys, NotOurs


def keys(current: str, **masters: int) -> Keys:
    return Keys(
        {
            "current": current,
            "keys": {
                name: base64.b64encode(bytes([byte]) * 32).decode()
                for name, byte in masters.items()
            },
        }
    )


OURS = keys("k1", k1=1)


def test_what_was_sealed_opens() -> None:
    assert OURS.open(b"use", OURS.seal(b"use", b"content")) == b"content"
    assert OURS.open_id(b"use", OURS.seal_id(b"use", b"content")) == b"content"


def test_ids_are_the_same_for_the_same_and_sessions_never() -> None:
    assert OURS.seal_id(b"use", b"x") == OURS.seal_id(b"use", b"x")
    assert OURS.seal_id(b"use", b"x") != OURS.seal_id(b"use", b"y")
    assert OURS.seal(b"use", b"x") != OURS.seal(b"use", b"x")


@pytest.mark.parametrize("seal, open", [("seal", "open"), ("seal_id", "open_id")])
def test_nothing_else_opens(seal: str, open: str) -> None:
    text = getattr(OURS, seal)(b"use", b"content")
    spoiled = [
        text[:-2] + ("AA" if text[-2:] != "AA" else "BB"),
        text[:5] + ("A" if text[5] != "A" else "B") + text[6:],
        "k2" + text[2:],
        text[3:],
        text + "=",
        text + "\n",
        "",
        "k1.",
        "k1.é",
        "k1.AAAA",
    ]
    for wrong in spoiled:
        with pytest.raises(NotOurs):
            getattr(OURS, open)(b"use", wrong)
    with pytest.raises(NotOurs):
        getattr(OURS, open)(b"another use", text)
    with pytest.raises(NotOurs):
        getattr(keys("k1", k1=9), open)(b"use", text)


def test_the_older_key_stays_valid_after_a_change() -> None:
    changed = keys("k2", k1=1, k2=2)

    assert changed.open(b"use", OURS.seal(b"use", b"x")) == b"x"
    with pytest.raises(NotOurs):
        OURS.open(b"use", changed.seal(b"use", b"x"))


def test_no_other_spelling_of_the_same_bytes_opens() -> None:
    text = OURS.seal_id(b"use", b"12")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [text[:-1] + letter for letter in alphabet if letter != text[-1]]

    for other in others:
        with pytest.raises(NotOurs):
            OURS.open_id(b"use", other)
