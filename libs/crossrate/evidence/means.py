"""Does a mean drift, as that of price differences in pips, with a variance that nobody knows?

Betting against "the mean is at most m" multiplies a capital by 1 + λ (x − m); with values from −bound to bound and 0
≤ λ < 1 / (bound + m) it stays positive, and if m is right it does not grow in expectation (Waudby-Smith and Ramdas
2024, section 4). The capital is the average over a fixed grid of λ: small ones win where the values scatter, large
ones where they do not, and no variance is assumed. Nothing is assumed about the distribution but the bound; what lies
beyond it is clipped, which may only make a drift look smaller.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from crossrate.evidence.bernoulli import log_mean
from crossrate.evidence.samples import floats
from crossrate.evidence.verdict import CALLS_MAX, Evidence

_BETS = np.geomspace(1e-3, 0.95, 24)
"""λ over its largest value."""


class MeanTest:
    """Differences of candidate and stable, one pair of answers to the same question each.

    The drift passes once it is shown to lie between −tolerance and tolerance, and fails once it is shown not to.

    Args:
        tolerance: how far the mean may be from zero, in the unit of the differences, above zero.
        bound: how large a single difference may be before it is clipped, in the same unit, above the tolerance.
        above: only a mean above the tolerance fails, and one that is shown to lie below it passes, however far.

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(self, tolerance: float, bound: float, *, above: bool = False) -> None:
        if not 0 < tolerance < bound < math.inf:
            raise ValueError(f"give 0 < tolerance ({tolerance}) < bound ({bound})")
        self._tolerance, self._bound, self._above = tolerance, bound, above
        # Rows: the mean is above −tolerance, above tolerance; the same of the mean with its sign changed.
        self._logs = np.zeros((4, len(_BETS)))
        self._best = np.zeros(4)
        self.n = self.clipped = 0
        self._sum = self._squares = 0.0
        self._weights = self._weighted = self._spent = 0.0

    def observe(self, differences: ArrayLike) -> None:
        """Takes differences, candidate less stable.

        Raises:
            ValueError: one is not a number; an infinite one is clipped.
        """
        given = np.atleast_1d(np.asarray(differences, np.float64))
        if np.isnan(given).any():
            raise ValueError("a difference is not a number")
        values = np.clip(given, -self._bound, self._bound)
        if not values.size:
            return
        self.clipped += int((np.abs(given) > self._bound).sum())
        self._bound_mean(values)
        for row, (sign, mean) in enumerate(self._hypotheses()):
            bets = _BETS / (self._bound + mean)
            growth = np.cumsum(np.log1p(np.outer(sign * values - mean, bets)), axis=0) + self._logs[row]
            top = growth.max(axis=1)
            capital = top + np.log(np.exp(growth - top[:, None]).mean(axis=1))
            self._logs[row] = growth[-1]
            self._best[row] = max(self._best[row], float(capital.max()))
        self.n += values.size
        self._sum += float(values.sum())
        self._squares += float((values**2).sum())

    def _hypotheses(self) -> tuple[tuple[int, float], ...]:
        """Signs and means against which is bet."""
        return ((1, -self._tolerance), (1, self._tolerance), (-1, -self._tolerance), (-1, self._tolerance))

    def _bound_mean(self, values: np.ndarray) -> None:
        """The empirical Bernstein confidence sequence (Waudby-Smith, Ramdas 2024, theorem 2), λ fixed by the past."""
        scaled = (values / self._bound + 1) / 2
        mean = (self._sum / self._bound / 2 + self.n / 2 + 0.5) / (self.n + 1)
        spread = (self._squares - self._sum**2 / max(self.n, 1)) / (4 * self._bound**2)
        variance = (spread + 0.25) / (self.n + 1)
        t = self.n + 1 + np.arange(values.size)
        bets = np.minimum(np.sqrt(2 * math.log(2 / 0.05) / (max(variance, 1e-12) * t * np.log1p(t))), 0.5)
        self._weights += float(bets.sum())
        self._weighted += float((bets * scaled).sum())
        self._spent += float(((scaled - mean) ** 2 * (-np.log1p(-bets) - bets)).sum())

    def evidence(self) -> Evidence:
        """Values are in the differences' unit; stable's drift against itself is zero."""
        lower, upper = -self._bound, self._bound
        if self.n:
            centre, reach = self._weighted / self._weights, (math.log(2 / 0.05) + self._spent) / self._weights
            lower = max(lower, (2 * (centre - reach) - 1) * self._bound)
            upper = min(upper, (2 * (centre + reach) - 1) * self._bound)
        return Evidence(
            estimate=self._sum / self.n if self.n else None,
            baseline=0.0 if self.n else None,
            limit=self._tolerance,
            lower=lower,
            upper=upper,
            p_fail=math.exp(-self._log_fail()),
            p_pass=math.exp(-self._log_pass()),
            n_candidate=self.n,
            n_baseline=self.n,
        )

    def _log_pass(self) -> float:
        return float(self._best[2] if self._above else min(self._best[0], self._best[2]))

    def _log_fail(self) -> float:
        """Where two sides are looked at, that halves the evidence."""
        if self._above:
            return max(float(self._best[1]), 0.0)
        return max(float(max(self._best[1], self._best[3])) - math.log(2), 0.0)

    def calls_needed(self, alpha: float, beta: float) -> int | None:
        """See SequentialTest: what is missing, over the growth at the mean and variance seen so far."""
        if self._log_fail() >= -math.log(alpha) or self._log_pass() >= -math.log(beta):
            return 0
        if not self.n:
            return None
        mean = self._sum / self.n
        variance = max((self._squares + self._bound**2 / 4) / (self.n + 1) - mean**2, 1e-12)
        failing = (mean if self._above else abs(mean)) > self._tolerance
        passing = (2,) if self._above else (0, 2)
        rows = (1 if mean > 0 else 3,) if failing else passing
        wanted = -math.log((alpha if self._above else alpha / 2) if failing else beta)
        most = 0.0
        for row in rows:
            sign, hypothesis = self._hypotheses()[row]
            gain = _growth(sign * mean - hypothesis, variance, self._bound + hypothesis)
            if gain <= 0:
                return None
            most = max(most, (wanted - log_mean(self._logs[row])) / gain)
        calls = math.ceil(most)
        return max(calls, 1) if calls <= CALLS_MAX else None

    def state(self) -> dict[str, Any]:
        """See SequentialTest."""
        return {
            "logs": self._logs.tolist(),
            "best": self._best.tolist(),
            "n": self.n,
            "clipped": self.clipped,
            "sums": [self._sum, self._squares, self._weights, self._weighted, self._spent],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """See SequentialTest."""
        self._logs, self._best = floats(state["logs"], self._logs.shape), floats(state["best"], self._best.shape)
        self.n, self.clipped = int(state["n"]), int(state["clipped"])
        sums = floats(state["sums"], (5,)).tolist()
        self._sum, self._squares, self._weights, self._weighted, self._spent = sums


def _growth(edge: float, variance: float, largest: float) -> float:
    """Nats a value, betting best on an edge with a variance, as if values were edge ± their deviation."""
    if edge <= 0:
        return 0.0
    deviation = math.sqrt(variance)
    bets = _BETS / largest
    low = np.maximum((edge - deviation) * bets, -0.999)
    return float(((np.log1p((edge + deviation) * bets) + np.log1p(low)) / 2).max())
