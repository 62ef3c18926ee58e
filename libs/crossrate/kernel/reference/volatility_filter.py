"""Volatility filtering: the numpy twins of xr/volatility_filter.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class UnboundedVariance(ArithmeticError):
    """A path whose variance grows beyond all bounds.

    Attributes:
        index: the place in the picks, counted through paths and steps.
    """

    def __init__(self, index: int):
        super().__init__(f"the variance passes 1e60 at pick {index}")
        self.index = index


def variance(returns: Array, constant: Array, reaction: Array, persistence: Array, first: Array) -> tuple[Array]:
    """Bollerslev's (1986) recursion, all series side by side."""
    result = np.empty((returns.shape[0], returns.shape[1] + 1))
    result[:, 0] = first
    for t, moved in enumerate(returns.T):
        result[:, t + 1] = constant + reaction * moved * moved + persistence * result[:, t]
    return (result,)


def scale(returns: Array, variances: Array) -> tuple[Array]:
    """Hull and White (1998)."""
    return (returns * np.sqrt(variances[:, -1:] / variances[:, :-1]),)


def simulate(
    returns: Array,
    variances: Array,
    constant: Array,
    reaction: Array,
    persistence: Array,
    picks: NDArray[np.int64],
) -> tuple[Array]:
    """Sums over paths of standardised returns times the volatility that the path has reached."""
    now = np.repeat(variances[:, -1:], len(picks), axis=1)
    total = np.zeros_like(now)
    unbounded = np.zeros((*now.shape, picks.shape[1]), np.bool_)
    for step, day in enumerate(picks.T):
        moved = returns[:, day] * np.sqrt(now / variances[:, day])
        total += moved
        now = constant[:, None] + reaction[:, None] * moved * moved + persistence[:, None] * now
        unbounded[:, :, step] = ~(now <= 1e60)
        now = np.minimum(now, 1e60)
    if unbounded.any():
        raise UnboundedVariance(int(np.argmax(unbounded)) % picks.size)
    return (total,)
