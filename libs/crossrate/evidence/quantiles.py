"""Is a quantile of the candidate's durations higher than stable's by more than a tolerance?

A confidence sequence of a quantile is one of a rate: the p-quantile is above x if the rate of values above x is above
1 − p (Howard and Ramdas 2022, section 3). Two of them make a test of two quantiles: the candidate fails if for some x
its quantile is above limit(x) and stable's below x, each at half the level. As the evidence for the one falls in x
and that for the other rises, the best x is found by bisection. The p-value is 2 max(1/e₁, 1/e₂) there, the least so
far; no distribution is assumed, and values of a histogram count at the end of their bucket that speaks against the
finding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from crossrate.evidence.bernoulli import log_evidence
from crossrate.evidence.samples import Histogram, Samples, SurvivalCounts, floats
from crossrate.evidence.verdict import CALLS_MAX, Evidence, Tolerance

_LOG_TWO = math.log(2)


class QuantileTest:
    """One quantile of durations, against a baseline.

    Args:
        quantile: which, above 0 and below 1: 0.99 is p99.
        tolerance: in the durations' unit, and as a share: relative 0.5 lets p99 be half as long again.
        samples: makes what keeps the durations: Histogram, or Samples for exact ones.

    Raises:
        ValueError: the quantile is out of its range.
    """

    def __init__(
        self, quantile: float, tolerance: Tolerance, samples: Callable[[], Histogram | Samples] = Histogram
    ) -> None:
        if not 0 < quantile < 1:
            raise ValueError(f"quantile is {quantile}: give one above 0 and below 1")
        self._tail = 1 - quantile
        self._tolerance = tolerance
        self._candidate, self._baseline = samples(), samples()
        self._best_fail = self._best_pass = 0.0
        self._current = True

    def observe(self, candidate: ArrayLike = (), baseline: ArrayLike = ()) -> None:
        """Takes durations of calls that ended since the last time.

        Raises:
            ValueError: one is not a finite number.
        """
        self._candidate.add(candidate)
        self._baseline.add(baseline)
        self._current = False

    def _look(self) -> None:
        """Keeps the strongest evidence so far. What is not looked at cannot be found, and costs nothing."""
        if not self._current:
            self._best_fail = max(self._best_fail, self._log_e(failing=True, scale=1.0))
            self._best_pass = max(self._best_pass, self._log_e(failing=False, scale=1.0))
            self._current = True

    def _log_e(self, failing: bool, scale: float) -> float:
        """Logarithm of one over the p-value, if there were `scale` times as many durations that lay as these do."""
        candidate, baseline = self._candidate.survival(), self._baseline.survival()
        if not candidate.n or not baseline.n:
            return 0.0
        points, limit = baseline.points, self._tolerance.limit
        if not points.size:
            return 0.0

        def slow(counts: SurvivalCounts, x: float) -> float:
            return log_evidence(scale * float(counts.surely_above(x)), scale * counts.n, self._tail, above=True)

        def fast(counts: SurvivalCounts, x: float) -> float:
            return log_evidence(scale * float(counts.possibly_from(x)), scale * counts.n, self._tail, above=False)

        def both(place: int) -> tuple[float, float]:
            x = float(points[place])
            if failing:
                # Just above a point, no value of stable that equals it counts against its quantile being lower.
                return slow(candidate, limit(math.nextafter(x, math.inf))), fast(baseline, math.nextafter(x, math.inf))
            x = math.nextafter(x, -math.inf)
            return fast(candidate, limit(x)), slow(baseline, x)

        low, high = 0, points.size - 1
        while low < high:
            middle = (low + high) // 2
            of_candidate, of_baseline = both(middle)
            enough = of_baseline >= of_candidate if failing else of_candidate >= of_baseline
            low, high = (low, middle) if enough else (middle + 1, high)
        best = max(min(both(place)) for place in {low, max(low - 1, 0)})
        return max(best - _LOG_TWO, 0.0)

    def _bounds(self, counts: SurvivalCounts, alpha: float) -> tuple[float, float]:
        """Between which the quantile lies at all times at once with a chance of at least 1 − alpha."""
        points, enough = counts.points, math.log(2 / alpha)
        above = [-math.inf, *points]
        lower = _last(above, lambda x: _excludes(counts.surely_above(x), counts.n, self._tail, True, enough))
        below = [math.inf, *points[::-1]]
        upper = _last(below, lambda x: _excludes(counts.possibly_from(x), counts.n, self._tail, False, enough))
        return (0.0 if lower == -math.inf else float(lower)), float(upper)

    def evidence(self) -> Evidence:
        """Values are in the durations' unit."""
        self._look()
        candidate, baseline = self._candidate.survival(), self._baseline.survival()
        lower, upper = self._bounds(candidate, 0.05) if candidate.n else (0.0, math.inf)
        of_baseline = _quantile(baseline, self._tail)
        return Evidence(
            estimate=_quantile(candidate, self._tail),
            baseline=of_baseline,
            limit=None if of_baseline is None else self._tolerance.limit(of_baseline),
            lower=lower,
            upper=upper,
            p_fail=math.exp(-self._best_fail),
            p_pass=math.exp(-self._best_pass),
            n_candidate=candidate.n,
            n_baseline=baseline.n,
        )

    def calls_needed(self, alpha: float, beta: float) -> int | None:
        """See SequentialTest: how many times what was seen, if more of it lay the same way, would decide."""
        self._look()
        wanted = {True: -math.log(alpha), False: -math.log(beta)}
        if self._best_fail >= wanted[True] or self._best_pass >= wanted[False]:
            return 0
        n = self._candidate.n
        if not n or not self._baseline.n:
            return None
        most = CALLS_MAX / n
        ways = [way for way, want in wanted.items() if self._log_e(way, most) >= want]
        if not ways:
            return None
        low, high = 1.0, most
        while high / low > 1.05:
            middle = math.sqrt(low * high)
            enough = any(self._log_e(way, middle) >= wanted[way] for way in ways)
            low, high = (low, middle) if enough else (middle, high)
        return max(math.ceil(n * (high - 1)), 1)

    def state(self) -> dict[str, Any]:
        """See SequentialTest."""
        self._look()
        return {
            "candidate": self._candidate.state(),
            "baseline": self._baseline.state(),
            "best": [self._best_fail, self._best_pass],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """See SequentialTest."""
        self._candidate.restore(state["candidate"])
        self._baseline.restore(state["baseline"])
        self._best_fail, self._best_pass = floats(state["best"], (2,)).tolist()
        self._current = True


def _excludes(events: np.ndarray, n: int, tail: float, above: bool, enough: float) -> bool:
    return log_evidence(float(events), n, tail, above) >= enough


def _last(points: list[float], holds: Callable[[float], bool]) -> float:
    """The last point for which it holds; it holds for the first and then for a while."""
    low, high = 0, len(points) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(points[middle]) else (low, middle - 1)
    return points[low]


def _quantile(counts: SurvivalCounts, tail: float) -> float | None:
    """The least point that at most a share of `tail` lies above; None without values that are bounded."""
    if not counts.points.size:
        return None
    above = counts.possibly_from(np.nextafter(counts.points, math.inf))
    enough = np.flatnonzero(above <= tail * counts.n * (1 + 1e-12))
    return float(counts.points[enough[0] if enough.size else -1])
