"""How commands print problems of a file."""

from __future__ import annotations

from policies.positions import Problem


def line_of(problem: Problem) -> str:
    """`line:column pointer text`: one line, whatever the keys hold."""
    place = f"{problem.line}:{problem.column}"
    said = f"{place} {problem.pointer} {problem.message}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in said)
