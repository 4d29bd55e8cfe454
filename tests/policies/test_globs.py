"""Names and globs."""

from __future__ import annotations

import re

import pytest

from policies.globs import BadGlob, parse_glob
from tests.cases import cases


@cases(
    ("text", "exact", "literals"),
    [
        ("a", "a", 1),
        (r"a\*", "a*", 2),
        (r"\a", "a", 1),
        (r"\\", "\\", 1),
        ("a*", None, 1),
        ("?", None, 0),
        (r"\?*", None, 1),
    ],
)
def test_exact_names_and_literals(text, exact, literals):
    glob = parse_glob(text)
    assert (glob.exact, glob.literals) == (exact, literals)


@cases("text", ["", "a\\", "a\\\\\\", "x" * 129])
def test_refused(text):
    with pytest.raises(BadGlob):
        parse_glob(text)


def test_longest():
    assert parse_glob("x" * 128).literals == 128


PATTERNS = ["*", "a*", "*a", "a*b", "a*b*c", "*a*", "a**b", "?", "a?c", "*?b", "?*?"]
NAMES = [
    "",
    "a",
    "b",
    "ab",
    "abc",
    "aXbYc",
    "a/b/c",
    "a\nb",
    "aab",
    "😀",
    "a😀c",
    "cba",
]


@cases("text", PATTERNS)
@cases("name", NAMES)
def test_as_a_backtracking_regex_matches(text, name):
    pattern = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in text)
    wanted = re.fullmatch(pattern, name, re.DOTALL) is not None
    assert parse_glob(text).matches(name) == wanted


def test_many_stars_take_linear_time():
    glob = parse_glob("a*" * 60 + "b")
    assert not glob.matches("a" * 200_000)
