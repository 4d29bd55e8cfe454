"""Encrypted values open in their own place, with their own key, and nowhere else."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from servers import vault

ORGANIZATION, ROW = uuid.uuid4(), uuid.uuid4()
HERE = (ORGANIZATION, "servers_credential", "ciphertext", ROW)
K1, K2 = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


@pytest.fixture(autouse=True)
def keys(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = {"current": "k1", "keys": {"k1": K1}}


@pytest.mark.parametrize("plaintext", [b"", b"Bearer abc", bytes(range(256)) * 40])
def test_a_value_comes_back(plaintext: bytes) -> None:
    key_id, sealed = vault.seal(*HERE, plaintext)
    assert key_id == "k1"
    assert not plaintext or plaintext not in sealed
    assert vault.open(*HERE, key_id, sealed) == plaintext


def test_equal_values_are_sealed_differently() -> None:
    assert vault.seal(*HERE, b"x")[1] != vault.seal(*HERE, b"x")[1]


@pytest.mark.parametrize(
    "elsewhere",
    [
        (uuid.uuid4(), *HERE[1:]),
        (ORGANIZATION, "servers_other", "ciphertext", ROW),
        (ORGANIZATION, "servers_credential", "other", ROW),
        (*HERE[:3], uuid.uuid4()),
        (ROW, "servers_credential", "ciphertext", ORGANIZATION),
    ],
)
def test_a_value_that_is_moved_does_not_open(
    elsewhere: tuple[Any, Any, Any, Any],
) -> None:
    key_id, sealed = vault.seal(*HERE, b"secret")
    with pytest.raises(vault.Damaged):
        vault.open(*elsewhere, key_id, sealed)
    with pytest.raises(vault.Damaged):
        vault.rewrap(*elsewhere, key_id, sealed)


def test_every_byte_is_authenticated() -> None:
    key_id, sealed = vault.seal(*HERE, b"secret")
    for at in range(len(sealed)):
        altered = bytearray(sealed)
        altered[at] ^= 1
        with pytest.raises(vault.Damaged):
            vault.open(*HERE, key_id, bytes(altered))
    for length in (0, 1, 50, len(sealed) - 1):
        with pytest.raises(vault.Damaged):
            vault.open(*HERE, key_id, sealed[:length])


def test_old_keys_stay_readable_and_rewrap_leaves_them_behind(settings: Any) -> None:
    old = vault.seal(*HERE, b"secret")
    settings.ENCRYPTION_KEYS = {"current": "k2", "keys": {"k1": K1, "k2": K2}}
    assert vault.open(*HERE, *old) == b"secret"
    new = vault.rewrap(*HERE, *old)
    assert new[0] == "k2"
    assert vault.seal(*HERE, b"x")[0] == "k2"
    settings.ENCRYPTION_KEYS = {"current": "k2", "keys": {"k2": K2}}
    assert vault.open(*HERE, *new) == b"secret"
    with pytest.raises(vault.UnknownKey, match="'k1'.*does not hold"):
        vault.open(*HERE, *old)


def test_a_key_id_cannot_be_exchanged(settings: Any) -> None:
    """Even where two ids name the same key."""
    settings.ENCRYPTION_KEYS = {"current": "k1", "keys": {"k1": K1, "k2": K1}}
    _, sealed = vault.seal(*HERE, b"secret")
    with pytest.raises(vault.Damaged):
        vault.open(*HERE, "k2", sealed)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"current": "", "keys": {"": K1}},
        {"current": 1, "keys": {1: K1}},
        {"current": "k1", "keys": {"k1": "short"}},
        {"current": "k1", "keys": {"k1": base64.b64encode(b"a" * 16).decode()}},
        {"current": "k" * 41, "keys": {"k" * 41: K1}},
    ],
)
def test_bad_keys_are_a_configuration_error(settings: Any, broken: Any) -> None:
    settings.ENCRYPTION_KEYS = broken
    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS"):
        vault.seal(*HERE, b"x")
