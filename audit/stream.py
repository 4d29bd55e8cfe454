"""The recorder's side of the streams: reading from the start, trimming what is kept.

One connection, never reconnected silently: what was read on a server that is no longer
there must not be trimmed on the one that took its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.keys import records_key
from audit.rows import Fields
from policies.limits import OVERHEAD

BATCH = 500
REPLY_SECONDS = 5.0
ALL = b""

Entry = tuple[bytes, Fields]


class Streams:
    """The record streams of all shards, over one connection."""

    def __init__(self, url: str) -> None:
        # Typed loosely: the client's stubs give every reply its async form too.
        self._client: Any = redis.Redis.from_url(
            url,
            single_connection_client=True,
            socket_connect_timeout=2.0,
            socket_timeout=REPLY_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._trim = self._client.register_script(
            (Path(__file__).parent / "trim.lua").read_text()
        )

    def close(self) -> None:
        self._client.close()

    def waiting(self, shards: Iterable[int], milliseconds: int) -> list[int]:
        """The shards with entries, as soon as there is one."""
        keys = {records_key(shard).encode(): shard for shard in shards}
        streams = dict.fromkeys(keys, "0")
        found = self._client.xread(streams, count=1, block=milliseconds)
        return [keys[key] for key, _ in found]

    def first(self, shard: int) -> list[Entry]:
        found: list[Entry] = self._client.xrange(records_key(shard), count=BATCH)
        return found

    def last(self, shard: int) -> bytes | None:
        found = self._client.xrevrange(records_key(shard), count=1)
        return found[0][0] if found else None

    def holds(self, shard: int, entry: bytes) -> bool:
        return bool(self._client.xrange(records_key(shard), max=entry, count=1))

    def trim(self, shard: int, entries: Sequence[Entry]) -> None:
        """Removes these entries, which must be the first of the stream."""
        key = records_key(shard)
        given: list[bytes | int] = []
        for organization, size in _sizes(entries).items():
            given += [organization, size]
        after = _after(entries[-1][0])
        self._trim(keys=[key, f"{key}:bytes"], args=[entries[0][0], after, *given])

    def held(self, shard: int) -> int:
        """Bytes of calls that wait to be recorded."""
        return int(self._client.hget(f"{records_key(shard)}:bytes", ALL) or 0)


def _sizes(entries: Sequence[Entry]) -> dict[bytes, int]:
    """What call.lua added for these entries, by organization and for all."""
    sizes = {ALL: 0}
    for _, fields in entries:
        if b"c" in fields and b"o" in fields:
            size = len(fields[b"c"]) + OVERHEAD
            organization = fields[b"o"]
            sizes[organization] = sizes.get(organization, 0) + size
            sizes[ALL] += size
    return sizes


def _after(entry: bytes) -> str:
    milliseconds, _, number = entry.decode().partition("-")
    return f"{milliseconds}-{int(number) + 1}"
