"""Bearer tokens of grants: `pl_<40 base62>_<6 base62 of CRC-32>`. Pure.

The checksum is no protection: it lets a mistyped or made-up token be refused
without a query, and lets secret scanners tell ours from noise.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from typing import NamedTuple

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX_LENGTH = 11
_SHAPE = re.compile(r"pl_[0-9A-Za-z]{40}_[0-9A-Za-z]{6}")


class Minted(NamedTuple):
    """`token` is shown once; `digest` and `prefix` are what is stored."""

    token: str
    digest: bytes
    prefix: str


def mint() -> Minted:
    secret = "pl_" + "".join(secrets.choice(ALPHABET) for _ in range(40))
    token = f"{secret}_{_checksum(secret)}"
    return Minted(token, digest(token), token[:PREFIX_LENGTH])


def digest(token: str) -> bytes:
    """SHA-256: the token has 238 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(token.encode()).digest()


def well_formed(token: str) -> bool:
    if _SHAPE.fullmatch(token) is None:
        return False
    return secrets.compare_digest(_checksum(token[:43]), token[44:])


def _checksum(secret: str) -> str:
    number, letters = zlib.crc32(secret.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        letters = ALPHABET[digit] + letters
    return letters
