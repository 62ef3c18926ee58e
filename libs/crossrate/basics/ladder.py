"""Price levels of a book's two sides, kept sorted, and what an amount costs against them.

Prices are units of the counter currency per unit of the base currency, quantities amounts of the base currency. A
price is its double: whoever fills a ladder makes equal prices of equal numbers.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Level(NamedTuple):
    """One price and the quantity that stands there, positive."""

    price: float
    quantity: float


class Side:
    """One side: bids if `descending`, else offers. A list of prices in ascending order, and a quantity for each.

    A change of a quantity is one store in a dict; a price that comes or goes also moves part of a list, which for a
    thousand levels is 8 KB of memory.
    """

    __slots__ = ("_descending", "_prices", "_quantities")

    def __init__(self, *, descending: bool) -> None:
        self._descending = descending
        self._prices: list[float] = []
        self._quantities: dict[float, float] = {}

    def __len__(self) -> int:
        return len(self._prices)

    def set(self, price: float, quantity: float) -> float:
        """Sets what stands at a price, 0 for nothing, and returns what stood there before, 0 for nothing."""
        before = self._quantities.get(price, 0.0)
        if quantity:
            if not before:
                insort(self._prices, price)
            self._quantities[price] = quantity
        elif before:
            del self._quantities[price]
            prices = self._prices
            del prices[bisect_left(prices, price)]
        return before

    def replace(self, levels: Iterable[tuple[float, float]]) -> None:
        """Puts other levels in place of all, in any order, each price once."""
        self._quantities = dict(levels)
        self._prices = sorted(self._quantities)

    def quantity(self, price: float) -> float:
        """What stands at a price; 0 for nothing."""
        return self._quantities.get(price, 0.0)

    @property
    def best(self) -> float | None:
        """The best price; None while the side is empty."""
        return self._prices[-1 if self._descending else 0] if self._prices else None

    def levels(self, depth: int = 0) -> list[Level]:
        """The best levels, best first; all for depth 0."""
        prices = self._prices
        if self._descending:
            chosen = prices[: -depth - 1 : -1] if depth else prices[::-1]
        else:
            chosen = prices[:depth] if depth else prices
        quantities = self._quantities
        return [Level(price, quantities[price]) for price in chosen]

    def cut(self, depth: int) -> list[Level]:
        """Drops the levels beyond the best `depth`, and returns them."""
        over = len(self._prices) - depth
        if over <= 0:
            return []
        prices = self._prices
        dropped = prices[:over] if self._descending else prices[depth:]
        self._prices = prices[over:] if self._descending else prices[:depth]
        return [Level(price, self._quantities.pop(price)) for price in dropped]


class Ladder:
    """Both sides of a book.

    Attributes:
        bids: what others buy at; best is the highest.
        asks: what others sell at; best is the lowest.
    """

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = Side(descending=True)
        self.asks = Side(descending=False)

    def replace(self, bids: Iterable[tuple[float, float]], asks: Iterable[tuple[float, float]]) -> None:
        """Puts other levels in place of all."""
        self.bids.replace(bids)
        self.asks.replace(asks)

    @property
    def crossed(self) -> bool:
        """Whether the best bid is above the best ask."""
        bid, ask = self.bids.best, self.asks.best
        return bid is not None and ask is not None and bid > ask


class Filled(NamedTuple):
    """How an amount fills against one side: volume-weighted average and last price (0 if nothing fills), the quantities
    that fill and that do not, and how many levels are touched."""

    average_price: float
    worst_price: float
    filled: float
    unfilled: float
    level_count: int


def fill(levels: Sequence[tuple[float, float]], quantity: float) -> Filled:
    """What filling an amount takes of one side of a book.

    Args:
        levels: prices and quantities, best first.
        quantity: the amount of the base currency, positive.
    """
    left, cost, worst, count = quantity, [], 0.0, 0
    for price, there in levels:
        taken = min(left, there)
        cost.append(taken * price)
        worst, count = price, count + 1
        left -= taken
        if left <= 0.0:
            break
    filled = quantity - left
    # An average of one price is that price, which a product and a quotient need not be.
    average = worst if count == 1 else math.fsum(cost) / filled if filled else 0.0
    return Filled(average, worst, filled, left, count)
