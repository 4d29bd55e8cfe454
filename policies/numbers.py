"""JSON numbers as exact decimals.

A number counts only if a double keeps it: the shortest decimal that reads back
as its double must be the number itself. Such numbers and doubles are one to
one, so they are compared as doubles; all others are of the wrong type.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from jiter import LosslessFloat

SAFE = 2**53
MILLION = 1_000_000
SURE_LENGTH = 16
# Amounts stay below this many millionths, so that counters in Valkey, which
# are doubles, add them exactly.
AMOUNT_BOUND = 9 * 10**15

# A digit that becomes part of a decimal takes as long as looking through so much text.
DIGIT_SHARE = 3
DECIMAL_STRING = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_WHOLE_DIGITS = len(str(AMOUNT_BOUND // MILLION))

Exact = int | float


def exact(value: object) -> Exact | None:
    """The number, ready to compare; None for no number or one a double changes."""
    kind = type(value)
    if kind is int:
        small = -SAFE <= value <= SAFE  # type: ignore[operator]
        return value if small else _exact_integer(value)  # type: ignore[return-value, arg-type]
    if kind is float:
        finite = float("-inf") < value < float("inf")  # type: ignore[operator]
        return value if finite else None  # type: ignore[return-value]
    if kind is LosslessFloat:
        return _exact_digits(value)  # type: ignore[arg-type]
    return None


def _exact_digits(value: LosslessFloat) -> float | None:
    digits = bytes(value)
    # A double keeps every decimal of up to 15 digits.
    if len(digits) <= SURE_LENGTH and b"e" not in digits and b"E" not in digits:
        return float(value)
    return exact_literal(digits.decode())


def is_number(value: object) -> bool:
    return type(value) in (int, float, LosslessFloat)


def exact_literal(literal: str) -> float | None:
    """A JSON number as written; None where a double would change it."""
    double = float(literal)
    if double in (float("inf"), float("-inf")):
        return None
    try:
        same = Decimal(repr(double)) == Decimal(literal)
    except InvalidOperation:
        # An exponent beyond what Decimal reads: only a zero is unchanged.
        same = double == 0 and not re.search("[1-9]", literal.lower().split("e")[0])
    return double if same else None


def _exact_integer(value: int) -> float | None:
    try:
        double = float(value)
    except OverflowError:
        return None
    return double if Decimal(repr(double)) == value else None


def plain_digits(value: Exact) -> str:
    """The shortest decimal without an exponent."""
    return format(Decimal(repr(value)), "f")


def millionths(digits: str) -> int | None:
    """`-?digits[.digits]` in integers of 10^-6; None where it cannot be counted:
    negative, more than six decimals (trailing zeros aside), or too large."""
    negative = digits.startswith("-")
    whole, _, fraction = digits.lstrip("-").partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    if len(fraction) > 6 or len(whole) > _WHOLE_DIGITS:
        return None
    amount = int(whole or "0") * MILLION + int(fraction.ljust(6, "0"))
    if (negative and amount) or amount >= AMOUNT_BOUND:
        return None
    return amount
