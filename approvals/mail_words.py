"""Words of a mail: names of strangers made inert, and times as people say them.

A mail has one link, ours. A name or a value may be anything that a server, a client or
an agent chose: it stays on its line, runs the way of the mail, shows what is invisible
in it, and is no link in programs that make links of what looks like one.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from accounts.templatetags.ui import visible

LONGEST, LONGEST_IN_SUBJECT = 200, 60
# Hosts end in two letters, or mostly in one of these.
ENDS = (
    *("app", "biz", "click", "cloud", "com", "dev", "edu", "gov", "info", "int"),
    *("mil", "net", "online", "org", "site", "tech", "top", "xyz", "zip"),
)
# What mail programs make links of. An address of mail is left alone: it leads to no
# page.
LINKS = re.compile(
    r"(?i)(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)|:(?=//)|(?<=www)\."
    rf"|(?<=\w)\.(?=(?:[^\W\d_]{{2}}|xn--[\w-]+|{'|'.join(ENDS)})\b)"
)
JOINER = "\u2060"
FIRST_STRONG, POP = "\u2068", "\u2069"
RIGHT_TO_LEFT = {"R", "AL", "AN"}
NO_SECONDS = 60


def line(text: object, most: int = LONGEST) -> str:
    """On one line, and what was cut is said."""
    said = str(text)
    if len(said) <= most:
        return _isolated(_seen(said))
    shown = _isolated(_seen(said[:most]))
    return f"{shown}… (the first {most} of {len(said):,} characters)"


def short(text: object, most: int = LONGEST_IN_SUBJECT) -> str:
    """For a subject: cut with an ellipsis, as the mail itself has all of it."""
    shown = _seen(str(text)[: most + 1])
    return _isolated(shown if len(shown) <= most else f"{shown[:most]}…")


def _seen(text: str) -> str:
    shown = visible(text).replace("\n", "‹U+000A›").replace("\t", "‹U+0009›")
    return LINKS.sub(lambda at: at[0] if at["mail"] else at[0] + JOINER, shown)


def _isolated(text: str) -> str:
    if any(unicodedata.bidirectional(char) in RIGHT_TO_LEFT for char in text):
        return f"{FIRST_STRONG}{text}{POP}"
    return text


def clock_time(moment: datetime, now: datetime, zone: str) -> str:
    """`14:32 Europe/Paris`, with the day where it is not today there."""
    place = _zone(zone)
    local, today = moment.astimezone(place), now.astimezone(place).date()
    day = "" if local.date() == today else f" on {local:%A} {local.day} {local:%B}"
    named = "UTC" if str(place) in {"UTC", "Etc/UTC"} else str(place)
    return f"{local:%H:%M}{day} {named}"


def time_left(moment: datetime, now: datetime) -> str:
    """`in 9 minutes`; whole minutes, never more than are left."""
    seconds = int((moment - now).total_seconds())
    if seconds < NO_SECONDS:
        return "in less than a minute"
    hours, minutes = divmod(seconds // 60, 60)
    said = [counted(hours, "hour")] if hours else []
    said += [counted(minutes, "minute")] if minutes or not hours else []
    return f"in {' '.join(said)}"


def counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
