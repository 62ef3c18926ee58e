"""Decimals of the contract as whole numbers: quantities in 1/10000 of the base unit, prices in ticks."""

from __future__ import annotations

from decimal import Decimal

QUANTITY_UNIT = 10_000


def quantity_of(text: str) -> int:
    """A quantity of the contract; 0 for an empty one."""
    return int(Decimal(text) * QUANTITY_UNIT) if text else 0


def quantity_text(quantity: int) -> str:
    """A quantity as the contract has it."""
    whole, part = divmod(quantity, QUANTITY_UNIT)
    return f"{whole}.{part:04d}".rstrip("0") if part else str(whole)


def price_text(price: Decimal) -> str:
    """A price as the contract has it: no exponent, no zeros behind."""
    text = f"{price:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
