"""The policy document: strict parse, with a position for every problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` and `column` count from 1, columns in code points."""

    pointer: str
    line: int
    column: int
    message: str


class DocumentError(Exception):
    """A document that is refused, with every problem found, by position."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p.pointer} {p.message}" for p in problems))


@dataclass(frozen=True, slots=True)
class Document:
    """`data` is decoded, `text` as written, `digest` hex SHA-256 of RFC 8785."""

    data: Mapping[str, object]
    text: str
    digest: str


def parse(text: str) -> Document:
    """Raises DocumentError."""
    raise NotImplementedError
