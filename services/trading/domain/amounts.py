"""Amounts as integers: exact, and a fraction of the time that decimals take.

A quantity counts ten-thousandths of a unit of the base currency. A price counts 10^-10 units of the counter currency
per unit of the base currency. A value, a quantity times a price, counts 10^-14 units of the counter currency.
"""

from __future__ import annotations

import re

QUANTITY_PLACES = 4
PRICE_PLACES = 10
VALUE_PLACES = QUANTITY_PLACES + PRICE_PLACES
QUANTITY_UNIT = 10**QUANTITY_PLACES
PRICE_UNIT = 10**PRICE_PLACES

_TENS = tuple(10**n for n in range(PRICE_PLACES + 1))
_DECIMAL = re.compile(r"-?[0-9]{1,18}(?:[.][0-9]{1,20})?")


def number(text: str, places: int) -> int:
    """A decimal as a count of its last place.

    Raises:
        ValueError: it is no decimal, or has more places than that other than zeros.
    """
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no decimal: write digits with at most one full stop")
    whole, _, part = text.partition(".")
    if len(part) > places:
        if part[places:].strip("0"):
            raise ValueError(f"{text} has more than {places} decimal places")
        part = part[:places]
    size = int(whole.lstrip("-") + part.ljust(places, "0"))
    return -size if whole[0] == "-" else size


def quantity(text: str) -> int:
    """A quantity from its decimal.

    Raises:
        ValueError: as in `number`.
    """
    return int(text) * QUANTITY_UNIT if text.isdecimal() else number(text, QUANTITY_PLACES)


def price(text: str) -> int:
    """A price from its decimal.

    Raises:
        ValueError: as in `number`.
    """
    whole, _, part = text.partition(".")
    if len(part) <= PRICE_PLACES and len(whole) <= 18 and (digits := whole + part).isdecimal() and whole:
        return int(digits) * _TENS[PRICE_PLACES - len(part)]
    return number(text, PRICE_PLACES)


def written(count: int, places: int) -> str:
    """A count of a last place as a decimal without needless zeros: "0", "-1.25"."""
    sign, digits = ("-", str(-count)) if count < 0 else ("", str(count))
    if len(digits) <= places:
        digits = digits.rjust(places + 1, "0")
    whole, part = digits[:-places], digits[-places:].rstrip("0")
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def quantity_text(count: int) -> str:
    """A quantity as a decimal."""
    whole, part = divmod(count, QUANTITY_UNIT)
    return str(whole) if not part else written(count, QUANTITY_PLACES)


def price_text(count: int) -> str:
    """A price as a decimal."""
    return written(count, PRICE_PLACES)


def value_text(count: int) -> str:
    """A value as a decimal."""
    return written(count, VALUE_PLACES)


def average(value: int, filled: int) -> int:
    """The average price of a value over a quantity above zero, rounded half to even."""
    whole, rest = divmod(value, filled)
    twice = 2 * rest
    return whole + (twice > filled or (twice == filled and whole % 2 == 1))
