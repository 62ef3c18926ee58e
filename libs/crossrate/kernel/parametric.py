"""Value at risk without scenarios: from deltas, gammas and a covariance matrix. Losses are positive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import AMOUNT, CONFIDENCE, Interval
from crossrate.kernel.faults import ArgumentError, Reason
from crossrate.kernel.front import Elementwise
from crossrate.kernel.reference import parametric as reference
from crossrate.kernel.tables import Argument, array, at_least, of_shape, run

Array = NDArray[np.float64]

SENSITIVITY = Interval(-1e30, 1e30, "it must be a P&L for a unit move from -1e30 to 1e30")
DEVIATION = Interval(0.0, 1e60, "it must be a standard deviation from 0 to 1e60")
SKEWNESS = Interval(-10.0, 10.0, "it must be a skewness from -10 to 10")
KURTOSIS = Interval(-10.0, 100.0, "it must be an excess kurtosis from -10 to 100")
OUTSIDE = (
    "with this skewness the Cornish-Fisher expansion is not a quantile function (Maillard 2012); take a simulation, or "
    "with_status=True to have such elements marked"
)
CONTRACT = {
    "mean": AMOUNT,
    "deviation": DEVIATION,
    "skewness": SKEWNESS,
    "kurtosis": KURTOSIS,
    "confidence": CONFIDENCE,
}


@dataclass(frozen=True)
class CovarianceMatrix:
    """A symmetric, positive semi-definite matrix of finite numbers."""

    says: str = "a covariance must be from -1e20 to 1e20"

    def refused(self, values: Array) -> NDArray[np.uint8]:
        """The reason for each element, zero where it is fine."""
        return reference.covariance_reasons(values)


@dataclass(frozen=True)
class Symmetric:
    """Square matrices, each equal to its transpose to 1e-12 of the element."""

    says: str = "a second derivative must be from -1e30 to 1e30"

    def refused(self, values: Array) -> NDArray[np.uint8]:
        """The reason for each element, zero where it is fine."""
        reasons = SENSITIVITY.refused(values)
        if reasons.any():
            return reasons
        other = np.swapaxes(values, -1, -2)
        uneven = np.abs(values - other) > 1e-12 * np.maximum(np.abs(values), np.abs(other))
        return np.where(np.tril(uneven), Reason.INCONSISTENT, Reason.OK).astype(np.uint8)


COVARIANCE_MEANS = {
    Reason.INCONSISTENT: "a covariance matrix must be symmetric: take (covariance + covariance.T) / 2",
    Reason.NOT_PSD: "the matrix is not positive semi-definite: here a combination of factors has a negative variance",
}
GAMMA_MEANS = {Reason.INCONSISTENT: "a matrix of second derivatives must be symmetric: take (gamma + gamma.T) / 2"}

_MATCH = Elementwise(
    "xr_parametric_match",
    {"skewness": SKEWNESS, "kurtosis": KURTOSIS},
    ("skewness_parameter", "kurtosis_parameter", "scale"),
    reference.match,
    blame="kurtosis",
)
_MEASURE = Elementwise("xr_parametric_measure", CONTRACT, ("var", "es"), reference.measure, blame="kurtosis")


class Moments(NamedTuple):
    """Four moments of P&L for each portfolio, float64; skewness and excess kurtosis are 0 where the deviation is
    below 1e-50."""

    mean: Array
    deviation: Array
    skewness: Array
    kurtosis: Array


def moments(delta: Any, covariance: Any, gamma: Any = None, drift: Any = 0.0) -> Moments:
    """Exact moments of drift + δ'x + ½ x'Γx, where x is normal with mean zero (Mathai and Provost 1992, theorem
    3.2b.2).

    Mean and deviation are within 1e-15 of the deviation, skewness and kurtosis within 1e-13, for a few factors.

    Args:
        delta: P&L for a unit move of each factor, shape (factors,) or (portfolios, factors).
        covariance: of the factors' moves over the holding period, shape (factors, factors), in the moves' unit squared.
        gamma: second derivatives, shape (factors, factors) or (portfolios, factors, factors); None: none.
        drift: P&L without any move, a number or shape (portfolios,).

    Raises:
        ArgumentError: an element was refused; a matrix is not symmetric or the covariance not positive semi-definite.
        ShapeError: an array has another shape.
        TypeError: an argument is not numeric or has another dtype.
    """
    table = array("delta", delta, (1, 2))
    factors = table.shape[-1]
    at_least("delta", factors, 1, "at least one risk factor is needed")
    leading = table.shape[:-1]
    portfolios = table.size // factors
    bends = None if gamma is None else of_shape("gamma", gamma, (*leading, factors, factors), "the deltas")
    matrix = of_shape("covariance", covariance, (factors, factors), "the deltas")
    start = of_shape("drift", drift, leading, "the portfolios")
    outputs = [np.empty(portfolios) for _ in range(4)]
    arguments = [
        Argument("portfolios", portfolios),
        Argument("factors", factors),
        Argument("drift", start, AMOUNT),
        Argument("delta", table, SENSITIVITY),
        Argument("gamma", bends, Symmetric(), GAMMA_MEANS),
        Argument("covariance", matrix, CovarianceMatrix(), COVARIANCE_MEANS),
    ]
    rows = table.reshape(portfolios, factors)
    bent = None if bends is None else bends.reshape(portfolios, factors, factors)
    run(
        "xr_parametric_moments",
        arguments,
        outputs,
        2 * factors * (factors + 1),
        lambda: reference.moments(start.reshape(-1), rows, bent, matrix),
    )
    return Moments(*(each.reshape(leading) for each in outputs))


def cornish_fisher(
    mean: Any, deviation: Any, skewness: Any, kurtosis: Any, confidence: Any, *, with_status: bool = False
) -> tuple[Array, ...]:
    """Value at risk and expected shortfall from four moments by the Cornish and Fisher (1937) expansion.

    With skewness and kurtosis 0 these are the normal distribution's. The expansion takes skewness and kurtosis as its
    parameters; the distribution that it describes has them only to first order, so that the error
    grows with them (Maillard 2012). `matched` gives the parameters at which it has them.

    Both measures are within 1e-14 of the deviation of what the expansion is in exact arithmetic.

    Args:
        mean: of P&L.
        deviation: of P&L, from 0.
        skewness: of P&L.
        kurtosis: excess.
        confidence: fraction.
        with_status: also give the reasons; elements outside of the expansion's range are then NaN with reason
            `NO_SOLUTION` instead of an error.

    Returns:
        Value at risk, expected shortfall, and with `with_status` the reasons (uint8); the arguments' shape.

    Raises:
        ArgumentError: an element was refused, or its moments are outside of the range in which the expansion ascends.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    try:
        return _MEASURE(mean, deviation, skewness, kurtosis, confidence, with_status=with_status)
    except ArgumentError as error:
        raise _outside(error) from None


def matched(skewness: Any, kurtosis: Any, *, with_status: bool = False) -> tuple[Array, ...]:
    """The parameters at which the Cornish-Fisher expansion has these moments (Maillard 2012).

    `cornish_fisher(mean, deviation * scale, skewness_parameter, kurtosis_parameter, confidence)` then is the measure of
    a distribution that has exactly these four moments. There are such parameters for more moments than the expansion
    takes without this: at no skewness up to an excess kurtosis of 43. A book that is all gamma, whose P&L is close to a
    chi-square (kurtosis of one and a half times the squared skewness), is outside of either range.

    Args:
        skewness: of P&L.
        kurtosis: excess.
        with_status: as `cornish_fisher`.

    Returns:
        skewness_parameter, kurtosis_parameter and scale; the arguments' shape. The moments are met to 1e-10.

    Raises:
        ArgumentError: an element was refused, or no parameters at which the expansion ascends give these moments.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    try:
        return _MATCH(skewness, kurtosis, with_status=with_status)
    except ArgumentError as error:
        raise _outside(error) from None


def _outside(error: ArgumentError) -> ArgumentError:
    """The same refusal; where the expansion has no answer, in words that say so."""
    if error.reason is not Reason.NO_SOLUTION:
        return error
    return ArgumentError(error.argument, error.index, error.reason, error.value, OUTSIDE)


def normal(delta: Any, covariance: Any, confidence: float = 0.99, drift: Any = 0.0) -> tuple[Array, Array]:
    """Delta-normal value at risk and expected shortfall (RiskMetrics 1996).

    Within 1e-14 of the deviation.

    Args:
        delta: as `moments`.
        covariance: as `moments`.
        confidence: one fraction.
        drift: as `moments`.

    Returns:
        Two float64 arrays, one element a portfolio.

    Raises:
        ArgumentError: as `moments` and `cornish_fisher`.
        ShapeError: an array has another shape.
        TypeError: an argument is not numeric or has another dtype.
    """
    found = moments(delta, covariance, None, drift)
    var, es = cornish_fisher(found.mean, found.deviation, 0.0, 0.0, confidence)
    return var, es


def is_valid(skewness: Any, kurtosis: Any) -> NDArray[np.bool_]:
    """Whether the expansion ascends everywhere for these moments, and so is the quantile function of a distribution.

    Maillard (2012): at a skewness of 0 that is an excess kurtosis from 0 to 8; no skewness beyond
    6 × (√2 - 1) = 2.485 is inside.
    """
    return reference.ascends(np.asarray(skewness, np.float64), np.asarray(kurtosis, np.float64))
