"""Depth behind a simulated quote: further levels on each side, larger with distance, moving with the price.

The rule. The quote is the top of its book. Behind it liquidity stands on a grid of absolute prices whose step is
about half of the pair's usual spread, rounded down to 1, 2 or 5 times a power of ten of the smallest step of price.
How much stands at a grid price is the quote's size times what its rank adds (half of it more for every two ranks)
times a factor between 0.5 and 1.5 that is drawn for that price and kept for some 20 s. So a move of the quote leaves
most levels where they are, as in a book of resting orders, and changes come as single levels.

Draws are a hash (the finaliser of SplitMix64, Steele, Lea and Flood 2014) of seed, pair, side, price and time: any
instance makes the same book of the same quote.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from services.marketdata.domain import liquidity

KEPT_S = 20
RANKS_PER_STEP = 2
_MASK = (1 << 64) - 1

Levels = list[tuple[float, float]]
"""Prices and quantities, best first."""


@dataclass(frozen=True, slots=True)
class Top:
    """The quote in front: prices, and the quantities that they are good for."""

    bid: float
    ask: float
    bid_quantity: float
    ask_quantity: float


class Depth:
    """Books of one pair.

    Args:
        base, counter: the pair.
        precision: decimal places of its prices.
        levels: levels of a side, the quote among them.
        seed: of the simulated market.
    """

    def __init__(self, base: str, counter: str, precision: int, levels: int, seed: int) -> None:
        self._spread = liquidity.terms(base, counter).spread_bp * 1e-4
        self._scale = 10.0**precision
        self._levels = levels
        name = hashlib.blake2b(f"{base}/{counter}".encode(), digest_size=8).digest()
        self._key = (int.from_bytes(name) ^ seed) & _MASK

    def book(self, top: Top, now_ns: int) -> tuple[Levels, Levels]:
        """The levels behind and with a quote: bids and asks, best first. Prices stay positive."""
        step = grid_step(0.5 * (top.bid + top.ask) * self._spread * 0.5 * self._scale)
        bid_steps, ask_steps = round(top.bid * self._scale), round(top.ask * self._scale)
        below, above = (bid_steps - 1) // step, ask_steps // step + 1
        bids, asks = [(top.bid, top.bid_quantity)], [(top.ask, top.ask_quantity)]
        for rank in range(self._levels - 1):
            if below - rank > 0:
                price = (below - rank) * step
                bids.append((price / self._scale, self._quantity(2 * price, rank, top.bid_quantity, now_ns)))
            price = (above + rank) * step
            asks.append((price / self._scale, self._quantity(2 * price + 1, rank, top.ask_quantity, now_ns)))
        return bids, asks

    def _quantity(self, place: int, rank: int, size: float, now_ns: int) -> float:
        drawn = _mixed(self._key + place)
        # Each price has its own moments of change.
        turn = (now_ns + drawn % (KEPT_S * 1_000_000_000)) // (KEPT_S * 1_000_000_000)
        factor = 0.5 + _mixed(drawn + turn) / 2.0**64
        return liquidity.round_size(size * (1.0 + 0.5 * (rank // RANKS_PER_STEP + 1)) * factor)


def grid_step(steps: float) -> int:
    """The largest of 1, 2, 5, 10, 20, 50 … that is not above a number of price steps; at least 1."""
    if steps < 2.0:
        return 1
    ten = 10 ** math.floor(math.log10(steps))
    return next(m * ten for m in (5, 2, 1) if m * ten <= steps)


def _mixed(value: int) -> int:
    """64 bits that look independent of those of neighbouring values."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
