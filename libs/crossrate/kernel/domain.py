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
