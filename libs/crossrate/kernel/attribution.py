"""What each position adds to value at risk and expected shortfall. Losses are positive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import AMOUNT, CONFIDENCE
from crossrate.kernel.faults import ArgumentError, Reason
from crossrate.kernel.parametric import COVARIANCE_MEANS, CovarianceMatrix
from crossrate.kernel.reference import attribution as reference
from crossrate.kernel.tables import Argument, array, at_least, of_shape, one_of, run
from crossrate.kernel.var import Convention

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Contributions:
    """The measures of a portfolio and what its positions add to them.

    Attributes:
        value_at_risk: of the portfolio.
        explained_value_at_risk: what `component_var` adds up to: with a window the smoothed quantile, else the same.
        expected_shortfall: of the portfolio; `component_es` adds up to it.
        component_var, component_es: shape (positions,), Euler's allocation.
        incremental_var, incremental_es: shape (positions,), the measure with the position less the measure without it.
    """

    value_at_risk: float
    explained_value_at_risk: float
    expected_shortfall: float
    component_var: Array
    component_es: Array
    incremental_var: Array
    incremental_es: Array

    def marginal_var(self, size: Any) -> Array:
        """The derivative of value at risk to each position's size: the component over the size.

        Raises:
            ArgumentError: a size is zero, whose derivative no scenario of the position itself tells.
            ShapeError: there is not one size a position.
        """
        return self._per_unit(self.component_var, size)

    def marginal_es(self, size: Any) -> Array:
        """The derivative of expected shortfall to each position's size; raises as `marginal_var`."""
        return self._per_unit(self.component_es, size)

    def _per_unit(self, component: Array, size: Any) -> Array:
        sizes = of_shape("size", size, component.shape, "the positions")
        wrong = np.flatnonzero(~np.isfinite(sizes) | (sizes == 0.0))
        if wrong.size:
            value = sizes[wrong[0]].item()
            reason = Reason.OUT_OF_RANGE if value == 0.0 else Reason.NOT_FINITE
            raise ArgumentError("size", int(wrong[0]), reason, value, "it must be finite and not zero")
        return component / sizes


def historical(
    pnl: Any,
    confidence: float = 0.99,
    *,
    convention: Convention | int = Convention.INVERTED_CDF,
    window: int = 0,
) -> Contributions:
    """Contributions by historical simulation: a position's mean loss given that the portfolio's loss is the quantile.

    Euler's allocation (Tasche 1999; Gouriéroux, Laurent and Scaillet 2000). One scenario alone is noise, so the mean
    may be taken over a window around it in the order of losses, with weights that fall linearly and vanish at a rank of
    `window` + 1 away (a triangular rank kernel, as in Epperlein and Smillie 2006). The window is cut to stay symmetric
    and inside the sample.

    Components are within 1e-15 of the greatest P&L of a position, for some hundred scenarios.

    Args:
        pnl: of each position in each scenario, shape (positions, scenarios), profits positive.
        confidence: one fraction.
        convention: UPPER or INVERTED_CDF.
        window: scenarios on each side, from 0 to the number of scenarios.

    Returns:
        `Contributions`; components add up to `explained_value_at_risk` and `expected_shortfall` up to rounding.

    Raises:
        ArgumentError: an element was refused, or there are fewer than two scenarios.
        ShapeError: `pnl` is not a matrix.
        TypeError: an argument is not numeric or has another dtype.
    """
    table = array("pnl", pnl, (2,))
    positions, scenarios = table.shape
    at_least("pnl", scenarios, 2, "at least two scenarios are needed")
    level = array("confidence", confidence, (0,)).item()
    chosen = one_of("convention", convention, (0, 1), "it must be UPPER (0) or INVERTED_CDF (1)")
    says = f"it must be a whole number from 0 to {scenarios}, the number of scenarios"
    reach = one_of("window", window, range(scenarios + 1), says, Reason.OUT_OF_RANGE)
    outputs = [np.empty(positions) for _ in range(4)] + [np.empty(3)]
    arguments = [
        Argument("positions", positions),
        Argument("scenarios", scenarios),
        Argument("pnl", table, AMOUNT),
        Argument("confidence", level, CONFIDENCE),
        Argument("convention", chosen),
        Argument("window", reach),
    ]
    twin = lambda: reference.historical(table, level, chosen, reach)  # noqa: E731
    run("xr_attribution_historical", arguments, outputs, 6 * scenarios, twin)
    *parts, total = outputs
    return Contributions(*(float(each) for each in total), *parts)


def normal(delta: Any, covariance: Any, confidence: float = 0.99) -> Contributions:
    """Contributions of linear positions under normal moves of mean zero, analytically (Garman 1996).

    Components are within 1e-15 of the portfolio's measure, for a few factors.

    Args:
        delta: P&L of each position for a unit move of each factor, shape (positions, factors).
        covariance: of the moves over the holding period, shape (factors, factors).
        confidence: one fraction.

    Returns:
        `Contributions`; all zero where the portfolio has no risk, since there the measures have no derivative.

    Raises:
        ArgumentError: an element was refused, or the covariance is not symmetric and positive semi-definite.
        ShapeError: an array has another shape.
        TypeError: an argument is not numeric or has another dtype.
    """
    table = array("delta", delta, (2,))
    positions, factors = table.shape
    at_least("delta", factors, 1, "at least one risk factor is needed")
    matrix = of_shape("covariance", covariance, (factors, factors), "the deltas")
    level = array("confidence", confidence, (0,)).item()
    outputs = [np.empty(positions) for _ in range(4)] + [np.empty(2)]
    arguments = [
        Argument("positions", positions),
        Argument("factors", factors),
        Argument("delta", table, AMOUNT),
        Argument("covariance", matrix, CovarianceMatrix(), COVARIANCE_MEANS),
        Argument("confidence", level, CONFIDENCE),
    ]
    twin = lambda: reference.normal(table, matrix, level)  # noqa: E731
    run("xr_attribution_normal", arguments, outputs, factors * (factors + 2), twin)
    *parts, total = outputs
    return Contributions(float(total[0]), float(total[0]), float(total[1]), *parts)
