r"""Names and globs.

`*` is any run of characters (also `/`), `?` one character, `\` takes the next
one literally; case and code points count, nothing is normalized. A pattern with
an unescaped `*` or `?` is a glob and never an exact name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import groupby

import re2

LONGEST = 128
# As many as one list may hold: each is read to be checked and again to be compiled,
# and often stands in several lists. They are short, so what is kept is little.
MOST_REMEMBERED = 2048


class Wild(Enum):
    RUN = "*"
    ONE = "?"


Token = str | Wild
Matcher = Callable[[str], bool]


class BadGlob(ValueError):
    """What is wrong, as a sentence's end."""


@dataclass(frozen=True, slots=True)
class Glob:
    """`exact` is the name where there is no wildcard; `literals` counts the
    characters that are none; equal `tokens` are the same glob."""

    text: str
    tokens: tuple[Token, ...]
    exact: str | None
    literals: int
    matches: Matcher


@lru_cache(MOST_REMEMBERED)
def parse_glob(text: str) -> Glob:
    """Raises BadGlob."""
    if not text:
        raise BadGlob("is empty")
    if len(text) > LONGEST:
        raise BadGlob(f"is longer than {LONGEST} characters")
    tokens = tuple(_tokens(text))
    literal = [token for token in tokens if isinstance(token, str)]
    exact = "".join(literal) if len(literal) == len(tokens) else None
    return Glob(text, tokens, exact, len(literal), matcher(tokens))


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    characters = iter(text)
    for character in characters:
        if character == "\\":
            following = next(characters, None)
            if following is None:
                raise BadGlob("ends with a backslash that escapes nothing")
            tokens.append(following)
        else:
            tokens.append(Wild(character) if character in "*?" else character)
    return tokens


def matcher(tokens: Sequence[Token]) -> Matcher:
    if Wild.ONE in tokens:
        return _by_regex(tokens)
    runs = [list(group) for group in _split(tokens)]
    pieces = ["".join(str(token) for token in run) for run in runs]
    if len(pieces) == 1:
        return pieces[0].__eq__
    return _by_pieces(pieces[0], pieces[1:-1], pieces[-1])


def _split(tokens: Sequence[Token]) -> list[list[Token]]:
    pieces: list[list[Token]] = [[]]
    for token in tokens:
        if token is Wild.RUN:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return pieces


def _by_pieces(first: str, middle: list[str], last: str) -> Matcher:
    """Leftmost pieces in order: linear, where a backtracking regex is not."""
    middle = [piece for piece in middle if piece]
    least = len(first) + len(last)

    def matches(name: str) -> bool:
        if len(name) < least or not (name.startswith(first) and name.endswith(last)):
            return False
        at, end = len(first), len(name) - len(last)
        for piece in middle:
            found = name.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return True

    return matches


def _by_regex(tokens: Sequence[Token]) -> Matcher:
    options = re2.Options()
    options.log_errors = False
    pattern = re2.compile("(?s)" + "".join(_regex_parts(tokens)), options)

    def matches(name: str) -> bool:
        return pattern.fullmatch(name.encode()) is not None

    return matches


def _regex_parts(tokens: Sequence[Token]) -> list[str]:
    parts: list[str] = []
    for kind, group in groupby(tokens, key=lambda token: isinstance(token, Wild)):
        if kind:
            parts.extend(".*" if token is Wild.RUN else "." for token in group)
        else:
            parts.append(re2.escape("".join(str(token) for token in group)))
    return parts
