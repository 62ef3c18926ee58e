"""The analysis of a release: tests of the candidate against the stable version that may be looked at at any time.

The statistics are `crossrate.evidence`'s; what is counted comes from the proxies' log of calls. Each method is a
segment of its own for errors and times, and for errors so is each pair and account that the proxies read out of the
calls, and each desk that an account belongs to: what fails in one is not hidden by the others. Calls of streams count
for errors alone: how long one lasts is the caller's choice.
"""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from crossrate.evidence.costs import CostTest
from crossrate.evidence.family import Decision, Family
from crossrate.evidence.means import MeanTest
from crossrate.evidence.proportions import ProportionTest
from crossrate.evidence.quantiles import QuantileTest
from crossrate.evidence.verdict import Outcome, Tolerance, Verdict
from services.control.releases.business import Judged
from services.control.releases.calls import Ended
from services.control.releases.costs import CallCosts
from services.control.releases.domain import Finding
from services.control.releases.parts import Business
from services.control.releases.prices import Drift
from services.control.releases.rules import Analysis

ERRORS, LATENCY = "errors", "latency"
REPLAYED = "replayed_latency"
"""Times of recorded calls that were repeated by both versions: they have not come through proxies as others have."""
BY_ACCOUNT = "errors_by_account"
PROCESSOR = "processor_time_a_call"
DESK = "desk "
"""Begins the name of a desk's segment."""
ACCOUNTS_A_LOOK = 50
"""Accounts whose calls are given to their tests at one look, those that wait longest first: what is tested then hangs
on the time alone, and a look costs no more than some milliseconds."""
ACCOUNTS_WAITING_MAX = 10_000
LOOK_S = 1.0
"""How often calls are given to the tests: what ended in a tick is one block."""


def _add(count: Counter[str], candidate: bool, bad: bool) -> None:
    side = "candidate" if candidate else "baseline"
    count[side] += 1
    count[f"{side}_bad"] += bad


class Analyst:
    """The tests of one release.

    Args:
        is_unary: whether a method, by its path, has one request and one answer.
        clock: seconds that only grow.
        business: rules about orders and prices.
        keyed: whether calls have accounts, so that each is looked at by itself.
        desk_of: the desk of an account; empty if it is not known.
        costs: what calls take of the processor; None where that is not compared.
    """

    def __init__(
        self,
        analysis: Analysis,
        is_unary: Callable[[str], bool],
        clock: Callable[[], float] = time.monotonic,
        *,
        business: Sequence[Business] = (),
        keyed: bool = False,
        desk_of: Callable[[str], str] = lambda account: "",
        costs: CallCosts | None = None,
    ) -> None:
        self._is_unary, self._clock, self._desk_of, self._costs = is_unary, clock, desk_of, costs
        self._looked = -LOOK_S
        self._decision: Decision | None = None
        self._goes_on_unless_failed = analysis.go_on == "unless_failed"
        self._family = Family(analysis.alpha, analysis.beta)
        errors = Tolerance(analysis.errors_absolute, analysis.errors_relative)
        latency = Tolerance(relative=analysis.latency_relative)
        self._family.declare(ERRORS, lambda: ProportionTest(errors))
        filled = analysis.fill_calls_per_s > 0
        self._family.declare(LATENCY, lambda: QuantileTest(analysis.latency_quantile, latency), required=not filled)
        if filled:
            self._family.declare(REPLAYED, lambda: QuantileTest(analysis.latency_quantile, latency))
        if costs is not None:
            # What has few calls beside its background can never pass, and would hold every step.
            dearer = Tolerance(analysis.processor_absolute_ms, analysis.processor_relative)
            self._family.declare(PROCESSOR, lambda: CostTest(dearer, "ms"), required=False)
        self._replayed = 0
        self._keyed = keyed
        if keyed:
            self._family.declare(BY_ACCOUNT, lambda: ProportionTest(errors), required=False, by_segment=True)
        self._accounts: dict[str, Counter[str]] = {}
        self._stable = [0, 0]
        self._stable_told: dict[str, tuple[int, int]] = {}
        self._segments = {rule.name: rule.segments for rule in business}
        for rule in business:
            self._declare(rule)

    def _declare(self, rule: Business) -> None:
        if rule.of_orders:
            shares = Tolerance(rule.tolerance)
            self._family.declare(rule.name, lambda: ProportionTest(shares), required=rule.waits)
        else:
            make = functools.partial(MeanTest, rule.tolerance, rule.bound)
            self._family.declare(rule.name, make, required=rule.waits, by_segment=True)

    def state(self) -> dict[str, Any]:
        """What the tests have seen, for `restore`."""
        costs = None if self._costs is None else self._costs.state()
        return {**self._family.state(), "replayed": self._replayed, "costs": costs}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state of the same analysis.

        Raises:
            KeyError, TypeError, ValueError: it is of another; this one must not be used then.
        """
        self._family.restore(state)
        self._replayed = int(state.get("replayed", 0))
        if self._costs is not None and (costs := state.get("costs")) is not None:
            self._costs.restore(costs)
        self._decision = self._family.decide()

    def due(self) -> bool:
        """Whether it is time to look again."""
        return self._clock() - self._looked >= LOOK_S

    def look(self, ended: Iterable[Ended], judged: Iterable[Judged] = (), drifts: Iterable[Drift] = ()) -> None:
        """Takes what was seen since the last look, and decides."""
        self._looked = self._clock()
        self._look_at_calls(list(ended))
        counts: dict[tuple[str, str], Counter[str]] = {}
        for order in judged:
            self._count_order(order, counts)
        self._observe(counts)
        pips: dict[tuple[str, str], list[float]] = {}
        for drift in drifts:
            pips.setdefault((drift.rule, drift.pair or "unknown"), []).append(drift.pips)
        for key, values in pips.items():
            test = self._family.test(*key)
            if isinstance(test, MeanTest):
                test.observe(values)
        self._decision = self._family.decide()

    def _look_at_calls(self, ended: list[Ended]) -> None:
        counts: dict[tuple[str, str], Counter[str]] = {}
        times: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
        for call in ended:
            method = call.method.rsplit(".", 1)[-1]
            for segment in ("", method, *((call.pair,) if call.pair else ()), *self._desks(call.account)):
                _add(counts.setdefault((ERRORS, segment), Counter()), call.candidate, call.failed)
            self._replayed += call.replayed and call.candidate
            if self._is_unary(call.method):
                for segment in ("", method):
                    key = REPLAYED if call.replayed else LATENCY, segment
                    times.setdefault(key, ([], []))[not call.candidate].append(call.seconds)
        self._observe(counts)
        for key, (candidate, stable) in times.items():
            test = self._family.test(*key)
            if isinstance(test, QuantileTest):
                test.observe(candidate, stable)
        if self._keyed:
            self._look_at_accounts(ended)
        self._look_at_costs(ended)

    def _look_at_costs(self, ended: list[Ended]) -> None:
        """What calls take: one pair at most, of the seconds since the last."""
        if self._costs is None:
            return
        test, cost = self._family.test(PROCESSOR), self._costs.look(ended)
        if isinstance(test, CostTest) and cost is not None:
            test.observe(cost.candidate_ms, cost.stable_ms, cost.candidate_calls, cost.stable_calls)

    def _desks(self, account: str) -> tuple[str, ...]:
        """The segment of an account's desk, which is compared with the same desk's accounts of stable."""
        desk = self._desk_of(account) if account else ""
        return (f"{DESK}{desk}",) if desk else ()

    def _look_at_accounts(self, ended: list[Ended]) -> None:
        """Each account of the candidate beside all of stable: it has one version at a time."""
        before = tuple(self._stable)
        for call in ended:
            if not call.candidate:
                self._stable[0] += call.failed
                self._stable[1] += 1
        for call in ended:
            if call.candidate and call.account:
                if call.account not in self._accounts and len(self._accounts) >= ACCOUNTS_WAITING_MAX:
                    continue
                waiting = self._accounts.setdefault(call.account, Counter())
                _add(waiting, call.candidate, call.failed)
        for account in list(self._accounts)[:ACCOUNTS_A_LOOK]:
            test = self._family.test(BY_ACCOUNT, account)
            if not isinstance(test, ProportionTest):
                del self._accounts[account]
                continue
            if account not in self._stable_told:
                # Where stable stands, before anything is compared with it.
                test.observe(baseline_bad=before[0], baseline=before[1])
            bad, count = self._stable_told.get(account, before)
            baseline = {"baseline_bad": self._stable[0] - bad, "baseline": self._stable[1] - count}
            test.observe(**self._accounts.pop(account), **baseline)
            self._stable_told[account] = self._stable[0], self._stable[1]

    def _count_order(self, order: Judged, counts: dict[tuple[str, str], Counter[str]]) -> None:
        segments = self._segments[order.rule]
        _add(counts.setdefault((order.rule, ""), Counter()), order.candidate, order.bad)
        if "pair" in segments:
            _add(counts.setdefault((order.rule, order.pair), Counter()), order.candidate, order.bad)
        if "desk" in segments:
            for desk in self._desks(order.account):
                _add(counts.setdefault((order.rule, desk), Counter()), order.candidate, order.bad)
        if "account" in segments and order.candidate:
            _add(counts.setdefault((order.rule, f"account {order.account}"), Counter()), order.candidate, order.bad)

    def _observe(self, counts: dict[tuple[str, str], Counter[str]]) -> None:
        for (metric, segment), count in counts.items():
            if segment.startswith("account "):
                whole = counts[metric, ""]
                count.update(baseline=whole["baseline"], baseline_bad=whole["baseline_bad"])
            test = self._family.test(metric, segment)
            if isinstance(test, ProportionTest):
                test.observe(**count)

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
            Finding(v.metric, v.segment, v.outcome.name, v.explanation() + self._remark(v), v.calls_needed or 0)
            for v in verdicts
        )

    def _remark(self, verdict: Verdict) -> str:
        """What there is to say beside a verdict: how many of its calls are none of clients, or why costs are not
        compared."""
        if verdict.metric == PROCESSOR and self._costs is not None and self._costs.left_out:
            return f"; the last seconds are left out: {self._costs.left_out}"
        if verdict.metric != ERRORS or verdict.segment or not self._replayed:
            return ""
        return f"; {self._replayed} of the candidate's calls were recorded ones that were repeated"
