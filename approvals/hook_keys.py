"""What a hook keeps sealed: where it leads, and the key that signs what is sent.

The address is sealed too: whoever holds a Slack webhook's may post to its channel.
`Hook.url` is what pages show of it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import NamedTuple
from urllib.parse import urlsplit

import orjson

from approvals.models import Hook
from servers import vault

TABLE, COLUMN = "approvals_hook", "secret"
PREFIX = "plw_"


class Sealed(NamedTuple):
    """`key` is empty for Slack, which checks no signature."""

    url: str
    key: str


def seal(hook: Hook, url: str) -> str:
    """Sets the row's sealed columns and what is shown; returns its new key."""
    signs = hook.format == Hook.Format.JSON
    key = PREFIX + secrets.token_urlsafe(32) if signs else ""
    hook.url = shown(url, hook.format)
    sealed = orjson.dumps({"url": url, "key": key})
    hook.key_id, hook.secret = vault.seal(
        hook.organization_id, TABLE, COLUMN, hook.pk, sealed
    )
    return key


def unseal(hook: Hook) -> Sealed:
    """Raises `vault.VaultError`."""
    sealed = bytes(hook.secret)
    opened = vault.open(
        hook.organization_id, TABLE, COLUMN, hook.pk, hook.key_id, sealed
    )
    return Sealed(**orjson.loads(opened))


def shown(url: str, format: str) -> str:
    """Of Slack's addresses the path is the secret; of others the query may be one."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if format == Hook.Format.SLACK:
        return f"{origin}/…"
    return origin + parts.path + ("?…" if parts.query else "")


def sign(key: str, timestamp: int, body: bytes) -> str:
    """The header `PolicyLayer-Signature`; v1 is HMAC-SHA256 over "<t>.<body>"."""
    signed = b"%d.%b" % (timestamp, body)
    digest = hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def rewrap_all() -> int:
    """Every hook under the current master key; how many had another."""
    changed = 0
    for row in Hook.objects.across_organizations().iterator():
        key_id, sealed = vault.rewrap(
            row.organization_id, TABLE, COLUMN, row.pk, row.key_id, bytes(row.secret)
        )
        if key_id != row.key_id:
            rows = Hook.objects.for_organization(row.organization_id)
            changed += rows.filter(pk=row.pk).update(key_id=key_id, secret=sealed)
    return changed
