"""What may stand in the query of the catalogue's API: how it is read and documented.

A parameter that an address does not know, or an empty one, is refused: a misspelt
filter would show everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import QueryDict

from accounts.problems import Problem
from catalog.models import Status
from catalog.questions import Question
from servers.models import Category, Severity

PAGE, LARGEST_PAGE = 50, 200
# A cursor may hold the name of a tool, in base64.
LONGEST, LONGEST_CURSOR = 200, 6_000
Given = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """`of` turns text into a value and raises ValueError with what is wanted."""

    name: str
    of: Callable[[str], Any]
    schema: Mapping[str, Any]
    says: str


def read(query: QueryDict, parameters: tuple[Parameter, ...]) -> Given:
    """The values of those that are given, by name. Raises Problem naming the others."""
    known = {parameter.name: parameter for parameter in parameters}
    wrong, values = {}, {}
    for name, texts in query.lists():
        try:
            values[name] = _value(known.get(name), texts)
        except ValueError as error:
            wrong[name] = str(error)
    if wrong:
        mistakes = [{"parameter": name, "detail": why} for name, why in wrong.items()]
        said = " ".join(f"{name}: {why}" for name, why in wrong.items())
        raise Problem("invalid", said, errors=mistakes)
    return values


def _value(parameter: Parameter | None, texts: list[str]) -> Any:
    if parameter is None:
        raise ValueError("This address takes no such parameter.")
    if len(texts) != 1 or not texts[0]:
        raise ValueError("It is given once, and not empty.")
    return parameter.of(texts[0])


def words(text: str) -> str:
    if len(text) > LONGEST or "\0" in text:
        raise ValueError(f"It has at most {LONGEST} characters, none of them NUL.")
    return text


def question(text: str) -> str:
    if not Question(words(text)).words:
        raise ValueError("It holds no word to look for.")
    return text


def place(text: str) -> str:
    if len(text) > LONGEST_CURSOR or not text.isascii():
        raise ValueError("This cursor is none of ours.")
    return text


def one_of(values: list[str]) -> Callable[[str], str]:
    def chosen(text: str) -> str:
        if text not in values:
            raise ValueError(f"It is one of {', '.join(values)}.")
        return text

    return chosen


def size(text: str) -> int:
    number = int(text[:4]) if text.isascii() and text.isdigit() else 0
    if not 0 < number <= LARGEST_PAGE:
        raise ValueError(f"It is a number from 1 to {LARGEST_PAGE}.")
    return number


def instant(text: str) -> datetime:
    """RFC 3339. A plus sign that nobody encoded arrives as a space."""
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
        if at.tzinfo is None or len(text) < len("2026-01-01T00:00Z"):
            raise ValueError
        # Out of range for some zones: a database counts from there.
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("It is a moment such as 2026-11-21T09:30:00Z.") from None


def yes_or_no(text: str) -> bool:
    return one_of(["true", "false"])(text) == "true"


def _choice(name: str, values: list[str], says: str) -> Parameter:
    return Parameter(name, one_of(values), {"type": "string", "enum": values}, says)


def _text(name: str, says: str, of: Callable[[str], str] = words) -> Parameter:
    schema = {"type": "string", "minLength": 1, "maxLength": LONGEST}
    return Parameter(name, of, schema, says)


def _instant(name: str, says: str) -> Parameter:
    return Parameter(name, instant, {"type": "string", "format": "date-time"}, says)


Q = _text("q", "Words of the tool or its server, or beginnings of them.", question)
SERVER = _text("server", "The slug of one server.")
PUBLISHER = _text("publisher", "The slug of one publisher.")
CATEGORY = _choice("category", list(Category.values), "What the tool can do.")
SEVERITY = _choice("severity", list(Severity.values), "How bad it can get.")
STATUS = _choice("status", [Status.ACTIVE, Status.DEPRECATED], "Of the server.")
UPDATED_SINCE = _instant("updated_since", "Only what was updated then or later.")
SINCE = _instant("since", "Only changes found then or later.")
DELETED = Parameter(
    "include_deleted",
    yes_or_no,
    {"type": "boolean", "default": False},
    "Servers that were deleted too; with updated_since they always are.",
)
VERSION = _choice("version", ["latest"], "The registry has one version of each.")
SEARCH = _text("search", "A part of the server's name.")
LIMIT = Parameter(
    "limit",
    size,
    {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE},
    "How many a page has at most.",
)
CURSOR = Parameter(
    "cursor",
    place,
    {"type": "string", "minLength": 1, "maxLength": LONGEST_CURSOR},
    "Where the page before ended; `next` has it.",
)
