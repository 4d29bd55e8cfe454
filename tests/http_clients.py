"""HTTP clients for the MCP clients of tests."""

from __future__ import annotations

import functools
import ssl
from typing import Any

import httpx2


@functools.cache
def tls() -> ssl.SSLContext:
    """Each client would read all authorities for itself, which takes it 30 ms."""
    return ssl.create_default_context()


def http(**more: Any) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(verify=tls(), **more)
