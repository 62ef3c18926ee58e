"""Jumps: how news moves currencies at once, fitted to the tails of the history.

The model (a multivariate form of Merton 1976, Journal of Financial Economics 3, 125–144). News of kind k comes λ(k)
times a day, as a Poisson process, and moves the log rates by a(k) g V(k), g standard normal, in units of their daily
volatilities. For every currency c there are two kinds, with the correlation R of the history:

    V = R e(c)                  moves each currency by its regression on c, so that pegged currencies jump together;
    V = e(c) / √(R⁻¹)(c, c)     moves c alone, by what the others do not explain of it.

What is left of the daily covariance is diffusion, D = R − Σ λ a² V Vᵀ. As Vᵀ R⁻¹ V = 1 for each, it is positive
definite if the largest eigenvalue of W^½ Vᵀ R⁻¹ V W^½, W = diag(λ a²), is below 1: it is held at SHARE_MAX.

The fit. Cumulants add, so the excess kurtosis of a day's return of i is K(i) = 3 Σ λ a⁴ V(i)⁴: linear in x = λ a⁴,
which are the non-negative least squares of the relative errors. Daily moments do not tell λ and a apart: news is as
frequent as PER_DAY_MAX and the shares allow, which makes a = (x / λ)^¼.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PER_DAY_MAX = 0.1
"""News of one kind: at most once in ten days."""
KURTOSIS_MIN = 0.25
"""Excess kurtosis that is not told from none; errors are relative to no less than this."""
SHARE_MAX = 0.5
"""Most of the variance, in any direction, that jumps make."""
SWEEPS_MAX = 20_000
TOLERANCE = 1e-10
STRENGTH_MIN = 1e-6
"""An x below this adds nothing to any kurtosis."""


@dataclass(frozen=True, eq=False)
class Jumps:
    """Fitted jumps of n currencies from k kinds of news; read-only.

    Attributes:
        per_day: shape (k,), how often news of each kind comes in a day.
        about: shape (k,), index of the currency that it is about.
        loading: shape (k, n), a V: the jump of each log rate for g = 1, in units of its daily volatility.
        excess_kurtosis: shape (n,), of a day's returns under the model.
        diffusion: shape (n, n), what is left of the correlation, positive definite; diagonal at most 1.
    """

    per_day: Floats
    about: NDArray[np.intp]
    loading: Floats
    excess_kurtosis: Floats
    diffusion: Floats


def least_squares(matrix: Floats, target: Floats) -> Floats:
    """The x ≥ 0 that minimise |matrix · x − target|, by cyclic coordinate descent.

    Converges for any matrix; coordinates whose column is zero stay 0.
    """
    gram, aim = matrix.T @ matrix, matrix.T @ target
    x = np.zeros(len(aim))
    for _ in range(SWEEPS_MAX):
        largest = 0.0
        for i, own in enumerate(np.diag(gram)):
            if own > 0.0:
                value = max(x[i] + (aim[i] - gram[i] @ x) / own, 0.0)
                largest = max(largest, abs(value - x[i]))
                x[i] = value
        if largest <= TOLERANCE * max(1.0, float(x.max(initial=0.0))):
            break
    return x


def fit(correlation: Floats, excess_kurtosis: Floats) -> Jumps:
    """Jumps whose daily excess kurtosis is nearest to a history's.

    Args:
        correlation: shape (n, n), positive definite.
        excess_kurtosis: shape (n,), of daily returns; what is negative counts as 0.
    """
    count = len(correlation)
    inverse = np.linalg.inv(correlation)
    kinds = np.hstack([correlation, np.diag(1.0 / np.sqrt(np.diag(inverse)))])
    wanted = np.maximum(excess_kurtosis, 0.0)
    unit = np.maximum(wanted, KURTOSIS_MIN)
    x = least_squares(3.0 * kinds**4 / unit[:, None], wanted / unit)
    chosen = np.flatnonzero(x > STRENGTH_MIN)
    strength, columns = x[chosen], kinds[:, chosen]
    # A share is √(x λ). Each alone keeps the bound, and then all together: scaling λ by s² scales the shares by s.
    per_day = np.minimum(PER_DAY_MAX, SHARE_MAX**2 / strength)
    share = np.sqrt(strength * per_day)
    if len(chosen):
        together = np.sqrt(np.outer(share, share)) * (columns.T @ inverse @ columns)
        scale = min(SHARE_MAX / float(np.linalg.eigvalsh(together)[-1]), 1.0)
        per_day, share = per_day * scale**2, share * scale
    arrays = (
        per_day,
        chosen % count,
        (columns * (strength / per_day) ** 0.25).T,
        3.0 * (columns**4) @ strength,
        correlation - (columns * share) @ columns.T,
    )
    for array in arrays:
        array.setflags(write=False)
    return Jumps(*arrays)
