"""Decimals of a contract as whole numbers of a book, exactly, and back."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from crossrate.exchange.order import PRICE_MAX, QUANTITY_MAX


class OffGrid(ValueError):
    """A price or quantity that is no multiple of its increment, or out of range; the text has both."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The increments of an instrument.

    Attributes:
        tick: of prices, in units of the counter currency per unit of the base, e.g. 0.00001.
        unit: of quantities, in the base currency, e.g. 1 or 0.01.
    """

    tick: Decimal
    unit: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        for name in ("tick", "unit"):
            value = getattr(self, name)
            if not (value.is_finite() and value > 0):
                raise ValueError(f"{name} is {value}: it must be above zero")

    def ticks(self, price: Decimal) -> int:
        """A price in ticks.

        Raises:
            OffGrid: it is no multiple of the tick, or not from 1 to 2**40 ticks.
        """
        return _whole("price", price, self.tick, PRICE_MAX)

    def units(self, quantity: Decimal) -> int:
        """A quantity in units.

        Raises:
            OffGrid: it is no multiple of the unit, or not from 1 to 2**40 units.
        """
        return _whole("quantity", quantity, self.unit, QUANTITY_MAX)

    def price(self, ticks: int) -> Decimal:
        """Ticks as a price."""
        return ticks * self.tick

    def quantity(self, units: int) -> Decimal:
        """Units as a quantity."""
        return units * self.unit


def _whole(name: str, value: Decimal, increment: Decimal, most: int) -> int:
    if not value.is_finite() or not 0 < value <= most * increment:
        raise OffGrid(f"{name} is {value}: it must be above zero and at most {most * increment}")
    count, rest = divmod(value, increment)
    if rest:
        raise OffGrid(f"{name} is {value}: it must be a multiple of {increment}")
    return int(count)
