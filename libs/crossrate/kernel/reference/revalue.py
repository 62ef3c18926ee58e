"""Full revaluation: the numpy twin of xr/revalue.h, one position after the other over all scenarios."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.reference import vanilla

Array = NDArray[np.float64]
FORWARD = 2


def gains(
    kind: NDArray[np.int8],
    market: NDArray[np.int64],
    positions: tuple[Array, ...],
    spot: Array,
    conversion: Array,
    shifts: tuple[Array, ...],
) -> Iterator[Array]:
    """What each position gains in every scenario, in the reporting currency, position by position.

    `positions` are strike, time, volatility, domestic rate, foreign rate, notional; `shifts` are markets × scenarios:
    spot return, volatility, domestic rate, foreign rate, conversion return.
    """
    spot_return, volatility_shift, domestic_shift, foreign_shift, conversion_return = shifts
    for i, row in enumerate(market):
        strike, time, volatility, domestic, foreign, notional = (each[i] for each in positions)
        today = conversion[row] * _value(kind[i], spot[row], strike, time, volatility, domestic, foreign)
        then = _value(
            kind[i],
            spot[row] * np.exp(spot_return[row]),
            strike,
            time,
            np.maximum(volatility + volatility_shift[row], 0.0),
            domestic + domestic_shift[row],
            foreign + foreign_shift[row],
        )
        yield notional * (conversion[row] * np.exp(conversion_return[row]) * then - today)


def _value(kind: int, spot: Array, strike: float, time: float, *market: Array) -> Array:
    volatility, domestic, foreign = market
    if kind == FORWARD:
        return spot * np.exp(-foreign * time) - strike * np.exp(-domestic * time)
    shape = np.broadcast(spot, volatility).shape
    call, strikes, times = np.full(shape, kind, np.int8), np.full(shape, strike), np.full(shape, time)
    return vanilla.price(call, spot, strikes, times, volatility, domestic, foreign)[0]
