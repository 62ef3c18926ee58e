"""What markets add to measures of scenarios that count differently; for equal ones the kernel has it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import var
from crossrate.kernel.attribution import Contributions

Array = NDArray[np.float64]


def weighted(parts: Array, weight: Array, confidence: float) -> Contributions:
    """Euler's allocation where scenarios have weights.

    A part's component of value at risk is its loss in the scenario of the quantile; that of expected shortfall its mean
    loss in the worst share 1 − confidence, the scenario on the border counted with what is left of the share (Acerbi
    and Tasche 2002).

    Args:
        parts: profits, shape (parts, scenarios).
        weight: of the scenarios, of sum 1.
        confidence: one fraction.
    """
    total = parts.sum(axis=0)
    found = var.measure(total, confidence, weight=weight)
    value, shortfall = float(found.value_at_risk), float(found.expected_shortfall)
    # The quantile is the loss of a scenario, so that one equals it; -0.0 equals 0.0.
    at = int(np.argmin(np.abs(-total - value)))
    order = np.argsort(total, kind="stable")
    share = 1.0 - confidence
    before = np.cumsum(weight[order]) - weight[order]
    counted = np.zeros_like(weight)
    counted[order] = np.clip(share - before, 0.0, weight[order])
    without = var.measure(total - parts, confidence, weight=weight)
    return Contributions(
        value,
        value,
        shortfall,
        -parts[:, at],
        -(parts * counted).sum(axis=1) / share,
        value - without.value_at_risk,
        shortfall - without.expected_shortfall,
    )
