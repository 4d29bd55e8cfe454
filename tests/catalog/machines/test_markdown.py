"""Strangers' words in Markdown stay words: they begin nothing and end nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from catalog.markdown import bullets, code, document, fence, link, text
from tests.world import HOSTILE

marks = some.text(alphabet="`*_[]()<>#+-.!|~&\\:\n\r\t\u2028\u202e ab1", max_size=30)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("delete_bucket", "delete_bucket"),
        ("_a_ __b__ c_", r"\_a\_ \_\_b\_\_ c\_"),
        ("a*b", r"a\*b"),
        ("1. x", r"1\. x"),
        ("123) x 1. y", r"123\) x 1. y"),
        ("- x - y", r"\- x - y"),
        ("+ x", r"\+ x"),
        ("# x #", r"\# x \#"),
        ("a\n\n# b", r"a \# b"),
        ("[a](javascript:x)", r"\[a\](javascript:x)"),
        ("![a](b)", r"!\[a\](b)"),
        ("<b>", r"\<b\>"),
        ("&lt;", r"\&lt;"),
        ("http://a.b", r"http:\//a.b"),
        ("www.a.b", r"www\.a.b"),
        ("a@b.c", r"a\@b.c"),
        ("a | b", r"a \| b"),
        ("$a$ ~~b~~", r"\$a\$ \~\~b\~\~"),
        ("a\u202eb", "a‹U+202E›b"),
        ("x\u2028# y", r"x‹U+2028›\# y"),
        ("\\`", r"\\\`"),
        ("1,000 of 5 % (it's)", "1,000 of 5 % (it's)"),
    ],
)
def test_text(given, expected):
    assert text(given) == expected


@given(marks)
def test_nothing_in_a_text_means_anything(words):
    written = text(words)
    assert "\n" not in written and "\r" not in written
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "€", written)
    assert not re.search(r"[\\`*\[\]<>&~|$#@]|^[-+=:]|^\d+[.)]|://", bare)
    assert not re.search(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", bare)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("filter.name", "`filter.name`"),
        ("@scope/name", "`@scope/name`"),
        ("a`b", r"a\`b"),
        ("<b>", r"\<b\>"),
        ("", ""),
        ("a|b", r"a\|b"),
    ],
)
def test_code(given, expected):
    assert code(given) == expected


@given(marks)
def test_a_code_span_ends_where_it_should(words):
    written = code(words)
    assert written == text(words) or written.count("`") == 2
    assert "\n" not in written


@given(marks)
def test_a_fence_ends_where_it_should(words):
    lines = fence(words, "json").split("\n")
    marks = lines[0].removesuffix("json")
    assert set(marks) == {"`"} and len(marks) >= 3
    closing = [n for n, each in enumerate(lines) if each.strip().startswith(marks)]
    assert closing == [0, len(lines) - 2]
    assert lines[-2] == marks and lines[-1] == ""


def test_an_address_ends_where_it_should():
    assert link("a]b", "http://x/<y> z\n>") == (r"[a\]b](<http://x/%3Cy%3E%20z%0A%3E>)")


def test_blocks_stand_apart():
    assert document("# a\n", "", bullets(["b", "c"]), "d") == "# a\n\n- b\n- c\n\nd\n"


def test_hostile_names_are_inert():
    for written in (text(HOSTILE), code(HOSTILE), link(HOSTILE, "/x")):
        assert "\u202e" not in written and "\u200f" not in written
        assert "<script>" not in written
