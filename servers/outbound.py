"""The only door to other hosts: resolves, checks every address, connects to it.

A name is resolved once; every address it has must pass the rules, and the connection
goes to the address that was checked, right after a second check of just that address,
so a name cannot be rebound in between. No proxies from the environment, no redirects.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Self, TypeVar

from django.conf import settings

from servers.addresses import Address, Rules, Target, literal_address
from servers.failures import Refused, Unreachable, Unresolved, Untrusted

P = TypeVar("P", bound=asyncio.BaseProtocol)
Resolve = Callable[[str, int], Awaitable[list[Address]]]
Connect = Callable[[Address, int], Awaitable[socket.socket]]
MAX_ADDRESSES = 8


async def resolve(host: str, port: int) -> list[Address]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    names = dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found)
    return [address for name in names if (address := literal_address(name))]


async def connect(address: Address, port: int) -> socket.socket:
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, (str(address), port))
    except BaseException:
        sock.close()
        raise
    return sock


@cache
def verifying_tls() -> ssl.SSLContext:
    """Built once: building it costs more than a call."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Door:
    """`resolve`, `connect` and `tls` may be given by tests."""

    def __init__(
        self,
        allow_private: bool,
        own_ports: frozenset[int] = frozenset(),
        *,
        resolve: Resolve = resolve,
        connect: Connect = connect,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.rules = Rules(allow_private, own_ports)
        self._resolve, self._connect = resolve, connect
        self._lookups: dict[str, asyncio.Future[list[Address]]] = {}
        self._tls = tls or verifying_tls()

    @classmethod
    def from_settings(cls) -> Self:
        return cls(settings.ALLOW_PRIVATE_UPSTREAMS, settings.OWN_PORTS)

    def check_url(self, url: str, owner: str = "") -> Target:
        """Raises `Refused`. `owner` keeps pooled connections of tenants apart."""
        return self.rules.check_url(url, owner)

    async def open(
        self, target: Target, protocol_factory: Callable[[], P], deadline: float
    ) -> tuple[asyncio.Transport, P]:
        """Connects within `deadline` seconds, TLS included. Raises `NotSent`."""
        try:
            async with asyncio.timeout(deadline):
                addresses = await self._addresses(target)
                sock = await self._first(addresses, target, deadline)
                return await self._speak(sock, target, protocol_factory)
        except TimeoutError:
            raise Unreachable(
                f"{target.host} did not take the connection in {deadline:g} s."
            ) from None

    async def _addresses(self, target: Target) -> list[Address]:
        literal = literal_address(target.host)
        try:
            found = [literal] if literal else await self._lookup(target)
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or error
            raise Unresolved(f"{target.host} has no address ({why}).") from None
        if not found:
            raise Unresolved(f"{target.host} has no address.")
        for address in found:
            self._check(address, target)
        return found[:MAX_ADDRESSES]

    async def _lookup(self, target: Target) -> list[Address]:
        """One lookup a name at a time: they run in few threads, which a name server
        that hangs must not fill.
        """
        host = target.host
        running = self._lookups.get(host)
        if running is None:
            running = asyncio.ensure_future(self._resolve(host, target.port))
            self._lookups[host] = running
            running.add_done_callback(lambda done: self._looked_up(host, done))
        return await asyncio.shield(running)

    def _looked_up(self, host: str, done: asyncio.Future[list[Address]]) -> None:
        del self._lookups[host]
        if not done.cancelled():
            done.exception()  # retrieved here too, as every caller may be gone

    def _check(self, address: Address, target: Target) -> None:
        try:
            self.rules.check_address(address, target.port)
        except Refused as error:
            if str(address) == target.host:
                raise
            raise Refused(f"{target.host} leads to {error.reason}") from None

    async def _first(
        self, addresses: list[Address], target: Target, deadline: float
    ) -> socket.socket:
        """The first address that answers; each has an equal share of the time."""
        reasons = []
        for address in addresses:
            self.rules.check_address(address, target.port)
            try:
                async with asyncio.timeout(deadline / len(addresses)):
                    return await self._connect(address, target.port)
            except TimeoutError:
                reasons.append(f"{address}: no answer")
            except OSError as error:
                why = os.strerror(error.errno) if error.errno else error
                reasons.append(f"{address}: {why}")
        raise Unreachable(
            f"No connection to {target.host} port {target.port} ({'; '.join(reasons)})."
        )

    async def _speak(
        self, sock: socket.socket, target: Target, factory: Callable[[], P]
    ) -> tuple[asyncio.Transport, P]:
        loop = asyncio.get_running_loop()
        try:
            return await loop.create_connection(
                factory,
                sock=sock,
                ssl=self._tls if target.tls else None,
                server_hostname=target.host if target.tls else None,
            )
        except ssl.SSLError as error:
            sock.close()
            raise Untrusted(f"TLS with {target.host} failed: {_why(error)}.") from None
        except OSError as error:
            sock.close()
            raise Unreachable(f"{target.host} closed the connection: {error}") from None
        except BaseException:
            sock.close()
            raise


def _why(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message).rstrip(".")
    return str(error.reason or error).lower().replace("_", " ")
