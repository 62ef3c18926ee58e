"""Barriers and touches in 40 digits, by the formulas as they are printed and by long series: slow, and sure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mpmath import mp, mpf

REACH = 14  # deviations; the normal distribution beyond is below 1e-43


def cumulative(x: Any) -> Any:
    """The normal distribution function, also of a complex number."""
    return mp.erfc(-x / mp.sqrt(2)) / 2


@dataclass(frozen=True)
class Exact:
    """One market in 40 digits."""

    spot: float
    time: float
    volatility: float
    domestic_rate: float
    foreign_rate: float

    @cached_property
    def deviation(self) -> Any:
        """Volatility times the root of time."""
        return mpf(self.volatility) * mp.sqrt(mpf(self.time))

    @cached_property
    def mu(self) -> Any:
        """The drift of the log spot over the variance."""
        carry = mpf(self.domestic_rate) - mpf(self.foreign_rate)
        return carry / mpf(self.volatility) ** 2 - mpf(1) / 2

    @cached_property
    def counter(self) -> Any:
        """The discount factor of the counter currency."""
        return mp.exp(-mpf(self.domestic_rate) * mpf(self.time))

    @cached_property
    def base(self) -> Any:
        """The discounted value of one unit of base."""
        return mpf(self.spot) * mp.exp(-mpf(self.foreign_rate) * mpf(self.time))

    def vanilla(self, call: bool, strike: float, level: Any = None) -> Any:
        """The option paid on one side of a level: A, and with a barrier as the level B, of Reiner and Rubinstein."""
        sign = 1 if call else -1
        x = mp.log(mpf(self.spot) / (strike if level is None else level)) / self.deviation
        x += (1 + self.mu) * self.deviation
        bought = self.base * cumulative(sign * x)
        return sign * (bought - strike * self.counter * cumulative(sign * (x - self.deviation)))

    def mirrored(self, call: bool, eta: int, strike: float, barrier: float, level: Any) -> Any:
        """C, and with the barrier as the level D, of Reiner and Rubinstein."""
        sign = 1 if call else -1
        ratio = mpf(barrier) / mpf(self.spot)
        y = mp.log(mpf(barrier) ** 2 / (mpf(self.spot) * level)) / self.deviation + (1 + self.mu) * self.deviation
        bought = self.base * ratio ** (2 * (self.mu + 1)) * cumulative(eta * y)
        sold = strike * self.counter * ratio ** (2 * self.mu) * cumulative(eta * (y - self.deviation))
        return sign * (bought - sold)

    def knock_in(self, call: bool, up: bool, strike: float, barrier: float) -> Any:
        """A knock-in without rebate (Reiner and Rubinstein 1991: four cases, each in both orders)."""
        eta = -1 if up else 1
        a, b = self.vanilla(call, strike), self.vanilla(call, strike, barrier)
        c = self.mirrored(call, eta, strike, barrier, strike)
        d = self.mirrored(call, eta, strike, barrier, barrier)
        above = strike > barrier
        if call != up:
            return (c if above else a - b + d) if call else (a - b + d if above else c)
        return (a if above else b - c + d) if call else (b - c + d if above else a)

    def survival(self, up: bool, barrier: float) -> Any:
        """The chance not to touch one barrier."""
        eta = -1 if up else 1
        x = (mp.log(mpf(self.spot) / barrier) / self.deviation + self.mu * self.deviation) * eta
        y = (mp.log(barrier / mpf(self.spot)) / self.deviation + self.mu * self.deviation) * eta
        return cumulative(x) - (mpf(barrier) / mpf(self.spot)) ** (2 * self.mu) * cumulative(y)

    def passage(self, barrier: float, distance: Any) -> Any:
        """One unit paid at the first passage over a log distance, towards the barrier; roots may be imaginary."""
        b = mp.log(barrier / mpf(self.spot)) / self.deviation
        gamma = distance / self.deviation
        n = self.mu * self.deviation
        q = mp.sqrt(mp.mpc(n * n + 2 * mpf(self.domestic_rate) * mpf(self.time)))
        return mp.re(
            mp.exp(n * b) * (mp.exp(-gamma * q) * cumulative(q - gamma) + mp.exp(gamma * q) * cumulative(-q - gamma))
        )

    def at_hit(self, barrier: float) -> Any:
        """One unit of counter paid when one barrier is touched."""
        return self.passage(barrier, abs(mp.log(barrier / mpf(self.spot))))

    def first_at_hit(self, barrier: float, other: float) -> Any:
        """One unit of counter paid when a barrier is touched before the other one."""
        near = abs(mp.log(barrier / mpf(self.spot)))
        width = abs(mp.log(mpf(barrier) / mpf(other)))
        return self.passage(barrier, near) + sum(
            self.passage(barrier, 2 * j * width + near) - self.passage(barrier, 2 * j * width - near)
            for j in range(1, int(REACH * self.deviation / width) + 3)
        )

    def corridor(self, in_base: bool, lower: float, upper: float, low: Any, high: Any) -> Any:
        """The chance to end between two levels and never to have left the corridor, in one currency's measure."""
        n = (self.mu + (1 if in_base else 0)) * self.deviation
        down, up, low, high = (mp.log(each / mpf(self.spot)) / self.deviation for each in (lower, upper, low, high))

        def image(center: Any) -> Any:
            return mp.exp(n * center) * (cumulative(high - center - n) - cumulative(low - center - n))

        width = up - down
        images = int(REACH / width) + 2
        return sum(image(2 * j * width) - image(2 * up + 2 * j * width) for j in range(-images, images + 1))

    def double_knock_out(self, call: bool, strike: float, lower: float, upper: float) -> Any:
        """A double knock-out without rebate (Ikeda and Kunitomo 1992, flat barriers)."""
        low, high = (max(strike, lower), upper) if call else (lower, min(strike, upper))
        if low >= high:
            return mpf(0)
        bought = self.base * self.corridor(True, lower, upper, low, high)
        value = bought - strike * self.counter * self.corridor(False, lower, upper, low, high)
        return value if call else -value
