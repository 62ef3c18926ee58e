"""Volatilities of one pair by expiry and strike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from services.pricing.domain.clock import Clock
from services.pricing.domain.curve import ascending
from services.pricing.domain.refusal import Refused
from services.pricing.domain.smile import QuotedSmile

Array = NDArray[np.float64]
Forwards = Callable[[Array], Array]
"""From times in years to forwards, counter per base."""


@dataclass(frozen=True, slots=True, eq=False)
class Smile:
    """Volatilities of one expiry (`time` in years) at ascending strikes."""

    time: float
    strikes: Array
    volatilities: Array

    @classmethod
    def of(cls, time: float, strikes: ArrayLike, volatilities: ArrayLike, field: str) -> Smile:
        """A smile, checked; `field` is its path in the request.

        Raises:
            Refused: there are no strikes, the arrays differ in length, strikes do not ascend, a volatility is not
                positive.
        """
        each, values = np.array(strikes, np.float64), np.array(volatilities, np.float64)
        if not each.size or each.size != values.size:
            raise Refused(f"{field}.volatility", f"has {values.size} elements for {each.size} strikes: give one each")
        ascending(each, f"{field}.strike")
        wrong = ~((values > 0) & (values < np.inf))
        if wrong.any():
            raise Refused(f"{field}.volatility[{int(wrong.argmax())}]", "must be positive and finite")
        return cls(float(time), each, values)

    def volatility(self, moneyness: Array, forward: float) -> Array:
        """Volatilities by ln(K/F), F the forward that is given: linear between strikes, flat beyond the outermost."""
        return np.interp(moneyness, np.log(self.strikes / forward), self.volatilities)


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Smiles of one pair, ascending by time.

    Between two smiles total variance σ²T at the same log-moneyness ln(K/F) is linear in time, which is free of calendar
    arbitrage wherever the smiles are (Gatheral 2006, "The Volatility Surface", chapter 3). Before the first and after
    the last smile the volatility at the same log-moneyness stays. With a clock, variance runs along its time up to the
    last smile, also before the first.
    """

    smiles: tuple[Smile | QuotedSmile, ...]
    clock: Clock | None = None

    @classmethod
    def of(cls, smiles: Sequence[Smile], field: str) -> Surface:
        """A surface, checked.

        Raises:
            Refused: there is no smile, or their times do not ascend from above 0.
        """
        if not smiles:
            raise Refused(field, "has no smiles: give at least one")
        times = [smile.time for smile in smiles]
        for i, time in enumerate(times):
            if not 0.0 < time < np.inf:
                raise Refused(f"{field}[{i}].time", f"is {time}: it must be positive and finite")
            if i and time <= times[i - 1]:
                raise Refused(f"{field}[{i}].time", f"is {time}, not above {times[i - 1]}: they must strictly ascend")
        return cls(tuple(smiles))

    @classmethod
    def flat(cls, volatility: float) -> Surface:
        """The surface that has one volatility everywhere."""
        return cls((Smile(1.0, np.array([1.0]), np.array([volatility])),))

    def volatility(self, time: Array, strike: Array, forwards: Forwards) -> Array:
        """The volatility of each option.

        Args:
            time: years to expiry, positive, one dimension.
            strike: as many.
            forwards: the pair's forwards for value at some times.

        Returns:
            Volatilities per square root of a year.
        """
        first = self.smiles[0]
        if len(self.smiles) == 1 and isinstance(first, Smile) and len(first.strikes) == 1:
            return np.full(len(time), first.volatilities[0])
        times = np.array([smile.time for smile in self.smiles])
        own = forwards(times)
        moneyness = np.log(strike / forwards(time))
        upper = np.searchsorted(times, time)
        last = len(times) - 1
        above, below = np.minimum(upper, last), np.maximum(upper - 1, 0)
        high, low = np.empty(len(time)), np.empty(len(time))
        for i, smile in enumerate(self.smiles):
            for which, into in ((above == i, high), (below == i, low)):
                if which.any():
                    into[which] = smile.volatility(moneyness[which], float(own[i]))
        between = (upper > 0) & (upper <= last)
        weight = self._weights(time, times, above, below, between)
        variance = (1.0 - weight) * low**2 * times[below] + weight * high**2 * times[above]
        found = np.where(between, np.sqrt(variance / time), np.where(upper == 0, high, low))
        if self.clock is None:
            return found
        early = upper == 0
        run, first_run = self.clock.run(time), float(self.clock.run(times[:1])[0])
        return np.where(early, high * np.sqrt(run / first_run * times[0] / time), found) if first_run > 0 else found

    def _weights(self, time: Array, times: Array, above: Array, below: Array, between: Array) -> Array:
        """The share of the later smile's total variance: calendar time, or business time where any passes."""
        span = np.where(between, times[above] - times[below], 1.0)
        weight = np.where(between, (time - times[below]) / span, 0.0)
        if self.clock is None or not between.any():
            return weight
        knots, run = self.clock.run(times), self.clock.run(time)
        passed = knots[above] - knots[below]
        runs = between & (passed > 0)
        return np.where(runs, (run - knots[below]) / np.where(runs, passed, 1.0), weight)
