"""How a pair is quoted: spread, size and frequency from the liquidity of its two currencies.

The rule. Every currency is of a class; a class adds its half of the full spread, in basis points of the mid (a pip of
EUR/USD at 1.11 is 0.9 bp; basis points also suit pairs whose pip says little, as USD/IDR). A pair is dealt in the size
of its less liquid currency, and quoted in proportion to that class's weight.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass


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


def round_size(quantity: float) -> float:
    """A quantity as dealers say it: one significant digit, at least 1."""
    if quantity <= 1.0:
        return 1.0
    step = 10.0 ** math.floor(math.log10(quantity))
    return round(quantity / step) * step


def two_sided(mid: float, spread_bp: float, precision: int) -> tuple[float, float]:
    """Bid and ask around a mid, at `precision` decimal places, at least one step of price apart.

    The bid is rounded down and the ask up, so that bid ≤ mid ≤ ask always holds: pairs whose mids are consistent can
    then never be traded around a triangle at a profit. The bid stays positive.
    """
    half = mid * spread_bp * 0.5e-4
    scale = 10.0**precision
    bid_steps = math.floor((mid - half) * scale)
    ask_steps = max(math.ceil((mid + half) * scale), bid_steps + 1)
    # Division by a power of ten is correctly rounded: the double nearest to the decimal price.
    return max(bid_steps, 1) / scale, max(ask_steps, 2) / scale


class Rotation:
    """Which pair is quoted next: each in proportion to its weight, evenly spread, always in the same order.

    Stride scheduling (Waldspurger and Weihl 1995): the pair with the least passed time comes next and passes
    1 / weight of it.
    """

    def __init__(self, weights: dict[str, int]) -> None:
        self._stride = {name: 1.0 / weight for name, weight in weights.items()}
        self._queue = [(stride, name) for name, stride in self._stride.items()]
        heapq.heapify(self._queue)

    def __len__(self) -> int:
        return len(self._queue)

    def take(self, count: int) -> list[str]:
        """The next `count` pairs, each at most once."""
        chosen = [heapq.heappop(self._queue) for _ in range(min(count, len(self._queue)))]
        for passed, name in chosen:
            heapq.heappush(self._queue, (passed + self._stride[name], name))
        return [name for _, name in chosen]
