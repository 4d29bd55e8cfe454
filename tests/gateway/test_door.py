"""Hosts, origins and tokens, without a request around them."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from gateway import door
from gateway.budgets import LARGE, Parsing
from gateway.errors import Door, Unauthorized
from policies import tokens
from tests.cases import cases

HOSTS = door.Hosts(
    ["gw.example", ".sub.example", "[::1]"], ["https://gw.example", "http://Other:8000"]
)


@cases(
    "host",
    [b"gw.example", b"GW.example:443", b"a.sub.example", b"sub.example:1", b"[::1]:80",
     b"[::1]"],
)  # fmt: skip
def test_our_hosts(host: bytes) -> None:
    HOSTS.check({b"host": host})


@cases(
    "host",
    [b"", b"evil.example", b"xgw.example", b"gw.example.evil", b"gw.example:",
     b"gw.example:80x", b"gw.example@evil", b"evilsub.example", b"::1", b"\xff"],
)  # fmt: skip
def test_not_our_hosts(host: bytes) -> None:
    with pytest.raises(Door) as refused:
        HOSTS.check({b"host": host})
    assert refused.value.status == 400


@cases(
    "origin, allowed",
    [
        (b"https://gw.example", True),
        (b"HTTP://OTHER:8000", True),
        (b"http://gw.example", False),
        (b"https://gw.example:444", False),
        (b"null", False),
        (b"", False),
    ],
)
def test_origins(origin: bytes, allowed: bool) -> None:
    headers = {b"host": b"gw.example", b"origin": origin}
    if allowed:
        HOSTS.check(headers)
        return
    with pytest.raises(Door) as refused:
        HOSTS.check(headers)
    assert refused.value.status == 403


def test_a_star_serves_every_host() -> None:
    door.Hosts(["*"], []).check({b"host": b"anything"})


def test_a_token_is_only_taken_as_bearer_and_well_formed() -> None:
    token, digest, _ = tokens.mint()

    assert door.token_digest(b"Bearer " + token.encode()) == digest
    assert door.token_digest(b"bearer  " + token.encode() + b" ") == digest
    for wrong in (token, f"Basic {token}", f"Bearer {token[:-1]}", "Bearer", ""):
        with pytest.raises(Unauthorized):
            door.token_digest(wrong.encode())


async def test_large_messages_of_one_organization_wait_for_each_other() -> None:
    parsing, mine, other = Parsing(rate=4 * LARGE), uuid.uuid4(), uuid.uuid4()
    loop = asyncio.get_running_loop()

    async def took(organization: uuid.UUID, size: int) -> float:
        began = loop.time()
        await parsing.turn(organization, size)
        return loop.time() - began

    assert await took(mine, 4 * LARGE) < 0.2
    assert await took(mine, 2 * LARGE) > 0.3
    assert await took(mine, LARGE) < 0.2  # not a large one
    assert await took(other, 4 * LARGE) < 0.2
