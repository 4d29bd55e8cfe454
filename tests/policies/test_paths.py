"""Paths that were read are remembered, in bounded room."""

from __future__ import annotations

from policies.paths import LONGEST_REMEMBERED, parse_path


def test_a_path_is_read_once() -> None:
    assert parse_path("args.once[0].read") is parse_path("args.once[0].read")


def test_a_long_path_is_not_remembered() -> None:
    """A document may hold any number of them, as long as itself."""
    long = "args." + "x" * LONGEST_REMEMBERED
    assert parse_path(long) is not parse_path(long)
    assert parse_path(long) == parse_path(long)
