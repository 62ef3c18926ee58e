"""Interest of one currency as zero rates."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crossrate.kernel.curve import Curves
from services.pricing.domain.refusal import Refused

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ZeroCurve:
    """Zero rates at pillars, continuously compounded; times in years, ascending.

    Between pillars the logarithm of the discount factor is linear in time, which is a constant instantaneous forward
    rate (Hagan and West 2006, "Interpolation methods for curve construction", "raw interpolation"). Outside of the
    pillars the zero rate is that of the nearest one.
    """

    times: Array
    rates: Array

    @classmethod
    def of(cls, times: ArrayLike, rates: ArrayLike, field: str) -> ZeroCurve:
        """A curve of pillars, checked; `field` is the curve's path in the request.

        Raises:
            Refused: there is none, the arrays differ in length, or the times do not ascend from above 0.
        """
        each, values = np.array(times, np.float64), np.array(rates, np.float64)
        if not each.size or each.size != values.size:
            raise Refused(f"{field}.rate", f"has {values.size} elements for {each.size} times: give one for each")
        ascending(each, f"{field}.time")
        if not np.isfinite(values).all():
            raise Refused(f"{field}.rate[{int(np.argmin(np.isfinite(values)))}]", "must be finite")
        return cls(each, values)

    @classmethod
    def flat(cls, rate: float) -> ZeroCurve:
        """The curve that has one rate at all times."""
        return cls(np.array([1.0]), np.array([rate]))

    def growth(self, time: ArrayLike) -> Array:
        """Rate × time, the negative logarithm of the discount factor, for times in years that are not negative."""
        at = np.asarray(time, np.float64)
        if len(self.times) == 1:
            return self.rates[0] * at
        inner = np.interp(at, self.times, self.rates * self.times)
        before, after = at < self.times[0], at > self.times[-1]
        return np.where(before, self.rates[0] * at, np.where(after, self.rates[-1] * at, inner))

    def discount(self, time: ArrayLike) -> Array:
        """What one unit that is paid after a time is worth today."""
        return np.exp(-self.growth(time))


@dataclass(frozen=True, slots=True, eq=False)
class KnotCurve:
    """A curve of the kernel: discount factors at knots. After the last knot the instantaneous forward rate stays."""

    knots: Curves

    @property
    def times(self) -> Array:
        """Years to the knots, ascending."""
        return self.knots.times

    @property
    def rates(self) -> Array:
        """Zero rates at the knots, continuously compounded."""
        return self.knots.zero_rate(self.knots.times)

    def growth(self, time: ArrayLike) -> Array:
        """Rate × time, the negative logarithm of the discount factor, for times in years from 0 to 100."""
        at = np.asarray(time, np.float64)
        return self.knots.zero_rate(at) * at

    def discount(self, time: ArrayLike) -> Array:
        """What one unit that is paid after a time is worth today."""
        return np.exp(-self.growth(time))


Curve = ZeroCurve | KnotCurve


def ascending(values: Array, field: str) -> None:
    """Checks that finite, positive numbers strictly ascend.

    Raises:
        Refused: they do not; names the first that is wrong.
    """
    for i, value in enumerate(values.tolist()):
        if not 0.0 < value < np.inf:
            raise Refused(f"{field}[{i}]", f"is {value}: it must be positive and finite")
    for i, (one, following) in enumerate(pairwise(values.tolist()), start=1):
        if following <= one:
            raise Refused(f"{field}[{i}]", f"is {following}, not above {one} before it: they must strictly ascend")
