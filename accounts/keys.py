"""Names of an organization's keys in Valkey.

All keys of one organization carry the hash tag of its shard, so that one script
touches one cluster slot only. Pure: shared by web, gateway and recorder.
"""

from __future__ import annotations

import uuid


def tag(shard: int) -> str:
    """The hash tag of a shard, e.g. `{s07}`."""
    return f"{{s{shard:02d}}}"


def generation_key(shard: int, organization: uuid.UUID) -> str:
    return f"{tag(shard)}:generation:{organization.hex}"


def records_key(shard: int) -> str:
    """The stream of call records and outcomes of all organizations of a shard."""
    return f"{tag(shard)}:records"
