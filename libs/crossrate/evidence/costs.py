"""Does what a call costs exceed a limit beside stable's, as its processor time: means of pairs of the same moments?

A pair has what a call cost the candidate and the stable version on average over the same span of time. Tested is the
mean of candidate − limit(stable) over the pairs, by the bets of `means`: no variance is assumed, and no distribution.
Bets need values with a bound, so each is divided by what stable cost on average in the pairs before it, which is known
when the bet is made and so changes nothing of the promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from crossrate.evidence.means import MeanTest
from crossrate.evidence.samples import floats
from crossrate.evidence.verdict import Evidence, Tolerance

_SHIFT = 0.25
"""`MeanTest` asks whether a mean is above a tolerance, which must be above zero: values are moved by it."""


class CostTest:
    """Pairs of what a call cost. A candidate that is cheaper passes.

    What lies far from the limit, by about twice what stable's calls cost before, is clipped: no single span decides.

    Args:
        tolerance: by how much a call of the candidate may cost more; `absolute` in the unit of the costs.
        unit: of the costs, for words.
    """

    def __init__(self, tolerance: Tolerance, unit: str = "") -> None:
        self._tolerance, self._unit = tolerance, unit
        self._means = MeanTest(_SHIFT, 1.2 * (1 + tolerance.relative) - _SHIFT, above=True)
        self._pairs = 0
        self._sums = np.zeros(2)
        self._calls = [0, 0]

    def observe(
        self, candidate: ArrayLike, baseline: ArrayLike, candidate_calls: int = 0, baseline_calls: int = 0
    ) -> None:
        """Takes pairs, oldest first: a number each, or as many of both.

        Args:
            candidate: what a call cost the candidate; below zero where more was taken off than there was.
            baseline: what one cost the stable version in the same span, zero or more.
            candidate_calls: how many calls all these pairs are of.
            baseline_calls: the same of the stable version.

        Raises:
            ValueError: one is not finite, a baseline is negative, or there are not as many of both.
        """
        pairs = np.stack([np.atleast_1d(np.asarray(side, np.float64)) for side in (candidate, baseline)])
        if not np.isfinite(pairs).all() or (pairs[1] < 0).any():
            raise ValueError("a cost is not a finite number, or a baseline is negative")
        before = np.concatenate([[0.0], np.cumsum(pairs[1])[:-1]]) + self._sums[1]
        counts = self._pairs + np.arange(pairs.shape[1])
        scales = self._scale(before / np.maximum(counts, 1))
        # The first pair says how large costs are, and no more.
        known = (counts > 0) & (scales > 0)
        excess = pairs[0] - self._limit(pairs[1])
        self._means.observe(excess[known] / scales[known] + _SHIFT)
        self._pairs += pairs.shape[1]
        self._sums = self._sums + pairs.sum(axis=1)
        self._calls = [self._calls[0] + candidate_calls, self._calls[1] + baseline_calls]

    def _limit(self, baseline: Any) -> Any:
        return baseline * (1 + self._tolerance.relative) + self._tolerance.absolute

    def _scale(self, baseline: Any) -> Any:
        return self._limit(baseline) / (1 + self._tolerance.relative)

    def evidence(self) -> Evidence:
        """Values are costs of a call, n the calls."""
        if not self._pairs:
            nothing = self._means.evidence()
            return Evidence(None, None, None, 0.0, float("inf"), nothing.p_fail, nothing.p_pass, 0, 0, self._unit)
        candidate, baseline = (self._sums / self._pairs).tolist()
        seen, limit, scale = self._means.evidence(), self._limit(baseline), self._scale(baseline)
        return Evidence(
            estimate=candidate,
            baseline=baseline,
            limit=limit,
            lower=max(0.0, limit + (seen.lower - _SHIFT) * scale),
            upper=limit + (seen.upper - _SHIFT) * scale,
            p_fail=seen.p_fail,
            p_pass=seen.p_pass,
            n_candidate=self._calls[0],
            n_baseline=self._calls[1],
            unit=self._unit,
        )

    def calls_needed(self, alpha: float, beta: float) -> int | None:
        """See SequentialTest: the pairs that are missing, at as many calls each as there were."""
        pairs = self._means.calls_needed(alpha, beta)
        if not pairs or not self._pairs:
            return pairs
        return max(1, round(pairs * self._calls[0] / self._pairs))

    def state(self) -> dict[str, Any]:
        """See SequentialTest."""
        sums = self._sums.tolist()
        return {"means": self._means.state(), "pairs": self._pairs, "sums": sums, "calls": list(self._calls)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """See SequentialTest."""
        self._means.restore(state["means"])
        self._pairs, self._sums = int(state["pairs"]), floats(state["sums"], (2,))
        candidate, baseline = state["calls"]
        self._calls = [int(candidate), int(baseline)]
