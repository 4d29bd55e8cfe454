"""From words that somebody typed to words that tools are found by.

What is typed stands for itself, with and without the s of a plural. If that is no word,
it stands for words that begin with it; if there are none, for those it may have been
meant to be.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from django.db import connection

# Below this a beginning says too little.
SHORTEST_BEGINNING = 3
MOST_ENDINGS = 6
MOST_NEAR = 24
MEANT = 3
LIKENESS = 0.7

KNOWN = """
SELECT typed.number, known.word
FROM unnest(%s::text[]) WITH ORDINALITY AS typed (word, number)
JOIN catalog_word AS known ON known.word = ANY(
    CASE WHEN typed.word LIKE '____%%s'
    THEN ARRAY[typed.word, left(typed.word, -1)]
    ELSE ARRAY[typed.word, typed.word || 's'] END
)
"""
BEGUN = """
SELECT typed.number, known.word
FROM unnest(%s::text[]) WITH ORDINALITY AS typed (word, number), LATERAL (
    SELECT found.word FROM catalog_word AS found
    WHERE length(typed.word) >= %s
    AND found.word ~>=~ typed.word AND found.word ~<~ (typed.word || U&'\\+10FFFF')
    ORDER BY length(found.word), found.word LIMIT %s
) AS known
"""
NEAR = """
SELECT typed.number, known.word
FROM unnest(%s::text[]) WITH ORDINALITY AS typed (word, number), LATERAL (
    SELECT found.word FROM catalog_word AS found WHERE found.word %% typed.word
    ORDER BY similarity(found.word, typed.word) DESC, found.word LIMIT %s
) AS known
UNION
SELECT swapped.number, known.word
FROM unnest(%s::text[], %s::int[]) AS swapped (word, number)
JOIN catalog_word AS known ON known.word = swapped.word
"""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One typed word: `words` it stands for, all of them corrections or none."""

    typed: str
    words: tuple[str, ...]
    corrected: bool = False


def understand(typed: list[str]) -> list[Meaning]:
    """One meaning a word, in their order; without `words` where nothing is like it."""
    found = dict(zip(typed, _asked(KNOWN, typed, []), strict=True))
    unknown = [word for word in typed if not found[word]]
    found |= zip(unknown, _begun(unknown), strict=True)
    strange = {word for word in unknown if not found[word]}
    found |= zip(strange, _near([*strange]), strict=True)
    return [
        Meaning(word, tuple(_likeliest(word, found[word])), corrected=True)
        if word in strange
        else Meaning(word, tuple(sorted(found[word])))
        for word in typed
    ]


def _begun(unknown: list[str]) -> list[list[str]]:
    return _asked(BEGUN, unknown, [SHORTEST_BEGINNING, MOST_ENDINGS])


def _near(strange: list[str]) -> list[list[str]]:
    """By parts of three letters, and with two neighbours swapped: of the commonest
    slip in a short word hardly a part of three is left."""
    swaps = [
        (word[:at] + word[at + 1] + word[at] + word[at + 2 :], number)
        for number, word in enumerate(strange, 1)
        for at in range(len(word) - 1)
    ]
    words, numbers = [list(each) for each in zip(*swaps, strict=True)] or [[], []]
    return _asked(NEAR, strange, [MOST_NEAR, words, numbers])


def _likeliest(word: str, near: list[str]) -> list[str]:
    return difflib.get_close_matches(word, near, n=MEANT, cutoff=LIKENESS)


def _asked(sql: str, typed: list[str], more: list[Any]) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in typed]
    if typed:
        with connection.cursor() as cursor:
            cursor.execute(sql, [typed, *more])
            for number, word in cursor.fetchall():
                found[number - 1].append(word)
    return found
