"""Decimals as integers. Quantities, money, basis points, shares and counts are in ten-thousandths of their unit."""

from __future__ import annotations

SCALE = 10_000
"""Units of an integer in one of what it counts: quantities, money, basis points, shares, counts."""
PRICE_SCALE = 10_000_000_000
"""Units of an integer price in one unit of the counter currency."""
FINE_SCALE = SCALE * PRICE_SCALE
"""Units of an amount that is a quantity times a price, exact."""
RATE_SCALE = 1_000_000_000_000
"""Units of a conversion rate: reporting currency per unit of a currency."""
_FINE_PLACES = 14
_ZEROS = "0" * _FINE_PLACES


def quantity_of(text: str) -> int:
    """A decimal with at most four places, in ten-thousandths; empty is 0.

    Raises:
        ValueError: it is none.
    """
    whole, dot, part = text.partition(".")
    if not dot:
        return int(whole or "0") * SCALE
    return _joined(whole, part, 4)


def price_of(text: str) -> int:
    """A price with at most ten places; empty is 0.

    Raises:
        ValueError: it is none.
    """
    whole, dot, part = text.partition(".")
    if not dot:
        return int(whole or "0") * PRICE_SCALE
    return _joined(whole, part, 10)


def fine_of(text: str) -> int:
    """An amount with at most fourteen places; empty is 0.

    Raises:
        ValueError: it is none.
    """
    whole, dot, part = text.partition(".")
    if not dot:
        return int(whole or "0") * FINE_SCALE
    return _joined(whole, part, _FINE_PLACES)


def _joined(whole: str, part: str, places: int) -> int:
    if len(part) > places:
        if part[places:].strip("0"):
            raise ValueError(f"more than {places} decimal places")
        part = part[:places]
    return int(whole + part + _ZEROS[: places - len(part)])


def text_of(value: int) -> str:
    """Ten-thousandths as a decimal, without places where there are none."""
    whole, part = divmod(value, SCALE)
    if not part:
        return str(whole)
    if value < 0:
        whole, part = divmod(-value, SCALE)
        return f"-{whole}.{part:04d}"
    return f"{whole}.{part:04d}"


def price_text(value: int) -> str:
    """A price as a decimal without trailing zeros."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    whole, part = divmod(value, PRICE_SCALE)
    return f"{sign}{whole}.{part:010d}".rstrip("0").rstrip(".")
