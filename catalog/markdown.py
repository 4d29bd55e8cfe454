r"""CommonMark that holds strangers' words: they stay words.

A backslash takes the meaning of any ASCII punctuation mark (CommonMark 0.31, 2.4).
Escaped is what means something within a line, in CommonMark or in GitHub's additions
(tables, strikethrough, mathematics, bare links), and at the beginning of a text what
would begin a block there. What comes from the catalogue is one line, so there is no
other beginning. A fence is longer than any run of its mark inside.

    text("a*b")        a\*b
    code("a_b")        `a_b`
    fence('{"a": 1}', "json")
    link("a]b", url)   [a\]b](<url>)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from catalog.plain import line

SHORTEST_FENCE = 3
MARKS = re.compile(
    r"""
    ^(?P<number>\d+)(?=[.)])[.)]    # begins a list, as the next do
    | ^[-+=:]
    | [\\`*\[\]<>&~|$#@]            # wherever it stands
    | (?<![^\W_])_ | _(?![^\W_])    # emphasis, but not within a word
    | /(?=/) | (?<=www)\.           # bare links
    """,
    re.VERBOSE | re.IGNORECASE,
)
TICKS = re.compile("`+")
TIDY = re.compile(r"[\w.:/@%+=, -]*\w")
# What an address may hold as it is; anything else is encoded, angle brackets too.
IN_ADDRESS = ":/?#[]@!$&'()*+,;=~%-._"


def text(words: object) -> str:
    """Plain words."""
    return MARKS.sub(_escaped, line(words))


def _escaped(found: re.Match[str]) -> str:
    return f"{found['number'] or ''}\\{found[0][-1]}"


def code(words: object) -> str:
    """A code span of a tidy name. No escape works in one, so any other is text."""
    said = line(words)
    return f"`{said}`" if TIDY.fullmatch(said) else text(said)


def fence(block: str, language: str = "") -> str:
    marks = "`" * max(SHORTEST_FENCE, _longest(block) + 1)
    end = "" if block.endswith("\n") else "\n"
    return f"{marks}{language}\n{block}{end}{marks}\n"


def link(words: object, address: str) -> str:
    return f"[{text(words)}](<{quote(address, safe=IN_ADDRESS)}>)"


def bullets(lines: Iterable[str]) -> str:
    """Of lines that are Markdown already."""
    return "".join(f"- {each}\n" for each in lines)


def document(*blocks: str) -> str:
    """Blocks, an empty line between each two."""
    return "\n".join(
        block if block.endswith("\n") else f"{block}\n" for block in blocks if block
    )


def _longest(words: str) -> int:
    return max((len(run) for run in TICKS.findall(words)), default=0)
