"""Are the candidate's durations longer as a whole?

With S the share of durations above a point, the candidate is as good as stable within a tolerance if S_c(limit(x)) ≤
S_s(x) + margin for every x: a one-sided Kolmogorov–Smirnov distance of two samples. At one look the
Dvoretzky–Kiefer–Wolfowitz inequality with Massart's constant (1990) bounds each empirical S by √(ln(1/δ) / 2n). It is
looked at the k-th time when both samples are a tenth longer than at the look before, at level α / k(k + 1), which
sums to α over all looks. For samples below a million that is narrower than the bound for every n (Howard and Ramdas
2022, theorem 2), whose constants pay for more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from crossrate.evidence.samples import Histogram, Samples, floats
from crossrate.evidence.verdict import CALLS_MAX, Evidence, Tolerance

_GROWTH = 1.1
_FIRST = 20


class DistributionTest:
    """Whole distributions of durations, one against the other.

    Args:
        tolerance: by how much a candidate's duration may be longer than the one of stable with which it is compared.
        margin: which share of calls may be longer than that, above 0 and below 1.
        samples: makes what keeps the durations: Histogram, or Samples for exact ones.

    Raises:
        ValueError: the margin is out of its range.
    """

    def __init__(
        self, tolerance: Tolerance, margin: float = 0.05, samples: Callable[[], Histogram | Samples] = Histogram
    ) -> None:
        if not 0 < margin < 1:
            raise ValueError(f"margin is {margin}: give a share above 0 and below 1")
        self._tolerance, self._margin = tolerance, margin
        self._candidate, self._baseline = samples(), samples()
        self._looks = 0
        self._next = (_FIRST, _FIRST)
        self._log_fail = self._log_pass = 0.0

    def observe(self, candidate: ArrayLike = (), baseline: ArrayLike = ()) -> None:
        """Takes durations of calls that ended since the last time.

        Raises:
            ValueError: one is not a finite number.
        """
        self._candidate.add(candidate)
        self._baseline.add(baseline)
        sizes = self._candidate.n, self._baseline.n
        if sizes[0] < self._next[0] or sizes[1] < self._next[1]:
            return
        self._looks += 1
        self._next = (math.ceil(sizes[0] * _GROWTH), math.ceil(sizes[1] * _GROWTH))
        over, under = self._distances()
        self._log_fail = max(self._log_fail, self._log_e(over - self._margin, *sizes, self._looks))
        self._log_pass = max(self._log_pass, self._log_e(self._margin - under, *sizes, self._looks))

    def _distances(self) -> tuple[float, float]:
        """The largest excess of the candidate's share above a limit, with buckets read in its favour and against it."""
        candidate, baseline = self._candidate.survival(), self._baseline.survival()
        points = np.concatenate([[0.0], baseline.points])
        limits = self._tolerance.limit(points)
        over = candidate.surely_above(limits) / candidate.n - baseline.possibly_from(points) / baseline.n
        # Between two points of stable the candidate's share is largest just above the lower one.
        under = candidate.possibly_from(limits) / candidate.n - baseline.surely_above(points) / baseline.n
        return float(over.max()), float(max(under.max(), 0.0))

    def _log_e(self, gap: float, n_candidate: float, n_baseline: float, looks: int) -> float:
        """Logarithm of one over the p-value of a gap at one look: gap = (1/√2n_c + 1/√2n_s) √ln(2k(k+1)/p)."""
        if gap <= 0:
            return 0.0
        width = 1 / math.sqrt(2 * n_candidate) + 1 / math.sqrt(2 * n_baseline)
        return max((gap / width) ** 2 - math.log(2 * looks * (looks + 1)), 0.0)

    def evidence(self) -> Evidence:
        """The estimate is the largest excess of the candidate's share above a limit; stable's own would be zero."""
        n_candidate, n_baseline = self._candidate.n, self._baseline.n
        seen = n_candidate > 0 and n_baseline > 0
        over = self._distances()[0] if seen else 0.0
        reach = 1.0
        if self._looks:
            level = math.log(2 * self._looks * (self._looks + 1) / 0.05)
            reach = math.sqrt(level) * (1 / math.sqrt(2 * n_candidate) + 1 / math.sqrt(2 * n_baseline))
        return Evidence(
            estimate=over if seen else None,
            baseline=0.0 if seen else None,
            limit=self._margin,
            lower=max(over - reach, -1.0),
            upper=min(over + reach, 1.0),
            p_fail=math.exp(-self._log_fail),
            p_pass=math.exp(-self._log_pass),
            n_candidate=n_candidate,
            n_baseline=n_baseline,
        )

    def calls_needed(self, alpha: float, beta: float) -> int | None:
        """See SequentialTest: until the bound is narrower than the gap that was seen."""
        if self._log_fail >= -math.log(alpha) or self._log_pass >= -math.log(beta):
            return 0
        n_candidate, n_baseline = self._candidate.n, self._baseline.n
        if not n_candidate or not n_baseline:
            return None
        over, under = self._distances()
        failing = over > self._margin
        gap, level = (over - self._margin, alpha) if failing else (self._margin - under, beta)
        scale, most = 1.0, CALLS_MAX / n_candidate
        while scale <= most:
            looks = self._looks + 1 + math.floor(math.log(scale) / math.log(_GROWTH))
            if self._log_e(gap, n_candidate * scale, n_baseline * scale, looks) >= -math.log(level):
                return max(math.ceil(n_candidate * (scale - 1)), self._next[0] - n_candidate, 1)
            scale *= 1.05
        return None

    def state(self) -> dict[str, Any]:
        """See SequentialTest."""
        return {
            "candidate": self._candidate.state(),
            "baseline": self._baseline.state(),
            "looks": self._looks,
            "next": list(self._next),
            "logs": [self._log_fail, self._log_pass],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """See SequentialTest."""
        self._candidate.restore(state["candidate"])
        self._baseline.restore(state["baseline"])
        self._looks = int(state["looks"])
        first, second = state["next"]
        self._next = int(first), int(second)
        self._log_fail, self._log_pass = floats(state["logs"], (2,)).tolist()
