"""From pasted text to the servers that it names, stripped. Pure.

JSON with comments and trailing commas, as editors write it, or TOML as Codex does.
What is wrong is told by line and column, and never by a piece of the text: that might
be a secret.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from catalog.config_scan.stripping import Stripped, strip
from catalog.config_scan.tables import MOST_BYTES, PLACES, URLS
from policies.jsontext import scan

MOST_SERVERS, MOST_LEVELS = 100, 40
# Each takes what it began to its end, or to the text's: no place is looked at twice.
COMMENT = r"//[^\n]*|/\*.*?(?:\*/|\Z)"
TOKENS = re.compile(rf'"(?:[^"\\\n]|\\[^\n])*"?|{COMMENT}|,(?=\s*[}}\]])', re.S)
BETWEEN = re.compile(COMMENT, re.S)
TOML_AT = re.compile(r"\(at line (\d+), column (\d+)\)")
NONE_FOUND = (
    "No servers found. They stand under mcpServers, servers or mcp_servers, each with a"
    " command or a url."
)


class Unreadable(Exception):
    """`line` and `column` count from 1; 0 where it is the whole text."""

    def __init__(self, text: str, line: int = 0, column: int = 0) -> None:
        self.text, self.line, self.column = text, line, column
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"Line {self.line}, column {self.column}: " if self.line else ""
        return place + self.text


def read(text: str) -> list[Stripped]:
    """At least one server, in the order of the text. Raises Unreadable."""
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise Unreadable(f"This is larger than {MOST_BYTES // 1024} KiB.")
    if not text.strip():
        raise Unreadable("There is nothing to read yet.")
    begins = BETWEEN.sub("", text).lstrip()
    data = _json(text) if begins.startswith("{") else _toml(text)
    servers = [strip(name, entry) for name, entry in entries(data)]
    if not servers:
        raise Unreadable(NONE_FOUND)
    if len(servers) > MOST_SERVERS:
        raise Unreadable(f"At most {MOST_SERVERS} servers are read at a time.")
    return servers


def entries(data: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every server at a known place; else those of a bare map, or a bare server."""
    found = [pair for place in PLACES for pair in _at(data, place)]
    if not found and is_server(data):
        found = [("server", data)]
    if not found and isinstance(data, Mapping):
        found = [(name, each) for name, each in data.items() if is_server(each)]
    return iter(found)


def is_server(value: Any) -> bool:
    return isinstance(value, Mapping) and not {"command", *URLS}.isdisjoint(value)


def _at(data: Any, place: tuple[str, ...]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(data, Mapping):
        return
    if place:
        steps = list(data) if place[0] == "*" else [place[0]]
        for step in steps:
            yield from _at(data.get(step), place[1:])
    else:
        yield from ((str(name), e) for name, e in data.items() if is_server(e))


def _json(text: str) -> Any:
    scanned = scan(blanked(text), MOST_LEVELS)
    for problem in scanned.problems():
        if scanned.broken or problem.message.startswith("duplicate"):
            said = _said(problem.message)
            raise Unreadable(said, problem.line, problem.column)
    return scanned.data


def blanked(text: str) -> str:
    """Comments and trailing commas as spaces: every other character keeps its place."""
    plain = TOKENS.sub(lambda found: _blank(found[0]), text)
    # A comma before a comment was no trailing one until the comment was gone.
    return TOKENS.sub(lambda found: _blank(found[0]), plain)


def _blank(token: str) -> str:
    return token if token.startswith('"') else re.sub(r"[^\n]", " ", token)


def _said(message: str) -> str:
    """Without what it quotes."""
    if message.startswith("duplicate key"):
        return "The same key stands here for the second time."
    if message.startswith("expected a value"):
        return "A value is expected here."
    return f"{message[:1].upper()}{message[1:]}."


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = TOML_AT.search(str(error))
        where = (int(place[1]), int(place[2])) if place else (0, 0)
        said = "This is neither JSON, which begins with {, nor TOML."
        raise Unreadable(said, *where) from None
    except RecursionError:
        raise Unreadable("This is nested too deeply.") from None
