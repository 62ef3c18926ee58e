"""Amounts as whole numbers, so that sums and products are exact: quantities in 1/10^4 of a unit of the base currency,
prices in 1/10^10 of a unit of the counter currency, money in 1/10^14 of a unit, which is what their product has."""

from __future__ import annotations

from fractions import Fraction

QUANTITY_PLACES = 4
PRICE_PLACES = 10
MONEY_PLACES = QUANTITY_PLACES + PRICE_PLACES
BASE_UNIT = 10**PRICE_PLACES
"""Money of one unit of quantity of the base currency."""
PRICE_ONE = 10**PRICE_PLACES
"""The price 1."""


def number(text: str, places: int) -> int:
    """A decimal as a whole number of its last place: number("-1.5", 4) is -15000.

    Raises:
        ValueError: it is no decimal, or has more places that are not zero.
    """
    sign = -1 if text.startswith("-") else 1
    whole, _, fraction = text.removeprefix("-").partition(".")
    kept, rest = fraction[:places], fraction[places:]
    digits = whole + kept.ljust(places, "0")
    if not whole.isdecimal() or not digits.isdecimal() or not digits.isascii() or rest.strip("0"):
        raise ValueError(f"{text!r} is no decimal of at most {places} places")
    return sign * int(digits)


def text(value: int, places: int) -> str:
    """A whole number as a decimal, without needless zeros: text(-15000, 4) is "-1.5"."""
    whole, fraction = divmod(abs(value), 10**places)
    sign = "-" if value < 0 else ""
    tail = f"{fraction:0{places}}".rstrip("0") if places else ""
    return f"{sign}{whole}.{tail}" if tail else f"{sign}{whole}"


def quantity(decimal: str) -> int:
    """A quantity; ValueError as `number`."""
    return number(decimal, QUANTITY_PLACES)


def price(decimal: str) -> int:
    """A price; ValueError as `number`."""
    return number(decimal, PRICE_PLACES)


def money(decimal: str) -> int:
    """Money; ValueError as `number`."""
    return number(decimal, MONEY_PLACES)


def quantity_text(value: int) -> str:
    """A quantity as a decimal."""
    return text(value, QUANTITY_PLACES)


def price_text(value: int) -> str:
    """A price as a decimal."""
    return text(value, PRICE_PLACES)


def money_text(value: int) -> str:
    """Money as a decimal."""
    return text(value, MONEY_PLACES)


def divided(dividend: int, divisor: int) -> int:
    """A quotient, rounded half even."""
    return round(Fraction(dividend, divisor))


def rounded(value: int, places: int) -> int:
    """Money rounded half even to decimal places, still in units of money."""
    unit = 10 ** (MONEY_PLACES - places)
    return divided(value, unit) * unit
