"""Encrypted columns: AES-256-GCM, a data key for each value, wrapped by a master key.

    sealed = 0x01 | 12-byte nonce | wrapped data key (48) | 12-byte nonce | ciphertext

Master keys come from ENCRYPTION_KEYS, `{"current": id, "keys": {id: base64 of 32
bytes}}`; the id of the one that wrapped is stored beside the value. A data key for each
value, not for each tenant: nothing has to be kept in step, a nonce can never repeat
under one key, and taking a new master key into use rewrites 48 bytes a value
(`rewrap`). Tenant, table, column, row and key id are authenticated with both layers, so
a value that is moved elsewhere does not open.
"""

from __future__ import annotations

import base64
import os
import uuid
from binascii import Error as Base64Error
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

VERSION = b"\x01"
NONCE, WRAPPED = 12, 48
HEAD = len(VERSION) + NONCE + WRAPPED + NONCE
MAX_KEY_ID = 40


class VaultError(Exception):
    pass


class UnknownKey(VaultError):
    """The value needs a master key that ENCRYPTION_KEYS does not hold."""


class Damaged(VaultError):
    """The value was altered, or belongs to another row, column or organization."""


def seal(
    organization_id: uuid.UUID,
    table: str,
    column: str,
    row_id: uuid.UUID,
    plaintext: bytes,
) -> tuple[str, bytes]:
    """The id of the master key, and what to store beside it."""
    key_id = _current()
    place = _place(organization_id, table, column, row_id)
    data_key, nonce = AESGCM.generate_key(256), os.urandom(NONCE)
    ciphertext = AESGCM(data_key).encrypt(nonce, plaintext, place)
    return key_id, VERSION + _wrap(key_id, data_key, place) + nonce + ciphertext


def open(
    organization_id: uuid.UUID,
    table: str,
    column: str,
    row_id: uuid.UUID,
    key_id: str,
    sealed: bytes,
) -> bytes:
    """Raises `UnknownKey` or `Damaged`."""
    place = _place(organization_id, table, column, row_id)
    data_key = _unwrap(key_id, sealed, place)
    nonce, ciphertext = sealed[HEAD - NONCE : HEAD], sealed[HEAD:]
    return _decrypt(AESGCM(data_key), nonce, ciphertext, place)


def rewrap(
    organization_id: uuid.UUID,
    table: str,
    column: str,
    row_id: uuid.UUID,
    key_id: str,
    sealed: bytes,
) -> tuple[str, bytes]:
    """The same value under the current master key."""
    place = _place(organization_id, table, column, row_id)
    data_key = _unwrap(key_id, sealed, place)
    current = _current()
    wrapped = _wrap(current, data_key, place)
    return current, VERSION + wrapped + sealed[HEAD - NONCE :]


def _wrap(key_id: str, data_key: bytes, place: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    bound = place + b"\0" + key_id.encode()
    return nonce + _master(key_id).encrypt(nonce, data_key, bound)


def _unwrap(key_id: str, sealed: bytes, place: bytes) -> bytes:
    if sealed[:1] != VERSION or len(sealed) < HEAD:
        raise Damaged("The stored value is no encrypted value that is known here.")
    nonce, wrapped = sealed[1 : 1 + NONCE], sealed[1 + NONCE : HEAD - NONCE]
    bound = place + b"\0" + key_id.encode()
    return _decrypt(_master(key_id), nonce, wrapped, bound)


def _decrypt(key: AESGCM, nonce: bytes, ciphertext: bytes, bound: bytes) -> bytes:
    try:
        return key.decrypt(nonce, ciphertext, bound)
    except InvalidTag:
        raise Damaged(
            "The stored value does not open: it was altered, or moved here from"
            " another row or organization, or its key id names another key."
        ) from None


def _place(
    organization_id: uuid.UUID, table: str, column: str, row_id: uuid.UUID
) -> bytes:
    return b"\0".join(
        (organization_id.bytes.hex().encode(), table.encode(), column.encode(),
         row_id.bytes.hex().encode())
    )  # fmt: skip


def _current() -> str:
    current = settings.ENCRYPTION_KEYS.get("current")
    if not isinstance(current, str) or not 0 < len(current) <= MAX_KEY_ID:
        raise ImproperlyConfigured('ENCRYPTION_KEYS must name its "current" key')
    return current


def _master(key_id: str) -> AESGCM:
    encoded = settings.ENCRYPTION_KEYS.get("keys", {}).get(key_id)
    if encoded is None:
        raise UnknownKey(
            f"The value was encrypted with key {key_id!r}, which ENCRYPTION_KEYS does"
            " not hold. Add that key again beside the current one."
        )
    return _decoded(key_id, encoded)


@lru_cache(maxsize=64)
def _decoded(key_id: str, encoded: str) -> AESGCM:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (Base64Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured(
            f"ENCRYPTION_KEYS: key {key_id!r} is not 32 bytes in base64"
        )
    return AESGCM(key)
