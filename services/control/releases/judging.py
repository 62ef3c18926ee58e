"""The analysis of a release: tests of the candidate against the stable version that may be looked at at any time.

The statistics are `crossrate.evidence`'s; what is counted comes from the proxies' log of calls. Each method is a
segment of its own for errors, so that one that fails is not hidden by the others. Calls of streams count for errors
alone: how long one lasts is the caller's choice.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from crossrate.evidence.family import Decision, Family
from crossrate.evidence.proportions import ProportionTest
from crossrate.evidence.quantiles import QuantileTest
from crossrate.evidence.verdict import Outcome, Tolerance
from services.control.releases.calls import Ended
from services.control.releases.domain import Finding
from services.control.releases.specification import Analysis

ERRORS, LATENCY = "errors", "latency"
LOOK_S = 1.0
"""How often calls are given to the tests: what ended in a tick is one block."""


class Analyst:
    """The tests of one release.

    Args:
        is_unary: whether a method, by its path, has one request and one answer.
        clock: seconds that only grow.
    """

    def __init__(
        self, analysis: Analysis, is_unary: Callable[[str], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._is_unary, self._clock = is_unary, clock
        self._looked = -LOOK_S
        self._decision: Decision | None = None
        self._goes_on_unless_failed = analysis.go_on == "unless_failed"
        self._family = Family(analysis.alpha, analysis.beta)
        errors = Tolerance(analysis.errors_absolute, analysis.errors_relative)
        latency = Tolerance(relative=analysis.latency_relative)
        self._family.declare(ERRORS, lambda: ProportionTest(errors))
        self._family.declare(LATENCY, lambda: QuantileTest(analysis.latency_quantile, latency))

    def state(self) -> dict[str, Any]:
        """What the tests have seen, for `restore`."""
        return self._family.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state of the same analysis.

        Raises:
            KeyError, TypeError, ValueError: it is of another; this one must not be used then.
        """
        self._family.restore(state)
        self._decision = self._family.decide()

    def due(self) -> bool:
        """Whether it is time to look again."""
        return self._clock() - self._looked >= LOOK_S

    def look(self, ended: Iterable[Ended]) -> None:
        """Takes the calls that ended since the last look, and decides."""
        self._looked = self._clock()
        counts: dict[str, Counter[str]] = {}
        times: dict[bool, list[float]] = {False: [], True: []}
        for call in ended:
            for segment in ("", call.method.rsplit(".", 1)[-1]):
                count = counts.setdefault(segment, Counter())
                side = "candidate" if call.candidate else "baseline"
                count[side] += 1
                count[f"{side}_bad"] += call.failed
            if self._is_unary(call.method):
                times[call.candidate].append(call.seconds)
        for segment, count in counts.items():
            test = self._family.test(ERRORS, segment)
            if isinstance(test, ProportionTest):
                test.observe(**count)
        test = self._family.test(LATENCY)
        if isinstance(test, QuantileTest) and (times[True] or times[False]):
            test.observe(times[True], times[False])
        self._decision = self._family.decide()

    @property
    def against(self) -> str:
        """Why the candidate fails, with the numbers; empty if it does not."""
        decision = self._decision
        return decision.explanation() if decision is not None and decision.outcome is Outcome.FAIL else ""

    @property
    def may_go_on(self) -> bool:
        """Whether a step that is over may end."""
        decision = self._decision
        return self._goes_on_unless_failed or (decision is not None and decision.outcome is Outcome.PASS)

    def findings(self) -> tuple[Finding, ...]:
        """What each test says, failures first."""
        verdicts = () if self._decision is None else self._decision.verdicts
        return tuple(
            Finding(v.metric, v.segment, v.outcome.name, v.explanation(), v.calls_needed or 0) for v in verdicts
        )
