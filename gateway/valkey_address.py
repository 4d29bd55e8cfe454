"""Where a Valkey is: `redis://`, `rediss://` (TLS) and `unix://` URLs.

redis://user:password@host:6379/0        rediss://host/0?ssl_ca_certs=/path
unix:///run/valkey.sock?db=0&password=secret
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, unquote, urlsplit

from gateway.valkey_protocol import Link

PLAIN, TLS = {"redis", "valkey"}, {"rediss", "valkeys"}


@dataclass(frozen=True, slots=True)
class Address:
    """`path` is a unix socket; otherwise host and port."""

    host: str = ""
    port: int = 6379
    path: str = ""
    database: int = 0
    user: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None

    def node(self, host_port: str) -> Address:
        """Another node of the same cluster, as `MOVED` names it."""
        host, _, port = host_port.rpartition(":")
        return replace(self, host=host.strip("[]") or self.host, port=int(port))

    async def connect(self, make: Callable[[], Link]) -> Link:
        loop = asyncio.get_running_loop()
        if self.path:
            return (await loop.create_unix_connection(make, self.path))[1]
        connected = await loop.create_connection(
            make, self.host, self.port, ssl=self.tls
        )
        return connected[1]

    def greeting(self) -> list[tuple[str | int, ...]]:
        """The commands that open a connection."""
        commands: list[tuple[str | int, ...]] = []
        if self.password:
            user = (self.user,) if self.user else ()
            commands.append(("AUTH", *user, self.password))
        if self.database:
            commands.append(("SELECT", self.database))
        return commands

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


def parse(url: str) -> Address:
    """Raises ValueError for what is none of the three forms."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme == "unix":
        return Address(
            path=unquote(parts.path),
            database=int(query.get("db") or 0),
            user=user or query.get("username", ""),
            password=password or query.get("password", ""),
        )
    if parts.scheme not in PLAIN | TLS or not parts.hostname:
        raise ValueError("REDIS_URL must begin with redis://, rediss:// or unix://")
    return Address(
        host=parts.hostname,
        port=parts.port or 6379,
        database=int(parts.path.strip("/") or query.get("db") or 0),
        user=user or query.get("username", ""),
        password=password or query.get("password", ""),
        tls=_tls(query) if parts.scheme in TLS else None,
    )


def _tls(query: dict[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=query.get("ssl_ca_certs"))
    if certificate := query.get("ssl_certfile"):
        context.load_cert_chain(certificate, query.get("ssl_keyfile"))
    return context
