"""What an argument of the kernel may be: the same limits as libs/kernel/src/checks.h, which a test compares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason


@dataclass(frozen=True)
class Interval:
    """A closed range of finite numbers, and how to say it."""

    low: float
    high: float
    says: str

    def refused(self, values: NDArray[np.float64]) -> NDArray[np.uint8]:
        """The reason for each element, zero where it is fine."""
        fine = (values >= self.low) & (values <= self.high)
        reasons = np.where(np.isfinite(values), Reason.OUT_OF_RANGE, Reason.NOT_FINITE)
        return np.where(fine, Reason.OK, reasons).astype(np.uint8)


@dataclass(frozen=True)
class Codes:
    """Small integers from 0 that stand for something."""

    count: int
    says: str

    def refused(self, values: NDArray[np.int8]) -> NDArray[np.uint8]:
        """The reason for each element, zero where it is fine."""
        return np.where((values >= 0) & (values < self.count), Reason.OK, Reason.NOT_A_CODE).astype(np.uint8)


Rule = Interval | Codes

LEVEL = Interval(1e-60, 1e60, "it must be positive, from 1e-60 to 1e60")
AMOUNT = Interval(-1e60, 1e60, "it must be a number from -1e60 to 1e60")
TIME = Interval(0.0, 100.0, "it must be a time in years from 0 to 100")
VOLATILITY = Interval(
    0.0, 100.0, "it must be a volatility per square root of a year from 0 to 100 (0.1 is ten percent)"
)
RATE = Interval(-5.0, 5.0, "it must be a continuously compounded rate from -5 to 5 (0.05 is five percent)")
UNIT = Interval(0.0, 1.0, "it must be from 0 to 1")
CORRELATION = Interval(-1.0, 1.0, "it must be a correlation from -1 to 1")
PUT_OR_CALL = Codes(2, "it must be 0 for a put or 1 for a call")
PREMIUM = Interval(0.0, 1e60, "it must be a premium in the counter currency from 0 to 1e60")
CONFIDENCE = Interval(0.5, 0.999999, "it must be a confidence as a fraction from 0.5 to 0.999999 (0.99 is 99 percent)")
DELTA_CONVENTION = Codes(
    4, "it must be 0 spot, 1 forward, 2 spot premium-adjusted or 3 forward premium-adjusted (DeltaConvention)"
)
ATM_CONVENTION = Codes(3, "it must be 0 forward, 1 delta neutral or 2 spot (AtmConvention)")
STRANGLE = Codes(2, "it must be 0 for a market strangle or 1 for a smile strangle (Strangle)")
SMILE_TIME = Interval(1e-6, 100.0, "it must be a time in years from 1e-6 to 100")
SMILE_VOLATILITY = Interval(1e-6, 100.0, "it must be a volatility per square root of a year from 1e-6 to 100")
VOLATILITY_SPREAD = Interval(-100.0, 100.0, "it must be a difference of volatilities from -100 to 100")
QUOTED_DELTA = Interval(1e-4, 0.5, "it must be an unsigned delta from 0.0001 to 0.5 (0.25 is 25 delta)")
TOTAL_VARIANCE = Interval(0.0, 1e6, "it must be a total variance (volatility squared times time) from 0 to 1e6")
SPAN = Interval(1e-6, 100.0, "it must be a time in years from 1e-6 (half a minute) to 100")
QUOTED_RATE = Interval(-5.0, 5.0, "it must be a quoted rate from -5 to 5 (0.05 is five percent)")
VARIANCE = Interval(0.0, 1e120, "it must be a variance from 0 to 1e120")
POSITIVE_VARIANCE = Interval(1e-120, 1e120, "it must be a positive variance, from 1e-120 to 1e120")
INTERPOLATION = Codes(3, "it must be 0 (log-linear), 1 (monotone cubic) or 2 (monotone spline)")
SWAP_LEG = Codes(3, "it must be 0 (from spot), 1 (into spot) or 2 (into tomorrow)")
REBATE = Interval(0.0, 1e60, "it must be an amount from 0 to 1e60")
PROBABILITY = Interval(1e-300, 1.0 - 2.0**-53, "it must be a probability inside of (0, 1), from 1e-300 to 1 - 2**-53")


@dataclass(frozen=True)
class Whole(Interval):
    """A closed range of whole numbers that floating point holds exactly."""

    def refused(self, values: NDArray[np.float64]) -> NDArray[np.uint8]:
        """The reason for each element, zero where it is fine."""
        reasons = super().refused(values)
        broken = (reasons == Reason.OK) & (values != np.floor(values))
        return np.where(broken, Reason.OUT_OF_RANGE, reasons).astype(np.uint8)


COUNT = Whole(0.0, 1e9, "it must be a whole number from 0 to 1e9")
OBSERVATIONS = Whole(1.0, 1e9, "it must be a whole number from 1 to 1e9")
BREACH_PROBABILITY = Interval(
    1e-9, 1.0 - 1e-9, "it must be a probability from 1e-9 to 1 - 1e-9 (0.01 is one day in a hundred)"
)
