"""Random numbers that are counted, not drawn: a number is a function of seed, purpose, order and place alone.

So what happens to one order does not depend on which others came before it, and a run that is changed in one place
stays the same everywhere else. Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011), as `crossrate.kernel.random.words`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from statistics import NormalDist

_M0, _M1, _W0, _W1, _LOW = 0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85, 0xFFFFFFFF
_NORMAL = NormalDist()


class Purpose(IntEnum):
    """What a number is for: each is independent of the others."""

    LATENCY_IN = 1
    LATENCY_OUT = 2
    REJECT = 3
    SLIPPAGE = 4
    PARTIAL = 5
    PARTIAL_SHARE = 6
    LAST_LOOK = 7
    # What a venue does wrong when it is told to; the exchange itself never does.
    LOSE_REPORT = 101
    REPEAT_REPORT = 102
    ALTER_QUANTITY = 103
    ALTER_PRICE = 104
    ALTER_SIDE = 105
    LOSE_COPY = 106
    LOSE_BOTH = 107
    LOSE_END = 108
    FALSE_END = 109
    BY_HAND = 110


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Ten rounds over four words of 32 bits."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = c0 * _M0, c2 * _M1
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & _LOW, (p0 >> 32) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@dataclass(frozen=True, slots=True)
class Chance:
    """The numbers of one seed, 0 to 2**64 - 1."""

    seed: int

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 1 << 64:
            raise ValueError(f"seed is {self.seed}: it must be from 0 to 2^64 - 1")

    def uniform(self, purpose: Purpose, order: int, place: int = 0) -> float:
        """A number in (0, 1), never 0 nor 1, in steps of 2**-52.

        Args:
            order: the order's id; of one out of range its 64 lowest bits count.
            place: which number of that order and purpose, counted modulo 2**32.
        """
        counter = (order & _LOW, order >> 32 & _LOW, place & _LOW, int(purpose))
        high, low, _, _ = philox(counter, (self.seed & _LOW, self.seed >> 32))
        return ((high << 20 | low >> 12) + 0.5) * 2.0**-52

    def happens(self, rate: float, purpose: Purpose, order: int) -> bool:
        """Whether something that happens at a rate, 0 to 1, happens to an order."""
        return rate > 0.0 and self.uniform(purpose, order) < rate


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a message is on its way: a fixed part, and a lognormal one.

    Attributes:
        fixed_ns: nanoseconds.
        median_ns: median of the random part, nanoseconds; 0 for none.
        sigma: standard deviation of its logarithm, at most 5.
        most_ns: the random part is never more.
    """

    fixed_ns: int = 0
    median_ns: int = 0
    sigma: float = 0.5
    most_ns: int = 10_000_000_000

    def __post_init__(self) -> None:
        for name in ("fixed_ns", "median_ns", "most_ns"):
            if not 0 <= getattr(self, name) <= 3_600_000_000_000:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be from 0 to an hour in nanoseconds")
        if not 0.0 <= self.sigma <= 5.0:
            raise ValueError(f"sigma is {self.sigma}: it must be from 0 to 5")

    def drawn(self, chance: Chance, purpose: Purpose, order: int, place: int) -> int:
        """The duration of one message, whole nanoseconds; arguments as of `Chance.uniform`."""
        return self.ns(chance.uniform(purpose, order, place)) if self.median_ns else self.fixed_ns

    def ns(self, uniform: float) -> int:
        """The duration at a probability of (0, 1), whole nanoseconds."""
        if not self.median_ns:
            return self.fixed_ns
        drawn = self.median_ns * math.exp(self.sigma * _NORMAL.inv_cdf(uniform))
        return self.fixed_ns + min(round(drawn), self.most_ns)
