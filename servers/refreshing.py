"""Asking a stored server again what it is, now and from the beat."""

from __future__ import annotations

from accounts.keys import tag
from accounts.valkey import client
from servers import credentials, discovery, registering, vault
from servers.diagnosis import Failed
from servers.discovery import Discovery
from servers.models import Server

EVERY_SECONDS = 10


def refresh(server: Server) -> Discovery:
    """Stores what the server says. Raises `Failed`, after noting it on the server."""
    try:
        found = discovery.discover(server.url, headers_of(server))
    except Failed as failed:
        registering.note_failure(server, failed)
        raise
    registering.store(server, found)
    return found


def headers_of(server: Server) -> dict[str, str]:
    """The stored credentials in the clear. Raises `Failed` where they do not open."""
    try:
        opened = credentials.opened(credentials.of_server(server))
    except vault.VaultError as error:
        raise Failed(
            "vault", f"The stored credentials do not open: {error}", "Enter them again."
        ) from error
    return {name.decode(): value.decode() for name, value in opened}


def claim(server: Server) -> bool:
    """True at most once in 10 seconds a server, however often it is asked for."""
    key = f"{tag(server.organization.shard)}:refresh:{server.pk.hex}"
    return bool(client().set(key, b"1", nx=True, ex=EVERY_SECONDS))
