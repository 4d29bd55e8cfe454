"""Digests over the RFC 8785 form: how a document is written does not matter."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import rfc8785


def digest_of(data: Any) -> str:
    """Hex SHA-256."""
    return sha256(rfc8785.dumps(data)).hexdigest()
