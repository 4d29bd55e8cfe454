"""Call ids: UUIDv7 (RFC 9562), so that a record's time is in its id.

48 bits of milliseconds, then 12 bits of the millisecond's fraction (the ids of one
process sort within it), then 62 random bits.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, SafeUUID

from accounts.randomness import sixteen

# UUID's own constructor takes longer than all else here: it looks for six spellings.
_new, _set = object.__new__, object.__setattr__
_now, _number = time.time_ns, int.from_bytes
_UNKNOWN = SafeUUID.unknown
_MARKS = 7 << 76 | 0b10 << 62  # version and variant
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7() -> UUID:
    milliseconds, rest = divmod(_now(), 1_000_000)
    random = _number(sixteen(), "big") >> 66
    id = _new(UUID)
    number = milliseconds << 80 | rest * 4096 // 1_000_000 << 64 | _MARKS | random
    _set(id, "int", number)
    _set(id, "is_safe", _UNKNOWN)
    return id


def time_of(id: UUID) -> datetime:
    """The time of a call, to the millisecond, from its id."""
    return EPOCH + timedelta(milliseconds=id.int >> 80)


def first_id(at: datetime) -> UUID:
    """The smallest id of a time: what a keyset begins at."""
    return UUID(int=((at - EPOCH) // timedelta(milliseconds=1)) << 80)
