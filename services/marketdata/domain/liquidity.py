"""How a pair is quoted: spread, size and frequency from the liquidity of its two currencies.

The rule. Every currency is of a class; a class adds its half of the full spread, in basis points of the mid (a pip of
EUR/USD at 1.11 is 0.9 bp; basis points also suit pairs whose pip says little, as USD/IDR). A pair is dealt in the size
of its less liquid currency, and quoted in proportion to that class's weight.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LiquidityClass:
    """One class of currencies.

    Attributes:
        spread_bp: what a currency of the class adds to the full spread, basis points of the mid.
        notional: size of a quote in units of the numeraire, here EUR.
        weight: how often its pairs are quoted, relative to the other classes.
    """

    name: str
    spread_bp: float
    notional: float
    weight: int


RESERVE = LiquidityClass("reserve", 0.25, 10e6, 8)
MAJOR = LiquidityClass("major", 0.4, 5e6, 6)
MINOR = LiquidityClass("minor", 1.5, 2e6, 3)
EMERGING = LiquidityClass("emerging", 4.0, 1e6, 2)
EXOTIC = LiquidityClass("exotic", 10.0, 500e3, 1)

_CODES = {
    RESERVE: "EUR USD",
    MAJOR: "AUD CAD CHF GBP JPY NZD",
    MINOR: "DKK HKD NOK SEK SGD",
    EMERGING: "CNY CZK HUF ILS MXN PLN ZAR",
}
CLASSES = {code: c for c, codes in _CODES.items() for code in codes.split()}


def liquidity_class(currency: str) -> LiquidityClass:
    """The class of a currency; `exotic` for those that the table does not name."""
    return CLASSES.get(currency, EXOTIC)


@dataclass(frozen=True, slots=True)
class Terms:
    """How one pair is quoted: full spread in basis points of the mid, size in the numeraire, frequency."""

    spread_bp: float
    notional: float
    weight: int


def terms(base: str, counter: str) -> Terms:
    """The terms of a pair; the same for both directions."""
    first, second = liquidity_class(base), liquidity_class(counter)
    lesser = min(first, second, key=lambda c: c.notional)
    return Terms(first.spread_bp + second.spread_bp, lesser.notional, lesser.weight)


def round_size(quantity: Floats) -> Floats:
    """Quantities as dealers say them: one significant digit, at least 1. Any shape."""
    quantity = np.maximum(quantity, 1.0)
    step = 10.0 ** np.floor(np.log10(quantity))
    return np.rint(quantity / step) * step


def two_sided(mid: Floats, spread_bp: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Bids and asks around mids, at least one step of price apart; any shape.

    The bid is rounded down and the ask up, so that bid ≤ mid ≤ ask always holds: pairs whose mids are consistent can
    then never be traded around a triangle at a profit. The bid stays positive.

    Args:
        mid: units of the counter currency per unit of the base currency.
        spread_bp: full spread, basis points of the mid.
        scale: steps of price in a unit, a power of ten.
    """
    half = mid * spread_bp * 0.5e-4
    bid_steps = np.floor((mid - half) * scale)
    ask_steps = np.maximum(np.ceil((mid + half) * scale), bid_steps + 1)
    # Division by a power of ten is correctly rounded: the double nearest to the decimal price.
    return np.maximum(bid_steps, 1) / scale, np.maximum(ask_steps, 2) / scale


QUIET_EXPONENT = 0.25
"""What a pair beyond the majors does with activity that is missing: half of it is a spread 1.19 times as wide."""


def quiet_spread(base: str, counter: str, activity: float) -> float:
    """Multiplier of a pair's spread for how active it is, 1 being the mean of its day; 1 for pairs of majors."""
    if terms(base, counter).notional >= MAJOR.notional:
        return 1.0
    return float(np.clip(activity, 0.1, 10.0) ** -QUIET_EXPONENT)


class Rotation:
    """Which pair is quoted next: each in proportion to its weight, evenly spread, always in the same order.

    Stride scheduling (Waldspurger and Weihl 1995): the pair with the least passed time comes next and passes
    1 / weight of it. With whole weights the order repeats after as many turns as they have together.

    Attributes:
        names: the pairs, ascending; turns are indices into them.
        gap: fewest turns from one of a pair to its next.
    """

    def __init__(self, weights: dict[str, int]) -> None:
        self.names = tuple(sorted(weights))
        whole = math.lcm(*weights.values()) if weights else 1
        strides = [whole // weights[name] for name in self.names]
        queue = [(stride, index) for index, stride in enumerate(strides)]
        heapq.heapify(queue)
        order = []
        for _ in range(sum(weights.values())):
            passed, index = queue[0]
            heapq.heapreplace(queue, (passed + strides[index], index))
            order.append(index)
        self._order = np.array(order, dtype=np.intp)
        self._next = 0
        places = [np.flatnonzero(self._order == index) for index in range(len(self.names))]
        self.gap = min((int(np.diff(p, append=p[0] + len(order)).min()) for p in places), default=1)

    def __len__(self) -> int:
        return len(self.names)

    def take(self, count: int) -> NDArray[np.intp]:
        """The next `count` turns; none if there is no pair."""
        if not len(self._order):
            return self._order
        turns = self._order[np.arange(self._next, self._next + count) % len(self._order)]
        self._next = (self._next + count) % len(self._order)
        return turns
