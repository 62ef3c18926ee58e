"""Options on the arithmetic average of an exchange rate, by the average's first two moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import LEVEL, PUT_OR_CALL, RATE, TIME, UNIT, VOLATILITY, Interval
from crossrate.kernel.faults import ArgumentError, Reason, unpack
from crossrate.kernel.front import Array, Elementwise
from crossrate.kernel.reference import asian as reference


class _Whole(Interval):
    def refused(self, values: NDArray[np.float64]) -> NDArray[np.uint8]:
        """The reason for each element, zero where it is fine."""
        reasons = super().refused(values)
        return np.where((reasons == Reason.OK) & (values != np.floor(values)), Reason.OUT_OF_RANGE, reasons)


class _Asian(Elementwise):
    def error(self, fault: int, flat: Sequence[Array], shape: tuple[int, ...]) -> ArgumentError:
        found = super().error(fault, flat, shape)
        reason, _, index = unpack(fault)
        if reason == Reason.INCONSISTENT:
            last = flat[tuple(self.inputs).index("time")][index].item()
            return ArgumentError(
                found.argument, found.index, reason, found.value, f"it is after time, which is {last!r}"
            )
        if reason == Reason.NOT_CONVERGED:
            volatility = flat[tuple(self.inputs).index("volatility")][index].item()
            return ArgumentError(
                "volatility", found.index, reason, volatility, "the average has no finite variance here"
            )
        return found


_PRICE = _Asian(
    "xr_asian_price",
    {
        "put_or_call": PUT_OR_CALL,
        "spot": LEVEL,
        "strike": LEVEL,
        "first_fixing": TIME,
        "time": TIME,
        "fixings": _Whole(0.0, 10000.0, "it must be a whole number from 0 (continuous) to 10000"),
        "fixed_weight": UNIT,
        "fixed_average": LEVEL,
        "volatility": VOLATILITY,
        "domestic_rate": RATE,
        "foreign_rate": RATE,
    },
    ("price",),
    reference.price,
    blame="first_fixing",
)


def price(
    put_or_call: Any,
    spot: Any,
    strike: Any,
    first_fixing: Any,
    time: Any,
    fixings: Any,
    fixed_weight: Any,
    fixed_average: Any,
    volatility: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    *,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Premium in the counter currency for one unit of the base currency, paid at the last fixing.

    Levy (1992), "Pricing European average rate currency options", with the moments of Turnbull and Wakeman (1991): the
    average is taken for lognormal with its true mean and variance. That is an approximation, good while volatility ×
    sqrt(time) is small; for a large one, use a simulation.

    Within 1e-15 × max(spot, strike) of what this approximation is in exact arithmetic.

    Args:
        put_or_call: 0 put, 1 call (FIX tag 201), on the average.
        spot: counter per base.
        strike: counter per base.
        first_fixing: years to the first fixing still to come.
        time: years to the last fixing.
        fixings: how many are still to come, evenly spaced; 0 for a continuous average; with 1 it is at `time`.
        fixed_weight: share of the whole average that is fixed already, 0 to 1.
        fixed_average: average of the past fixings, counter per base; without meaning at weight 0.
        volatility: per square root of a year.
        domestic_rate: continuously compounded rate of the counter currency.
        foreign_rate: the same of the base currency.
        threads: how many threads share the work.

    Returns:
        float64, the arguments' shape.

    Raises:
        ArgumentError: an element was refused; names argument and index. A first_fixing after time is INCONSISTENT;
            volatility is NOT_CONVERGED where volatility² × time is above 600
            and the rates' gap × time of the same order.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    average = (first_fixing, time, fixings, fixed_weight, fixed_average)
    market = (volatility, domestic_rate, foreign_rate)
    return _PRICE(put_or_call, spot, strike, *average, *market, threads=threads)[0]
