"""Points in time as people write them.

10m  2h  7d                  so long ago (s, m, h, d)
2026-11-21                   the start of that day, in the reader's zone
2026-11-21T09:00:00Z         RFC 3339; without an offset, in the reader's zone
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

AGO = re.compile(r"(\d{1,6})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
HOW = "Write 10m, 2h or 7d for so long ago, or a time like 2026-11-21T09:00:00Z."


def parse(text: str, zone: ZoneInfo, now: datetime | None = None) -> datetime:
    """Raises ValueError with a text for the one who wrote it."""
    text = text.strip()
    try:
        if ago := AGO.fullmatch(text):
            length = timedelta(**{UNITS[ago[2]]: int(ago[1])})
            return (now or datetime.now(UTC)) - length
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"“{text}” is no time. {HOW}") from None
