"""Is a candidate's rate of bad calls higher than stable's by more than a tolerance?

Calls come in blocks of n_c calls of the candidate and n_s of stable. With θ the rates of an alternative and θ⁰ the
rates in the hypothesis H that are nearest to it, n_c KL(θ_c, θ⁰_c) + n_s KL(θ_s, θ⁰_s) being smallest, the ratio of
likelihoods

    Bin(k_c; n_c, θ_c) Bin(k_s; n_s, θ_s) / [Bin(k_c; n_c, θ⁰_c) Bin(k_s; n_s, θ⁰_s)]

has an expectation of at most one under each pair of rates in H, if H is convex (Turner, Ly and Grünwald 2024, theorem
1: its logarithm's expectation is concave in the rates, zero at θ⁰, and its slope there points out of H). H is a half
plane, rate_c ≤ rate_s (1 + relative) + absolute, and so is its reverse, which is tested for a pass. Blocks multiply
if θ is chosen before the block: the baseline's rate as it was so far, and the candidate's by a mixture of odds.

What is counted as bad is the caller's: errors, rejects, orders that were not filled. The rates may change from block to
block, as long as they stay in H. How many calls a block has may not depend on how they end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from crossrate.evidence.bernoulli import ODDS_DOWN, ODDS_UP, divergence, log_mean, rate_bounds
from crossrate.evidence.samples import floats
from crossrate.evidence.verdict import CALLS_MAX, Evidence, Tolerance

_NEWTON_STEPS = 30
_SURE = 1 - 1e-12
_ODDS = np.concatenate([ODDS_UP, ODDS_DOWN])
_HALF = len(ODDS_UP)


class ProportionTest:
    """A rate of bad calls against that of a baseline, or against a fixed ceiling.

    Args:
        tolerance: how much worse it may be, as a share from 0 to 1; None with `ceiling`.
        ceiling: the rate that the candidate may have whatever stable does, above 0 and below 1.

    Raises:
        ValueError: both or none of them is given, or the ceiling is out of its range.
    """

    def __init__(self, tolerance: Tolerance | None = None, *, ceiling: float | None = None) -> None:
        if (tolerance is None) == (ceiling is None):
            raise ValueError("give a tolerance or a ceiling, not both")
        if ceiling is not None and not 0 < ceiling < 1:
            raise ValueError(f"ceiling is {ceiling}: give a rate above 0 and below 1")
        self._intercept = ceiling if tolerance is None else tolerance.absolute
        self._slope = 0.0 if tolerance is None else 1 + tolerance.relative
        self._pending = [0, 0, 0, 0]
        self._total = [0, 0, 0, 0]
        self._used = [0, 0, 0, 0]
        self._logs = np.zeros(len(_ODDS))
        self._best_fail = self._best_pass = 0.0

    def observe(self, *, candidate_bad: int = 0, candidate: int = 0, baseline_bad: int = 0, baseline: int = 0) -> None:
        """Takes calls that ended since the last time.

        They wait until there are some of both versions, and then are one block.

        Args:
            candidate_bad: bad calls of the candidate.
            candidate: all its calls, the bad ones too.
            baseline_bad: bad calls of stable.
            baseline: all its calls.

        Raises:
            ValueError: a count is negative, or there are more bad calls than calls.
        """
        counts = (candidate_bad, candidate, baseline_bad, baseline)
        if min(counts) < 0 or candidate_bad > candidate or baseline_bad > baseline:
            raise ValueError(f"counts {counts}: bad calls are from zero to all calls")
        if candidate and not self._used[3] and not self._pending[1]:
            # Calls of stable before the candidate's first only say where to look.
            self._used[2:], self._pending[2:] = self._pending[2:], [0, 0]
        for place, count in enumerate(counts):
            self._pending[place] += count
            self._total[place] += count
        if self._pending[1] and (self._pending[3] or self._slope == 0):
            self._close(*self._pending)
            self._pending = [0, 0, 0, 0]

    def _close(self, bad_c: int, n_c: int, bad_s: int, n_s: int) -> None:
        """Multiplies a block in."""
        if self._slope == 0 or self._used[3]:
            rate = self._baseline_before()
            limit = self._limit(rate)
            if limit < _SURE:
                self._logs += self._block(rate, _odds_times(limit, _ODDS), bad_c, n_c, bad_s, n_s)
            self._best_fail = max(self._best_fail, log_mean(self._logs[:_HALF]))
            self._best_pass = max(self._best_pass, log_mean(self._logs[_HALF:]))
        for place, count in enumerate((bad_c, n_c, bad_s, n_s)):
            self._used[place] += count

    def _baseline_before(self) -> float:
        """The baseline's rate by the blocks so far, drawn towards one half by one call (Krichevsky, Trofimov 1981)."""
        return (self._used[2] + 0.5) / (self._used[3] + 1)

    def _limit(self, rate: float) -> float:
        return self._intercept + self._slope * rate

    def _block(self, rate: float, alternatives: np.ndarray, bad_c: int, n_c: int, bad_s: int, n_s: int) -> np.ndarray:
        """Logarithms of a block's ratio of likelihoods, one for each alternative of the candidate."""
        nearest = self._nearest(rate, alternatives, n_c, n_s)
        limit = np.clip(self._limit(nearest), 1e-300, _SURE)
        log = bad_c * np.log(alternatives / limit) + (n_c - bad_c) * np.log1p((limit - alternatives) / (1 - limit))
        if self._slope:
            log += bad_s * np.log(rate / nearest) + (n_s - bad_s) * np.log1p((nearest - rate) / (1 - nearest))
        return log

    def _nearest(self, rate: float, alternatives: np.ndarray, n_c: float, n_s: float) -> np.ndarray:
        """The baseline's rate on the border of the hypothesis that is nearest to (alternative, rate)."""
        if self._slope == 0:
            return np.full_like(alternatives, rate)
        border = np.clip((alternatives - self._intercept) / self._slope, 1e-300, _SURE)
        low, high = np.minimum(border, rate), np.maximum(border, rate)
        high = np.minimum(high, (_SURE - self._intercept) / self._slope)
        at = np.clip(np.full_like(alternatives, rate), low, high)
        for _ in range(_NEWTON_STEPS):
            limit = np.clip(self._limit(at), 1e-300, _SURE)
            of_c, of_s = limit * (1 - limit), at * (1 - at)
            slope = n_c * self._slope * (limit - alternatives) / of_c + n_s * (at - rate) / of_s
            low, high = np.where(slope < 0, at, low), np.where(slope < 0, high, at)
            # An upper bound of the second derivative would be slow, Newton's own step may leave the bracket.
            curve = n_c * self._slope**2 * _curvature(alternatives, limit) + n_s * _curvature(rate, at)
            step = at - slope / curve
            moved = np.where((step >= low) & (step <= high), step, (low + high) / 2)
            if np.all(np.abs(moved - at) <= 1e-9 * at):
                return moved
            at = moved
        return at

    def evidence(self) -> Evidence:
        """Rates are shares of calls, from 0 to 1."""
        bad_c, n_c, bad_s, n_s = self._total
        baseline = bad_s / n_s if n_s else None
        lower, upper = rate_bounds(bad_c, n_c, 0.05)
        limit = None if baseline is None else min(self._limit(baseline), 1.0)
        return Evidence(
            estimate=bad_c / n_c if n_c else None,
            baseline=baseline,
            limit=limit if self._slope else self._intercept,
            lower=lower,
            upper=upper,
            p_fail=math.exp(-self._best_fail),
            p_pass=math.exp(-self._best_pass),
            n_candidate=n_c,
            n_baseline=n_s,
        )

    def calls_needed(self, alpha: float, beta: float) -> int | None:
        """See SequentialTest: what is missing, over what a call adds at the rates seen so far.

        Without calls of the candidate its rate is taken for stable's.
        """
        bad_c, n_c, bad_s, n_s = self._total
        if self._best_fail >= -math.log(alpha) or self._best_pass >= -math.log(beta):
            return 0
        if not n_s and not (self._slope == 0 and n_c):
            return None
        stable = (bad_s + 0.5) / (n_s + 1)
        rate = (bad_c + stable) / (n_c + 1)
        limit = self._limit(stable)
        failing = rate > limit
        share = n_s / n_c if n_c and n_s else 1.0
        gain = self._gain(rate, stable, share)
        if limit >= _SURE or gain <= 0:
            return None
        have = log_mean(self._logs[:_HALF] if failing else self._logs[_HALF:])
        missing = -math.log(alpha if failing else beta) - have
        # The mixture spreads itself over its odds, and has to find the right ones first.
        missing += math.log(len(ODDS_UP)) / 2 if n_c == 0 else 0.0
        calls = math.ceil(max(missing, 0.0) / gain)
        return max(calls, 1) if calls <= CALLS_MAX else None

    def state(self) -> dict[str, Any]:
        """See SequentialTest."""
        return {
            "pending": list(self._pending),
            "total": list(self._total),
            "used": list(self._used),
            "logs": self._logs.tolist(),
            "best": [self._best_fail, self._best_pass],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """See SequentialTest."""
        self._pending, self._total, self._used = ([int(n) for n in state[k]] for k in ("pending", "total", "used"))
        self._logs = floats(state["logs"], self._logs.shape)
        self._best_fail, self._best_pass = floats(state["best"], (2,)).tolist()

    def _gain(self, rate: float, stable: float, share: float) -> float:
        """Nats that a call of the candidate adds, beside `share` calls of stable."""
        if self._slope == 0:
            return divergence(rate, self._intercept)
        (nearest,) = self._nearest(stable, np.array([rate]), 1.0, share)
        return divergence(rate, min(self._limit(nearest), _SURE)) + share * divergence(stable, nearest)


def _odds_times(rate: float, ratios: np.ndarray) -> np.ndarray:
    """Rates with so many times the odds of a rate."""
    return rate * ratios / (1 + rate * (ratios - 1))


def _curvature(of: np.ndarray | float, at: np.ndarray) -> np.ndarray:
    """Second derivative of KL(of, at) by its second argument."""
    return of / at**2 + (1 - of) / (1 - at) ** 2
