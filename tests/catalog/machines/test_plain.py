from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from catalog.plain import as_json, day, line, moment, plural
from tests.world import HOSTILE


def test_json_is_exact_and_inert():
    value = {HOSTILE: ["</script><!--", "\u2028\u202e", "ü&'"], "n": [1, 0.5, None]}
    written = as_json(value)
    assert json.loads(written) == value
    assert written.isascii()
    assert "<" not in written and ">" not in written
    assert json.loads(as_json(value, indent=2)) == value


def test_json_has_no_numbers_that_json_has_not():
    with pytest.raises(ValueError):
        as_json(float("nan"))


def test_a_line_is_one_and_hides_nothing():
    assert line("a\n\tb  c\r\u2028\u202ed") == "a b c‹U+000D›‹U+2028›‹U+202E›d"


def test_words():
    assert (plural(1, "tool"), plural(2000, "tool")) == ("1 tool", "2,000 tools")
    assert plural(2, "policy", "policies") == "2 policies"


def test_moments_are_in_utc():
    there = timezone(timedelta(hours=2))
    at = datetime(2026, 11, 21, 1, 30, tzinfo=there)
    assert moment(at) == "2026-11-20T23:30:00Z"
    assert day(at) == "20 Nov 2026"
    assert (
        moment(datetime(2026, 1, 1, 0, 0, 0, 5, UTC)) == "2026-01-01T00:00:00.000005Z"
    )
