"""Value at risk and expected shortfall from profits and losses of scenarios. Losses are positive."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import AMOUNT, CONFIDENCE, Interval
from crossrate.kernel.faults import ArgumentError, Reason
from crossrate.kernel.reference import var as reference
from crossrate.kernel.reference.parametric import upper_tail
from crossrate.kernel.tables import Argument, Weights, array, at_least, of_shape, one_of, run

Array = NDArray[np.float64]

DECAY = Interval(
    0.5, 1.0, "it must be a decay a scenario from 0.5 to 1 (Boudoukh, Richardson and Whitelaw: 0.97 to 0.99)"
)
COVERAGE = Interval(0.5, 0.9999, "it must be a probability from 0.5 to 0.9999 (0.95 is 95 percent)")
DAYS = Interval(1e-3, 1e4, "it must be a number of days from 0.001 to 10000")


class Convention(IntEnum):
    """Which order statistics a quantile of losses is made of (`enum xr_quantile_convention` of xr/var.h).

    1 to 9 are the definitions of Hyndman and Fan (1996) applied to the losses; numpy has them under the same names.
    """

    UPPER = 0
    INVERTED_CDF = 1
    AVERAGED = 2
    CLOSEST = 3
    INTERPOLATED_CDF = 4
    HAZEN = 5
    WEIBULL = 6
    LINEAR = 7
    MEDIAN_UNBIASED = 8
    NORMAL_UNBIASED = 9
    TAIL_INTERPOLATED = 10


WITH_WEIGHTS = (Convention.UPPER, Convention.INVERTED_CDF, Convention.TAIL_INTERPOLATED)


@dataclass(frozen=True)
class Measures:
    """Value at risk and expected shortfall of one or more portfolios.

    Attributes:
        value_at_risk: losses positive, in the P&L's unit; shape of the portfolios, then that of `confidence`.
        expected_shortfall: the same shape.
        expected_shortfall_error: its standard error for independent scenarios; None with weights.
        confidence: fractions.
        convention: the quantile's.
        scenarios: how many.
        scaling: "none", or what turned the scenarios' holding period into another.
        scaling_factor: 1, or what all measures were multiplied by.
    """

    value_at_risk: Array
    expected_shortfall: Array
    expected_shortfall_error: Array | None
    confidence: Array
    convention: Convention
    scenarios: int
    scaling: str = "none"
    scaling_factor: float = 1.0


@dataclass(frozen=True)
class QuantileInterval:
    """An interval of order statistics that encloses value at risk, whatever the distribution.

    Attributes:
        lower, upper: losses; shape of the portfolios.
        lower_rank, upper_rank: which order statistics they are, ascending from 1.
        coverage: the probability that they enclose it, at least what was asked for.
        error: a standard error of the quantile: the interval's width over that of a normal one of the same coverage.
    """

    lower: Array
    upper: Array
    lower_rank: int
    upper_rank: int
    coverage: float
    error: Array


def measure(
    pnl: Any,
    confidence: Any = 0.99,
    *,
    weight: Any = None,
    convention: Convention | int = Convention.INVERTED_CDF,
) -> Measures:
    """Value at risk and expected shortfall by historical simulation, or of any other sample.

    The holding period is the scenarios' own; `scaled` makes another of it. Value at risk is by default the least loss
    whose distribution function reaches the confidence. Expected shortfall is the mean of the worst share 1 -
    confidence, the outcome on its border counted in part (Acerbi and Tasche 2002, definition 2.6), whatever the
    convention.

    Both measures are within 1e-15 of the greatest loss, their error within 1e-14 of itself; weighted ones within 1e-14
    of the greatest loss.

    Args:
        pnl: profits positive, shape (scenarios,) or (portfolios, scenarios), at least two scenarios.
        confidence: a fraction from 0.5 to 0.999999, or a vector of them.
        weight: one a scenario, from 0, of any positive sum; None: all equal. See `age_weight`.
        convention: of the quantile; with weights UPPER, INVERTED_CDF or TAIL_INTERPOLATED.

    Returns:
        `Measures`; the error of expected shortfall is that of Manistre and Hancock (2005). It says little
        where fewer than some ten scenarios are beyond the quantile.

    Raises:
        ArgumentError: an element was refused, there are too few scenarios, or the convention takes no weights.
        ShapeError: an array has another shape.
        TypeError: an argument is not numeric or has another dtype.
    """
    table = array("pnl", pnl, (1, 2))
    levels = array("confidence", confidence, (0, 1))
    chosen = Convention(one_of("convention", convention, list(Convention), "it must be a code from 0 to 10"))
    scenarios = table.shape[-1]
    at_least("pnl", scenarios, 2, "at least two scenarios are needed")
    weights = None if weight is None else of_shape("weight", weight, (scenarios,), "the scenarios")
    if weights is not None and chosen not in WITH_WEIGHTS:
        allowed = ", ".join(each.name for each in WITH_WEIGHTS)
        raise ArgumentError("convention", None, Reason.INCONSISTENT, int(chosen), f"with weights it must be {allowed}")
    portfolios, count = table.size // scenarios, levels.size
    var, es = np.empty((portfolios, count)), np.empty((portfolios, count))
    error = np.empty((portfolios, count)) if weights is None else None
    rows, flat = table.reshape(portfolios, scenarios), levels.reshape(-1)
    arguments = [
        Argument("portfolios", portfolios),
        Argument("scenarios", scenarios),
        Argument("pnl", table, AMOUNT),
        Argument("weight", weights, Weights()),
        Argument("levels", count),
        Argument("confidence", levels, CONFIDENCE),
        Argument("convention", int(chosen)),
    ]
    run(
        "xr_var_measure",
        arguments,
        [var, es, error],
        4 * scenarios,
        lambda: reference.measure(rows, weights, flat, int(chosen)),
    )
    shape = table.shape[:-1] + levels.shape
    shaped = None if error is None else error.reshape(shape)
    return Measures(var.reshape(shape), es.reshape(shape), shaped, levels, chosen, scenarios)


def worst(pnl: Any, count: int) -> tuple[Array, NDArray[np.int64]]:
    """The worst losses of each portfolio, worst first, and the scenarios in which they arise.

    Losses are exact.

    Args:
        pnl: shape (scenarios,) or (portfolios, scenarios).
        count: how many, from 1 to the number of scenarios.

    Returns:
        Losses (float64) and indices of scenarios (int64), shape (count,) or (portfolios, count). Equal losses stand in
        the order of their scenarios.

    Raises:
        ArgumentError: an element was refused, or `count` is out of range.
        ShapeError: `pnl` has another number of dimensions.
        TypeError: it is not numeric or has another dtype.
    """
    table = array("pnl", pnl, (1, 2))
    scenarios = table.shape[-1]
    at_least("pnl", scenarios, 1, "at least one scenario is needed")
    says = f"it must be a whole number from 1 to {scenarios}, the number of scenarios"
    taken = one_of("count", count, range(1, scenarios + 1), says, Reason.OUT_OF_RANGE)
    portfolios = table.size // scenarios
    loss, scenario = np.empty((portfolios, taken)), np.empty((portfolios, taken), np.int64)
    arguments = [
        Argument("portfolios", portfolios),
        Argument("scenarios", scenarios),
        Argument("pnl", table, AMOUNT),
        Argument("count", taken),
    ]
    rows = table.reshape(portfolios, scenarios)
    run("xr_var_worst", arguments, [loss, scenario], 4 * scenarios, lambda: reference.worst(rows, taken))
    shape = (*table.shape[:-1], taken)
    return loss.reshape(shape), scenario.reshape(shape)


def age_weight(scenarios: int, decay: float) -> Array:
    """Weights that fall with age, for `measure` (Boudoukh, Richardson and Whitelaw 1998).

    Within (scenarios + 4) × 2**-53 of themselves.

    Args:
        scenarios: how many, from 1; the oldest is the first, the newest the last.
        decay: what an outcome weighs relative to the next newer one, 0.5 to 1.

    Returns:
        float64, shape (scenarios,), of sum 1.

    Raises:
        ArgumentError: an argument is out of range.
    """
    count = one_of("scenarios", scenarios, range(1, 1 << 40), "it must be a whole number from 1", Reason.OUT_OF_RANGE)
    weight = np.empty(count)
    given = [Argument("scenarios", count), Argument("decay", float(decay), DECAY)]
    run("xr_var_age_weight", given, [weight], 0, lambda: reference.age_weight(count, float(decay)))
    return weight


def interval(pnl: Any, confidence: float = 0.99, *, coverage: float = 0.95) -> QuantileInterval:
    """Between which losses value at risk lies, by order statistics: without assuming any distribution.

    For independent scenarios of one distribution the number of losses below the quantile is binomial (David and
    Nagaraja 2003, section 7.1).

    Args:
        pnl: shape (scenarios,) or (portfolios, scenarios).
        confidence: of value at risk, one fraction.
        coverage: probability that the interval encloses it, 0.5 to 0.9999.

    Raises:
        ArgumentError: an element was refused, or the scenarios are too few for such an interval; the error says how
            many are needed.
        ShapeError: `pnl` has another number of dimensions.
        TypeError: an argument is not numeric or has another dtype.
    """
    table = array("pnl", pnl, (1, 2))
    for name, value, rule in (("confidence", confidence, CONFIDENCE), ("coverage", coverage, COVERAGE)):
        _one(name, value, rule)
    scenarios = table.shape[-1]
    needed = math.ceil(math.log((1.0 - coverage) / 2.0) / math.log(confidence))
    remedy = f"at least {max(needed, 2)} scenarios are needed for a coverage of {coverage} at {confidence}"
    at_least("pnl", scenarios, max(needed, 2), remedy)
    lower, upper, reached = reference.order_statistics(scenarios, float(confidence), float(coverage))
    if lower < 1 or upper > scenarios:
        raise ArgumentError("pnl", None, Reason.TOO_FEW, scenarios, remedy)
    losses, _ = worst(table, scenarios - lower + 1)
    low, high = losses[..., scenarios - lower], losses[..., scenarios - upper]
    error = (high - low) / (2.0 * upper_tail((1.0 + reached) / 2.0))
    return QuantileInterval(low, high, lower, upper, reached, error)


def simulated(pnl: Any, confidence: float = 0.99, *, coverage: float = 0.95) -> tuple[Measures, QuantileInterval]:
    """The measures of a Monte Carlo simulation, and how far chance alone may have moved them.

    The same as `measure` and `interval` at one confidence, for paths that are independent. Of antithetic pairs,
    stratified or quasi-random paths the true error is another: smaller for a book that moves one way with its market,
    but up to √2 times as large for one whose losses on both sides are alike, as a sold straddle's, since its pairs
    repeat each other.

    As exact as `measure`.

    Args:
        pnl: of the paths, shape (paths,) or (portfolios, paths).
        confidence: one fraction.
        coverage: of the interval.

    Raises:
        ArgumentError: as `measure` and `interval`; among others where the paths are too few for an interval.
        ShapeError: `pnl` has another number of dimensions.
        TypeError: an argument is not numeric or has another dtype.
    """
    return measure(pnl, confidence), interval(pnl, confidence, coverage=coverage)


def scaled(measures: Measures, days: float, scenario_days: float = 1.0) -> Measures:
    """Measures for another holding period by the square root of time, and labelled so.

    It holds for independent returns of one distribution with mean zero and finite variance, and positions whose value
    is linear in them; otherwise it is a convention (Basel Committee 1996 allowed it), which is why nothing does it
    unasked.

    Within 1e-15 of the measure times the root.

    Args:
        measures: for a holding period of `scenario_days`.
        days: the holding period wanted, 0.001 to 10000.
        scenario_days: that of the scenarios.

    Raises:
        ArgumentError: a number of days is out of range, or the measures were scaled before.
    """
    for name, value in (("days", days), ("scenario_days", scenario_days)):
        _one(name, value, DAYS)
    if measures.scaling != "none":
        raise ArgumentError("measures", None, Reason.INCONSISTENT, measures.scaling, "they were scaled already")
    factor = math.sqrt(days / scenario_days)
    error = measures.expected_shortfall_error
    return replace(
        measures,
        value_at_risk=measures.value_at_risk * factor,
        expected_shortfall=measures.expected_shortfall * factor,
        expected_shortfall_error=None if error is None else error * factor,
        scaling=f"square root of time: from {scenario_days:g} to {days:g} days",
        scaling_factor=factor,
    )


def _one(name: str, value: Any, rule: Interval) -> None:
    number = array(name, value, (0,))
    reason = int(rule.refused(number))
    if reason:
        raise ArgumentError(name, None, Reason(reason), number.item(), rule.says)
