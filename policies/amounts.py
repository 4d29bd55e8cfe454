"""What a call adds to a counter, and which of its parts it adds to.

An argument that cannot be counted exactly, or by which a counter cannot be
split, raises BadAmount: the call is denied.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from policies.numbers import (
    AMOUNT_BOUND,
    DECIMAL_STRING,
    DIGIT_SHARE,
    MILLION,
    exact,
    is_number,
    millionths,
    plain_digits,
)
from policies.paths import parse_path
from policies.reading import Reading, all_reader, one_reader

LONGEST_BY = 256
BY_BYTES = 16


class BadAmount(Exception):
    """The `sum` or `by` argument of a limit is none that can be counted."""


def sum_reader(text: str, decimal: bool) -> Callable[[Reading], int]:
    """The sum of the values there in millionths."""
    path = parse_path(text)
    if not path.starred:
        return _one_amount(one_reader(path), decimal)
    read = all_reader(path)

    def total(r: Reading) -> int:
        amount = 0
        for value in read(r):
            amount += _amount(value, decimal, r)
            if amount >= AMOUNT_BOUND:
                raise BadAmount
        return amount

    return total


def _one_amount(
    read: Callable[[Reading], object], decimal: bool
) -> Callable[[Reading], int]:
    def total(r: Reading) -> int:
        r.count(1)
        return _amount(read(r), decimal, r)

    return total


def _amount(value: object, decimal: bool, r: Reading) -> int:
    """Less than AMOUNT_BOUND, as `millionths` sees to."""
    if type(value) is int and 0 <= value < AMOUNT_BOUND // MILLION:
        return value * MILLION
    digits = repr(value) if type(value) is float else "e"
    if "e" in digits or "n" in digits:
        digits = _digits(value, decimal, r)
    amount = millionths(digits)
    if amount is None:
        raise BadAmount
    return amount


def _digits(value: object, decimal: bool, r: Reading) -> str:
    if decimal and type(value) is str:
        r.scan(len(value) * DIGIT_SHARE)
        if DECIMAL_STRING.fullmatch(value):
            return value
        raise BadAmount
    number = _number(value, r)
    if number is None:
        raise BadAmount
    return plain_digits(number)


def _number(value: object, r: Reading) -> int | float | None:
    if is_number(value) and type(value) not in (int, float):
        r.scan(len(bytes(value)) * DIGIT_SHARE)  # type: ignore[call-overload]
    return exact(value)


def by_reader(text: str) -> Callable[[Reading], bytes]:
    """The first bytes of SHA-256 over the type and the value there: equal numbers
    are one value however they are written, and a string is never a number."""
    read = one_reader(parse_path(text))

    def digest(r: Reading) -> bytes:
        r.count(1)
        return sha256(_typed(read(r), r)).digest()[:BY_BYTES]

    return digest


def _typed(value: object, r: Reading) -> bytes:
    if type(value) is str:
        data = value.encode("utf-8", "surrogatepass")
        if len(data) > LONGEST_BY:
            raise BadAmount
        return b"string:" + data
    if type(value) is bool:
        return b"boolean:true" if value else b"boolean:false"
    number = _number(value, r)
    if number is None:
        raise BadAmount
    # Adding 0.0 makes -0.0 the same value as 0.
    return b"number:" + repr(float(number) + 0.0).encode()
