"""Sealing what clients and upstream servers carry for us. Pure.

Two seals, both with the id of their key in front, so that keys can be changed while
what the older one sealed is still accepted: AES-GCM for session ids (random nonce),
AES-SIV for JSON-RPC ids (no nonce: the same content gives the same, short text).
The keys are derived from the encryption keys once, each for its one use.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class NotOurs(ValueError):
    """A text that none of our keys sealed for this use."""


class Keys:
    def __init__(self, settings: Mapping[str, Any]) -> None:
        """`settings` is `{"current": id, "keys": {id: base64 of 32 bytes}}`."""
        masters = {
            name: base64.b64decode(text, validate=True)
            for name, text in settings["keys"].items()
        }
        self._current: str = settings["current"]
        self._gcm = {
            name: AESGCM(_derived(master, b"gateway sessions", 32))
            for name, master in masters.items()
        }
        self._siv = {
            name: AESSIV(_derived(master, b"gateway request ids", 64))
            for name, master in masters.items()
        }

    def seal(self, use: bytes, content: bytes) -> str:
        """`use` tells what the text is for; it opens for the same use only."""
        nonce = os.urandom(_NONCE)
        sealed = self._gcm[self._current].encrypt(nonce, content, use)
        return f"{self._current}.{_text(nonce + sealed)}"

    def open(self, use: bytes, text: str) -> bytes:
        name, sealed = _parted(text)
        try:
            return self._gcm[name].decrypt(sealed[:_NONCE], sealed[_NONCE:], use)
        except (KeyError, InvalidTag, ValueError):
            raise NotOurs from None

    def seal_id(self, use: bytes, content: bytes) -> str:
        sealed = self._siv[self._current].encrypt(content, [use])
        return f"{self._current}.{_text(sealed)}"

    def open_id(self, use: bytes, text: str) -> bytes:
        name, sealed = _parted(text)
        try:
            return self._siv[name].decrypt(sealed, [use])
        except (KeyError, InvalidTag, ValueError):
            raise NotOurs from None


def _derived(master: bytes, use: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=use).derive(master)


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _parted(text: str) -> tuple[str, bytes]:
    name, dot, rest = text.partition(".")
    try:
        if not dot:
            raise NotOurs
        sealed = base64.b64decode(
            rest.encode("ascii") + b"=" * (-len(rest) % 4),
            altchars=b"-_",
            validate=True,
        )
    except (binascii.Error, UnicodeEncodeError):
        raise NotOurs from None
    if _text(sealed) != rest:  # another spelling of the same bytes
        raise NotOurs
    return name, sealed
