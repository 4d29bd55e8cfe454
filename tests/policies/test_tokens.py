"""The token format of grants."""

import hashlib

from policies import tokens
from tests.cases import cases


def test_a_minted_token_is_well_formed_and_stored_as_its_hash() -> None:
    token, digest, prefix = tokens.mint()

    assert tokens.well_formed(token)
    assert digest == hashlib.sha256(token.encode()).digest()
    assert token.startswith(prefix) and len(prefix) <= 16
    assert tokens.mint().token != token


@cases(
    "spoil",
    [
        lambda token: token[:-1],
        lambda token: token + "0",
        lambda token: "xx_" + token[3:],
        lambda token: token[:10] + chr(ord(token[10]) ^ 1) + token[11:],
        lambda token: token[:20] + "é" + token[21:],
        lambda token: "",
    ],
)
def test_a_spoiled_token_is_not(spoil: object) -> None:
    assert not tokens.well_formed(spoil(tokens.mint().token))  # type: ignore[operator]


def test_the_checksum_is_the_crc_of_what_stands_before_it() -> None:
    token = "pl_" + "0" * 40

    assert tokens.well_formed(f"{token}_{tokens._checksum(token)}")
    assert not tokens.well_formed(f"{token}_000000")
