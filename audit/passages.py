"""The rule that decided, inside the text of the policy that it stands in."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from policies.jsontext import scan
from policies.positions import Path

AROUND, MOST_LINES, LONGEST_LINE = 5, 60, 400
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
# Where the rules that have a name of their own are written.
NAMED = {
    "(default deny)": "/default",
    "(hidden)": "/hide",
    "(arguments)": "/validate_arguments",
}


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    text: str
    decides: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines around a rule; `rewritten` where the text was too wide to show as it is,
    `cut` where the rule goes on below."""

    lines: tuple[Line, ...]
    first: int
    last: int
    rewritten: bool
    cut: bool


def passage(text: str, rule: str) -> Passage | None:
    """None where the rule stands nowhere in this text."""
    rewritten = max(map(len, text.splitlines()), default=0) > LONGEST_LINE
    if rewritten:
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    found = _lines_of(text, NAMED.get(rule, rule))
    if found is None:
        return None
    first, last = found
    shown_last = min(last, first + MOST_LINES)
    lines = text.split("\n")
    start, end = max(first - AROUND, 0), min(shown_last + AROUND + 1, len(lines))
    return Passage(
        tuple(Line(at + 1, lines[at], first <= at <= last) for at in range(start, end)),
        first + 1,
        last + 1,
        rewritten,
        shown_last < last,
    )


def _lines_of(text: str, pointer: str) -> tuple[int, int] | None:
    """First and last line, from 0, of what the pointer names, its key included."""
    scanned = scan(text)
    path = _path(scanned.data, pointer)
    place = scanned.places.get(path) if path else None
    if place is None:
        return None
    starts = list(accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
    begin = place.key if place.key >= 0 else place.start
    return bisect_right(starts, begin) - 1, bisect_right(starts, place.end - 1) - 1


def _path(data: object, pointer: str) -> Path | None:
    """A pointer's steps, with numbers where they lead into a list."""
    if not pointer.startswith("/"):
        return None
    path: list[str | int] = []
    for step in pointer[1:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(data, list) and name.isdigit() and int(name) < len(data):
            path.append(int(name))
            data = data[int(name)]
        elif isinstance(data, dict) and name in data:
            path.append(name)
            data = data[name]
        else:
            return None
    return tuple(path)


def indented(text: str) -> str:
    """JSON text on several lines, every number and string with its own characters."""
    out: list[str] = []
    depth, last = 0, ""
    for token in TOKEN.findall(text):
        depth -= token in {"}", "]"}
        opens, closes = last in {"{", "[", ","}, token in {"}", "]"}
        if (opens or closes) and last + token not in {"{}", "[]"}:
            out.append(_break(depth))
        depth += token in {"{", "["}
        out.append(": " if token == ":" else token)
        last = token
    return "".join(out)


def _break(depth: int) -> str:
    return "\n" + "  " * depth
