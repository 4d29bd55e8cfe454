"""The headers that a server is sent besides ours: entered once, never shown again."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping

from servers import vault
from servers.http_request import OURS
from servers.models import Credential, Server

TABLE, COLUMN = "servers_credential", "ciphertext"
MAX_HEADERS = 10
MAX_VALUE = 8192
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?")
# Those that carry the protocol; a fixed value would break or forge it.
RESERVED = frozenset(
    {"accept", "content-type", "last-event-id", "origin", "set-cookie"}
)


class BadHeader(ValueError):
    pass


def check_header(name: str, value: str) -> None:
    """Raises `BadHeader` with what is wrong; the value is never in the text."""
    lower = name.lower()
    if not _NAME.fullmatch(name):
        raise BadHeader(f"{name[:100]!r} is no header name.")
    if lower.encode() in OURS or lower in RESERVED or lower.startswith("mcp-"):
        raise BadHeader(f"{name} is set by the gateway itself.")
    if not value:
        raise BadHeader(f"{name} has no value.")
    if len(value) > MAX_VALUE or not _VALUE.fullmatch(value):
        raise BadHeader(
            f"The value of {name} must be printable ASCII of at most {MAX_VALUE}"
            " characters, without spaces around it."
        )


def check_headers(headers: Mapping[str, str]) -> None:
    """Raises `BadHeader`."""
    if len(headers) > MAX_HEADERS:
        raise BadHeader(f"At most {MAX_HEADERS} headers.")
    if len({name.lower() for name in headers}) < len(headers):
        raise BadHeader("A header is named twice.")
    for name, value in headers.items():
        check_header(name, value)


def replace(server: Server, headers: Mapping[str, str]) -> None:
    """Stores exactly these headers. The caller holds the transaction."""
    Credential.objects.for_organization(server.organization_id).filter(
        server=server
    ).delete()
    for name, value in headers.items():
        row = Credential(
            organization_id=server.organization_id, server=server, header=name
        )
        row.key_id, row.ciphertext = vault.seal(
            row.organization_id, TABLE, COLUMN, row.id, value.encode()
        )
        row.save()
    server.credential_id = uuid.uuid4()


def opened(rows: Iterable[Credential]) -> list[tuple[bytes, bytes]]:
    """Names in lower case with their values. Raises `vault.VaultError`."""
    return [
        (
            row.header.lower().encode(),
            vault.open(
                row.organization_id,
                TABLE,
                COLUMN,
                row.id,
                row.key_id,
                bytes(row.ciphertext),
            ),
        )
        for row in rows
    ]


def of_server(server: Server) -> list[Credential]:
    rows = Credential.objects.for_organization(server.organization_id)
    return list(rows.filter(server=server).order_by("header"))


def rewrap_all() -> int:
    """Every credential under the current master key; how many had another."""
    changed = 0
    for row in Credential.objects.across_organizations().iterator():
        key_id, ciphertext = vault.rewrap(
            row.organization_id,
            TABLE,
            COLUMN,
            row.id,
            row.key_id,
            bytes(row.ciphertext),
        )
        if key_id != row.key_id:
            # the condition: nobody stored another value meanwhile
            changed += (
                Credential.objects.across_organizations()
                .filter(pk=row.pk, key_id=row.key_id)
                .update(key_id=key_id, ciphertext=ciphertext)
            )
    return changed
