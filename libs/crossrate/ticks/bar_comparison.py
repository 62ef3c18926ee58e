"""A venue's bars against those that are built of quotes: which are there, and how far their prices are apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.ticks.bars import Bars
from crossrate.ticks.ohlc import Ohlc

PARTS = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found; all distances in pips.

    Attributes:
        compared: bars that are in both and complete.
        equal: of these, those whose every price is the same.
        without_quotes: bars of the venue, within the time of the built ones, that no quote is there for.
        missing: built bars, within the time of the venue's, that the venue does not have.
        median, p95, largest: half, 95 % and all of the compared bars have no price further from its counterpart; NaN if
            none was compared.
    """

    compared: int
    equal: int
    without_quotes: int
    missing: int
    median: float
    p95: float
    largest: float


def compare(venue: Bars, built: Bars, pip: float) -> Comparison:
    """Compares bars of one period by their begin.

    Args:
        venue: in the order of time, none twice.
        built: in the order of time; those that are not complete are left out.
        pip: size of a pip, in price.
    """
    built = built[built.complete]
    _, ours, theirs = np.intersect1d(venue.open_time, built.open_time, assume_unique=True, return_indices=True)
    alone = np.ones(len(venue), np.bool_)
    alone[ours] = False
    lacking = np.ones(len(built), np.bool_)
    lacking[theirs] = False
    far = np.zeros(len(ours))
    for side in ("bid", "ask"):
        one, other = getattr(venue, side), getattr(built, side)
        if one is not None and other is not None and len(ours):
            far = np.fmax(far, _distance(one[ours], other[theirs]))
    ordered = np.sort(far) / pip
    return Comparison(
        compared=len(ours),
        # Two ways of writing one decimal number may differ in the last bit.
        equal=int(np.count_nonzero(ordered < 1e-6)),
        without_quotes=int(np.count_nonzero(alone & _between(venue.open_time, built.open_time))),
        missing=int(np.count_nonzero(lacking & _between(built.open_time, venue.open_time))),
        median=_quantile(ordered, 0.5),
        p95=_quantile(ordered, 0.95),
        largest=float(ordered[-1]) if len(ordered) else float("nan"),
    )


def _distance(one: Ohlc, other: Ohlc) -> NDArray[np.float64]:
    """The largest distance of the four prices of each bar; NaN where the side is not there."""
    return np.max([np.abs(getattr(one, part) - getattr(other, part)) for part in PARTS], axis=0)


def _between(times: NDArray[np.int64], range_of: NDArray[np.int64]) -> NDArray[np.bool_]:
    if not len(range_of):
        return np.zeros(len(times), np.bool_)
    return (times >= range_of[0]) & (times <= range_of[-1])


def _quantile(ordered: NDArray[np.float64], share: float) -> float:
    """The value that this share does not exceed."""
    return float(ordered[max(int(np.ceil(share * len(ordered))) - 1, 0)]) if len(ordered) else float("nan")
