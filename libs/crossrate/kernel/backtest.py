"""Backtests of value at risk: is it breached as often, and as independently, as it claims?

A day is a breach if its loss was above the value at risk. The probability is that of a breach if the model is right:
0.01 for a value at risk at 99 %.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.domain import AMOUNT, BREACH_PROBABILITY, COUNT, OBSERVATIONS, Codes
from crossrate.kernel.faults import ArgumentError, Reason
from crossrate.kernel.front import Elementwise, common_shape, numbers
from crossrate.kernel.ragged import call, explain, offsets_of, repeated, vector
from crossrate.kernel.reference import backtest as reference

Array = NDArray[np.float64]

_COUNTS = {"breaches": COUNT, "observations": OBSERVATIONS, "probability": BREACH_PROBABILITY}
_FAILURES = Elementwise("xr_backtest_failures", _COUNTS, ("statistic", "p_value"), reference.failures, blame="breaches")
_ZONE = Elementwise("xr_backtest_zone", _COUNTS, ("cumulative", "tail", "zone"), reference.zone, blame="breaches")
_BREACH = Codes(2, "it must be 1 for a breach or 0 for none")

ADD_ON_1996 = (0.0, 0.0, 0.0, 0.0, 0.0, 0.40, 0.50, 0.65, 0.75, 0.85, 1.0)
"""What the multiplier of three is raised by after 0, 1, ... 9, and ten or more breaches in 250 days at 99 %: Basle
Committee, Supervisory framework for the use of backtesting (January 1996), table 2."""


class Zone(IntEnum):
    """Of the Basel Committee's framework: so many breaches or fewer have a probability below 95 %, from 95 %, or from
    99.99 % if the model is right."""

    GREEN = 0
    YELLOW = 1
    RED = 2


class Test(NamedTuple):
    """A likelihood ratio, and the probability of one as large or larger if the model is right."""

    __test__ = False  # pytest: no class of tests

    statistic: Array
    p_value: Array


class TrafficLight(NamedTuple):
    """The Basel Committee's zones.

    Attributes:
        zone: `Zone` codes, int8.
        cumulative: probability of so many breaches or fewer if the model is right.
        tail: probability of so many or more: of rejecting a right model, if it were rejected from there on.
    """

    zone: NDArray[np.int8]
    cumulative: Array
    tail: Array


class Sequence(NamedTuple):
    """Christoffersen's tests of each series.

    Attributes:
        unconditional: Kupiec's proportion of failures, of all days; chi-square with one degree of freedom.
        independence: of a breach from the day before; chi-square with one.
        conditional: both together, of all days but the first; chi-square with two.
        transitions: days of no breach after none, breach after none, none after breach, breach after breach; int64,
            series × 4.
    """

    unconditional: Test
    independence: Test
    conditional: Test
    transitions: NDArray[np.int64]


def breaches(profit: Any, value_at_risk: Any) -> NDArray[np.int8]:
    """1 where the loss, −profit, is above the value at risk, else 0.

    Args:
        profit: of each day, negative for a loss, in the value at risk's unit.
        value_at_risk: forecast before each day, as a positive loss (it may be negative where even the quantile gains).

    Raises:
        ArgumentError: an element is not finite or too large; names argument and index.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    given = {"profit": numbers("profit", profit), "value_at_risk": numbers("value_at_risk", value_at_risk)}
    common_shape(given)
    for name, values in given.items():
        bad = np.flatnonzero(AMOUNT.refused(values))
        if bad.size:
            at = tuple(int(each) for each in np.unravel_index(bad[0], values.shape))
            reason = Reason(int(AMOUNT.refused(values).reshape(-1)[bad[0]]))
            place = (at[0] if len(at) == 1 else at) if at else None
            raise ArgumentError(name, place, reason, values.reshape(-1)[bad[0]].item(), AMOUNT.says)
    return np.asarray(-given["profit"] > given["value_at_risk"]).astype(np.int8)


def failures(breaches: Any, observations: Any, probability: Any, *, threads: int = 1) -> Test:
    """Kupiec's proportion of failures (1995, Techniques for verifying the accuracy of risk measurement models).

    Statistic: 2 (x log(x / np) + (n − x) log((n − x) / n(1 − p))), chi-square with one degree of freedom.

    The statistic is within 1e-13, its p-value within 1e-11 of itself.

    Args:
        breaches: x, a whole number, not above `observations`.
        observations: n, days, a whole number from 1 to 1e9.
        probability: p, of a breach if the model is right.
        threads: how many threads share the work.

    Raises:
        ArgumentError: an element was refused; names argument and index.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric.
    """
    return Test(*_called(_FAILURES, breaches, observations, probability, threads))


def traffic_light(breaches: Any, observations: Any = 250, probability: Any = 0.01, *, threads: int = 1) -> TrafficLight:
    """The zones of the Basle Committee (January 1996, section III) for any number of days and probability.

    Yellow begins where the probability of so many breaches or fewer reaches 95 %, red where it reaches 99.99 %; for 250
    days at 99 % that is at 5 and at 10. Up to 5,000 days probabilities are within 1e-13 of themselves. Arguments and
    errors as `failures`.
    """
    cumulative, tail, zone = _called(_ZONE, breaches, observations, probability, threads)
    return TrafficLight(zone.astype(np.int8), cumulative, tail)


def add_on_1996(breaches: Any) -> Array:
    """What 1996's framework adds to the multiplier of three after so many breaches in 250 days at 99 %, 0 to 1.

    Raises:
        ArgumentError: an element is not a whole number from 0 to 250; names the index.
        TypeError: it is not numeric.
    """
    traffic_light(breaches)
    return np.asarray(ADD_ON_1996)[np.minimum(_whole("breaches", breaches), 10.0).astype(np.int64)]


def sequence(breach: Any, probability: Any, offsets: Any = None) -> Sequence:
    """Christoffersen's tests of sequences of breaches (1998, Evaluating interval forecasts).

    Independence is tested against a first-order Markov chain; where a transition never happened its terms are 0.

    Statistics are within 1e-11 of themselves, or 1e-12 where they vanish, and so are their p-values.

    Args:
        breach: of each day, 1 or 0 (see `breaches`); all series' one after the other, at least two days each.
        probability: of a breach if the model is right; of each series, or one for all.
        offsets: where series begin and end; None is one series.

    Raises:
        ArgumentError: an element was refused; names argument and index.
        ShapeError: lengths do not go together.
        TypeError: an argument is not numeric or has another dtype.
    """
    days = vector("breach", breach, np.int8)
    bounds = offsets_of(offsets, days.size, fewest=2)
    count = bounds.size - 1
    chance = repeated("probability", probability, count, of="series")
    transitions, statistic, p_value = np.empty((count, 4)), np.empty((count, 3)), np.empty((count, 3))
    arrays = (bounds, days, chance, transitions, statistic, p_value)
    fault = reference.sequence(*arrays) if path.is_numpy() else call("xr_backtest_sequence", count, arrays)
    if fault:
        arguments = {"offsets": (bounds, None), "breach": (days, _BREACH), "probability": (chance, BREACH_PROBABILITY)}
        raise explain(fault, arguments)
    tests = (Test(np.ascontiguousarray(statistic[:, i]), np.ascontiguousarray(p_value[:, i])) for i in range(3))
    return Sequence(*tests, transitions.astype(np.int64))


def _whole(name: str, value: Any) -> Array:
    """Counts may come as integers."""
    found = np.asarray(value)
    return found.astype(np.float64) if found.dtype.kind in "iub" else numbers(name, value)


def _called(
    function: Elementwise, breaches: Any, observations: Any, probability: Any, threads: int
) -> tuple[Array, ...]:
    counts = _whole("breaches", breaches), _whole("observations", observations)
    try:
        return function(*counts, probability, threads=threads)
    except ArgumentError as error:
        if error.reason != Reason.INCONSISTENT:
            raise
        says = "there cannot be more breaches than observations"
        raise ArgumentError(error.argument, error.index, error.reason, error.value, says) from None
