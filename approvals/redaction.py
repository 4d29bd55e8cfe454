"""What of a call's arguments a mail may show: one row for each value.

A mailbox keeps what it is sent, on servers that are not ours; the request's page shows
all of it. Hidden is what one of these says is secret:

    a name on the way to it   password, apiKey, card-number ... or the organization's
    the tool's schema         format "password", writeOnly, contentEncoding
    the value itself          tokens, JWTs, PEM, card numbers, what looks random

Of a hidden value only its kind is told: a digest would give a short one away to whoever
tries them all. A long value that is not secret is told by length and SHA-256. What is
left out is always said. Pure.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from accounts.secret_looks import looks_secret
from accounts.secret_names import joined, secret_name, words
from approvals.schema_hints import Schemas, is_secret, of_item, of_property, of_root

MOST_ROWS = 40
LONGEST_TEXT, LONGEST_KEY, LONGEST_PATH = 200, 60, 200
DIGEST_DIGITS = 16

PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Row(NamedTuple):
    """`path` as in `customer.addresses[0].city`; `shown` is JSON, or empty where
    `note` says what stands there. Both may hold any character."""

    path: str
    shown: str
    note: str


class Redacted(NamedTuple):
    """`left_out` values stand in no row; `hidden` is how many rows hide something."""

    rows: tuple[Row, ...]
    left_out: int
    hidden: int


class Value(NamedTuple):
    path: str
    value: Any
    why: str  # it is hidden; empty where it may be shown


def redact(arguments: Any, schema: Any, keys: Iterable[str] = ()) -> Redacted:
    """`arguments`: parsed JSON; `schema`: the tool's inputSchema, or None; `keys`: the
    organization's own names, whose values are never shown."""
    own = frozenset(joined(key) for key in keys) - {""}
    rows: list[Row] = []
    left_out = 0
    for value in _values("", arguments, of_root(schema), own):
        if len(rows) < MOST_ROWS:
            rows.append(_row(value))
        else:
            left_out += 1
    return Redacted(tuple(rows), left_out, sum(bool(row.note) for row in rows))


def _values(
    path: str, value: Any, schemas: Schemas, own: frozenset[str]
) -> Iterator[Value]:
    """Every value that holds no others, and every one that is hidden as a whole."""
    if is_secret(schemas):
        yield Value(path, value, "the tool's schema marks it")
    elif isinstance(value, dict) and value:
        for key, below in value.items():
            step = _step(path, key)
            if why := _named(key, own):
                yield Value(step, below, why)
            else:
                yield from _values(step, below, of_property(schemas, key), own)
    elif isinstance(value, list) and value and not _is_plain(value, schemas):
        for place, below in enumerate(value):
            items = of_item(schemas, place)
            yield from _values(f"{path}[{place}]", below, items, own)
    else:
        yield Value(path, value, "")


def _is_plain(value: list[Any], schemas: Schemas) -> bool:
    """A short list of texts and numbers, none of them secret: one row is enough."""
    if any(isinstance(each, dict | list) for each in value):
        return False
    if len(value) > LONGEST_TEXT or len(_json(value)) > LONGEST_TEXT:
        return False
    return not any(
        is_secret(of_item(schemas, place)) or _looks("", each)
        for place, each in enumerate(value)
    )


def _named(key: str, own: frozenset[str]) -> str:
    if joined(key) in own:
        return "your organization's rule"
    return "its name" if secret_name(key) else ""


def _looks(path: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value)
    name = words(re.split(r"[.\[]", path)[-1])
    return "it looks like a secret" if looks_secret(text, name[-1:]) else ""


def _step(path: str, key: str) -> str:
    if looks_secret(key) or len(key) > LONGEST_KEY:
        said = f"‹{_length(key)}, {_digest(key)}›" if not looks_secret(key) else ""
        return f"{path}[{said or '‹a name that looks like a secret›'}]"
    if PLAIN_KEY.fullmatch(key):
        return f"{path}.{key}" if path else key
    return f"{path}[{_json(key)}]"


def _row(value: Value) -> Row:
    path = _fitting(value.path or "arguments")
    if why := value.why or _looks(value.path, value.value):
        return Row(path, "", f"hidden ({why}): {_kind(value.value)}")
    text = _json(value.value)
    if len(text) <= LONGEST_TEXT:
        return Row(path, text, "")
    told = value.value if isinstance(value.value, str) else text
    return Row(path, "", f"long: {_length(told)}, {_digest(told)}")


def _fitting(path: str) -> str:
    if len(path) <= LONGEST_PATH:
        return path
    half = LONGEST_PATH // 2
    return f"{path[:half]} ‹{len(path) - 2 * half:,} left out› {path[-half:]}"


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object of {_count(len(value), 'value')}"
    if isinstance(value, list):
        return f"a list of {_count(len(value), 'value')}"
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true or false"
    return "a text" if isinstance(value, str) else "a number"


def _length(text: str) -> str:
    return f"{len(text):,} characters"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _digest(text: str) -> str:
    whole = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"SHA-256 {whole[:DIGEST_DIGITS]}…"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
