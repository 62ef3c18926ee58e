"""Many metrics and segments at once, with one error rate for all of them.

A candidate is failed by the first test that fails, so that their levels add up to the family's α: each metric has a
share by its weight, all calls together have half of that, and the k-th segment that appears has 1/k(k + 1) of the
other half. What never appears costs nothing. Tests that failed hand their share to the others (Holm 1979, weighted),
which anytime p-values allow at any time: at the moment of the first false failure some true hypothesis has p ≤ its
own share of α (Johari, Koomen, Pekelis and Walsh 2022).

A candidate passes when all required tests pass. Whoever is wrong in any of them would have to be wrong in each, so
that every one may use the whole β.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crossrate.evidence.verdict import Evidence, Outcome, SequentialTest, Verdict

SEGMENTS_MAX = 1000
"""Segments of one metric; calls of others count for the whole alone."""


def average_e(log_es: Iterable[float]) -> float:
    """Logarithm of the average of e-values: one against all hypotheses together, however they depend (Vovk, Wang 2021).

    Raises:
        ValueError: there are none.
    """
    logs = list(log_es)
    if not logs:
        raise ValueError("no e-values: give one or more")
    top = max(logs)
    if math.isinf(top):
        return top
    return top + math.log(sum(math.exp(value - top) for value in logs) / len(logs))


@dataclass(slots=True)
class _Metric:
    """How a metric is tested, and its tests by segment."""

    make: Callable[[], SequentialTest]
    weight: float
    required: bool
    by_segment: bool
    tests: dict[str, SequentialTest] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is said of the candidate as a whole, with every verdict, the deciding ones first.

    `calls_needed` is the largest of those that a pass still waits for; None if it passes or fails, or if one of them
    cannot be decided by any bounded number.
    """

    outcome: Outcome
    verdicts: tuple[Verdict, ...]
    calls_needed: int | None

    def explanation(self) -> str:
        """One line for each verdict that decided; for NOT_ENOUGH_DATA for each that is waited for."""
        return "\n".join(v.explanation() for v in self.verdicts if v.outcome is self.outcome)


class Family:
    """All tests of one candidate.

    Args:
        alpha: chance that a good candidate is ever failed by any of the tests, at most.
        beta: chance that a candidate that is bad in any metric ever passes, at most.

    Raises:
        ValueError: a level is out of its range.
    """

    def __init__(self, alpha: float = 0.05, beta: float = 0.05) -> None:
        for name, level in (("alpha", alpha), ("beta", beta)):
            if not 0 < level < 1:
                raise ValueError(f"{name} is {level}: give a chance above 0 and below 1")
        self.alpha, self.beta = alpha, beta
        self._metrics: dict[str, _Metric] = {}
        self._grave: dict[tuple[str, str], Verdict] = {}

    def declare(
        self,
        metric: str,
        make: Callable[[], SequentialTest],
        *,
        weight: float = 1.0,
        required: bool = True,
        by_segment: bool = False,
    ) -> None:
        """Names a metric, before anything of any metric is looked at.

        Args:
            metric: its name in verdicts.
            make: makes the test of one segment.
            weight: its share of alpha against those of the others, above zero.
            required: whether a pass waits for it over all calls; it does not wait for segments.
            by_segment: there are only segments, and a pass waits for each that appeared, and for one at least: a drift
                in one pair is none of all pairs together.

        Raises:
            ValueError: the metric is there already, tests have begun, or the weight is not above zero.
        """
        if metric in self._metrics or any(m.tests for m in self._metrics.values()):
            raise ValueError(f"metric {metric!r} comes too late or twice: declare each once, before the first test")
        if not (weight > 0 and math.isfinite(weight)):
            raise ValueError(f"weight of {metric!r} is {weight}: give a number above zero")
        self._metrics[metric] = _Metric(make, weight, required, by_segment)

    def test(self, metric: str, segment: str = "") -> SequentialTest | None:
        """The test of a metric in a segment, made when it is first asked for.

        A segment that is asked for because of what its calls showed (the first error of an account) begins after those
        calls; one that is asked for with its first call counts that call as well.

        Args:
            metric: one that was declared.
            segment: an account, desk, pair or method; empty for all calls.

        Returns:
            None if the metric has SEGMENTS_MAX others already.

        Raises:
            KeyError: the metric was not declared.
            ValueError: the metric has only segments, and none is named.
        """
        entry = self._metrics[metric]
        if entry.by_segment and not segment:
            raise ValueError(f"metric {metric!r} was declared by segment: name one")
        found = entry.tests.get(segment)
        if found is None:
            if segment and len(entry.tests.keys() - {""}) >= SEGMENTS_MAX:
                return None
            found = entry.tests[segment] = entry.make()
        return found

    def alarm(self, metric: str, cause: str, segment: str = "") -> None:
        """Fails the candidate at once, by a rule that waits for no statistics: any INTERNAL, a wrong price, a crash.

        Args:
            metric: name of the rule.
            cause: what happened, with the figures, in words; not empty.
            segment: where, or empty. The first cause of a metric and segment is kept.

        Raises:
            ValueError: there is no cause.
        """
        if not cause:
            raise ValueError("an alarm needs a cause in words")
        nothing = Evidence(None, None, None, -math.inf, math.inf, 0.0, 1.0, 0, 0)
        verdict = Verdict(metric, segment, Outcome.FAIL, nothing, self.alpha, self.beta, cause=cause)
        self._grave.setdefault((metric, segment), verdict)

    def state(self) -> dict[str, Any]:
        """All that was seen, as JSON has it, for `restore`."""
        return {
            "tests": {name: {s: t.state() for s, t in metric.tests.items()} for name, metric in self._metrics.items()},
            "alarms": [[verdict.metric, verdict.segment, verdict.cause] for verdict in self._grave.values()],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` gave, in a family that declares the same. Segments keep the order in which they
        appeared, and with it their levels.

        Raises:
            KeyError, TypeError, ValueError: it is the state of another family; this one must not be used then.
        """
        for name, tests in state["tests"].items():
            self._metrics[name].tests.clear()
            for segment, kept in tests.items():
                test = self._metrics[name].tests[segment] = self._metrics[name].make()
                test.restore(kept)
        for metric, segment, cause in state["alarms"]:
            self.alarm(metric, cause, segment)

    def _weights(self) -> dict[tuple[str, str], float]:
        """Shares of alpha; together below one by what is kept for segments that may still appear."""
        total = sum(metric.weight for metric in self._metrics.values())
        weights: dict[tuple[str, str], float] = {}
        for name, metric in self._metrics.items():
            share = metric.weight / total
            if not metric.by_segment:
                share /= 2
                weights[name, ""] = share
            segments = (segment for segment in metric.tests if segment)
            for k, segment in enumerate(segments, start=1):
                weights[name, segment] = share / (k * (k + 1))
        return weights

    def _failed(self, evidence: dict[tuple[str, str], Evidence]) -> dict[tuple[str, str], float]:
        """Levels of all tests after those that failed have handed theirs on; a failure has p ≤ its level."""
        weights = self._weights()
        failed: set[tuple[str, str]] = set()
        while True:
            left = 1 - sum(weights[key] for key in failed)
            more = {k for k, e in evidence.items() if k not in failed and e.p_fail <= self.alpha * weights[k] / left}
            if not more:
                break
            failed |= more
        return {key: self.alpha * weights[key] / left for key in evidence}

    def verdicts(self) -> tuple[Verdict, ...]:
        """What is said of each metric and segment now; failures first, then what is waited for."""
        tests = {(name, s): test for name, m in self._metrics.items() for s, test in m.tests.items()}
        evidence = {key: test.evidence() for key, test in tests.items()}
        levels = self._failed(evidence)
        made = list(self._grave.values())
        for key, seen in evidence.items():
            outcome, needed = Outcome.NOT_ENOUGH_DATA, None
            if seen.p_fail <= levels[key]:
                outcome = Outcome.FAIL
            elif seen.p_pass <= self.beta:
                outcome = Outcome.PASS
            else:
                needed = tests[key].calls_needed(levels[key], self.beta)
            made.append(Verdict(*key, outcome, seen, levels[key], self.beta, needed))
        order = (Outcome.FAIL, Outcome.NOT_ENOUGH_DATA, Outcome.PASS)
        return tuple(sorted(made, key=lambda verdict: (not verdict.grave, order.index(verdict.outcome))))

    def decide(self) -> Decision:
        """What is said of the candidate now.

        It fails if anything fails, in any segment; it passes if every required metric passes: over all calls, or in
        every segment if it is by segment.
        """
        required = {name: metric for name, metric in self._metrics.items() if metric.required}
        for name, metric in required.items():
            if not metric.by_segment:
                self.test(name)
        verdicts = self.verdicts()
        if any(verdict.outcome is Outcome.FAIL for verdict in verdicts):
            return Decision(Outcome.FAIL, verdicts, None)
        waited = [
            verdict
            for verdict in verdicts
            if verdict.outcome is not Outcome.PASS
            and verdict.metric in required
            and (verdict.segment == "" or required[verdict.metric].by_segment)
        ]
        unseen = any(metric.by_segment and not metric.tests for metric in required.values())
        if not waited and not unseen:
            return Decision(Outcome.PASS, verdicts, None)
        needed = [verdict.calls_needed for verdict in waited] + [None] * unseen
        bounded = [calls for calls in needed if calls is not None]
        return Decision(Outcome.NOT_ENOUGH_DATA, verdicts, max(bounded) if len(bounded) == len(needed) else None)
