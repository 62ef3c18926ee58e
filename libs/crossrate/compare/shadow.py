"""Which fields a candidate answers differently, beyond what stable differs from itself.

Each call is answered by stable and by the candidate, and some by a second instance of stable. Per field it is counted
how often the candidate differs from stable, and stable from itself; a sequential test (crossrate.evidence) compares
the rates. Where stable's own numbers differ, differences of more than twice the largest that stable has shown are
counted apart, so that a bias is found below noise that never stops.

A field begins with its first difference, which is shown and not counted; the k-th field has 1/k(k + 1) of the
report's α. So the chance that a version like stable is ever said to differ in any field is α, if both kinds of calls
are alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from crossrate.compare.difference import Difference, read_difference
from crossrate.evidence.proportions import ProportionTest
from crossrate.evidence.verdict import Evidence, Outcome, Tolerance

FIELDS_MAX = 2000
"""Fields that are followed; what differs in more is counted as `untold`."""

EXAMPLES_MAX = 5
DEFAULT_TOLERANCE = Tolerance(absolute=0.001)
"""One call in a thousand."""
_BLOCK = 8
_BEYOND = 2.0


@dataclass(frozen=True, slots=True)
class FieldReport:
    """What is known of one field.

    Attributes:
        field: its path without keys and places.
        outcome: FAIL: it differs by more than noise; PASS: shown not to; NOT_ENOUGH_DATA: it may be either.
        calls: calls in which stable and candidate were compared.
        differing: in how many the field differed.
        noise_calls: calls in which stable was compared with itself.
        noise_differing: in how many the field differed there.
        largest: the largest difference by relative size, None if none had one.
        largest_noise: of stable with itself, 0 without.
        examples: the first that were seen, each another path, at most EXAMPLES_MAX.
        calls_needed: about how many more calls decide it; None if decided or if no bounded number does.
        evidence: of the test that decided, or of the rates.
    """

    field: str
    outcome: Outcome
    calls: int
    differing: int
    noise_calls: int
    noise_differing: int
    largest: Difference | None
    largest_noise: float
    examples: tuple[Difference, ...]
    calls_needed: int | None
    evidence: Evidence


@dataclass(slots=True)
class _Field:
    """Counts of one field, since the last block and in all."""

    share: float
    rate: ProportionTest
    beyond: ProportionTest
    block: list[int] = field(default_factory=lambda: [0, 0, 0, 0, 0, 0])
    differing: int = 0
    noise_differing: int = 0
    largest: Difference | None = None
    largest_noise: float = 0.0
    threshold: float = math.inf
    examples: list[Difference] = field(default_factory=list)


class ShadowReport:
    """Counts differences of mirrored calls and judges each field.

    Args:
        alpha: chance that a version like stable is ever said to differ in any field, at most.
        tolerance: how much more often a field may differ than stable from itself: a share of calls.
        three_way: whether stable is also compared with itself. Without it a field fails that is shown to differ in more
            than `tolerance.absolute` of the calls.

    Raises:
        ValueError: alpha is out of its range, or there is no absolute tolerance for two-way reports.
    """

    def __init__(
        self, alpha: float = 0.05, tolerance: Tolerance = DEFAULT_TOLERANCE, *, three_way: bool = True
    ) -> None:
        if not 0 < alpha < 1:
            raise ValueError(f"alpha is {alpha}: give a chance above 0 and below 1")
        if not three_way and not 0 < tolerance.absolute < 1:
            raise ValueError("two-way reports need tolerance.absolute above 0 and below 1")
        self.alpha, self._tolerance, self._three_way = alpha, tolerance, three_way
        self._fields: dict[str, _Field] = {}
        self.calls = self.noise_calls = self.untold = 0
        self._block_calls = 0

    def observe(
        self, candidate: Iterable[Difference] | None = None, noise: Iterable[Difference] | None = None
    ) -> tuple[str, ...]:
        """Takes one mirrored call.

        Args:
            candidate: differences of stable and candidate; None if they were not compared.
            noise: differences of stable and stable; None if they were not compared.

        Returns:
            Fields that differ for the first time.
        """
        new: list[str] = []
        sides = ((0, candidate), (1, noise))
        for place, differences in sides:
            by_field: dict[str, list[Difference]] = {}
            for difference in differences or ():
                by_field.setdefault(difference.field, []).append(difference)
            for name, group in by_field.items():
                self._count(name, group, place, new)
        self.calls += candidate is not None
        self.noise_calls += noise is not None
        for name, entry in self._fields.items():
            if name not in new:
                entry.block[2] += candidate is not None
                entry.block[3] += noise is not None
        self._block_calls += 1
        if self._block_calls >= _BLOCK:
            self._close()
        return tuple(new)

    def _count(self, name: str, group: list[Difference], place: int, new: list[str]) -> None:
        """Counts one call in which a field differed."""
        entry = self._fields.get(name)
        if entry is None:
            if len(self._fields) >= FIELDS_MAX:
                self.untold += 1
                return
            k = len(self._fields) + 1
            entry = self._fields[name] = _Field(1 / (k * (k + 1)), self._make(), self._make())
            new.append(name)
        greatest = max(_magnitude(d) for d in group)
        if place == 0:
            entry.differing += 1
            if entry.largest is None or greatest > _magnitude(entry.largest):
                entry.largest = max(group, key=_magnitude)
            known = {example.path for example in entry.examples}
            fresh = [d for d in group if d.path not in known]
            entry.examples += fresh[: EXAMPLES_MAX - len(entry.examples)]
        else:
            entry.noise_differing += 1
            entry.largest_noise = max(entry.largest_noise, greatest)
        if name not in new:
            entry.block[place] += 1
            entry.block[4 + place] += greatest > entry.threshold

    def _make(self) -> ProportionTest:
        return ProportionTest(self._tolerance) if self._three_way else ProportionTest(ceiling=self._tolerance.absolute)

    def _close(self) -> None:
        """Gives the counts of a block to the tests. What is beyond noise was said before the block began."""
        self._block_calls = 0
        for entry in self._fields.values():
            bad_c, bad_s, n_c, n_s, beyond_c, beyond_s = entry.block
            entry.block = [0, 0, 0, 0, 0, 0]
            entry.rate.observe(candidate_bad=bad_c, candidate=n_c, baseline_bad=bad_s, baseline=n_s)
            if math.isfinite(entry.threshold):
                entry.beyond.observe(candidate_bad=beyond_c, candidate=n_c, baseline_bad=beyond_s, baseline=n_s)
            if entry.largest_noise > 0:
                entry.threshold = _BEYOND * entry.largest_noise

    def fields(self) -> tuple[FieldReport, ...]:
        """What is known of each field that ever differed: failures first, then by how often it differs."""
        reports = [self._report(name, entry) for name, entry in self._fields.items()]
        order = (Outcome.FAIL, Outcome.NOT_ENOUGH_DATA, Outcome.PASS)
        return tuple(sorted(reports, key=lambda r: (order.index(r.outcome), -r.differing, r.field)))

    def _report(self, name: str, entry: _Field) -> FieldReport:
        rate, beyond = entry.rate.evidence(), entry.beyond.evidence()
        # Two tests share the field's part.
        level = self.alpha * entry.share / 2
        outcome, evidence, needed = Outcome.NOT_ENOUGH_DATA, rate, None
        if min(rate.p_fail, beyond.p_fail) <= level:
            outcome = Outcome.FAIL
            evidence = rate if rate.p_fail <= beyond.p_fail else beyond
        elif rate.p_pass <= self.alpha and (beyond.n_candidate == 0 or beyond.p_pass <= self.alpha):
            outcome = Outcome.PASS
        else:
            needed = entry.rate.calls_needed(level, self.alpha)
        return FieldReport(
            field=name,
            outcome=outcome,
            calls=self.calls,
            differing=entry.differing,
            noise_calls=self.noise_calls,
            noise_differing=entry.noise_differing,
            largest=entry.largest,
            largest_noise=entry.largest_noise,
            examples=tuple(entry.examples),
            calls_needed=needed,
            evidence=evidence,
        )

    def state(self) -> dict[str, Any]:
        """All that was seen, as JSON has it, for `restore`."""
        counts = [self.calls, self.noise_calls, self.untold, self._block_calls]
        return {"counts": counts, "fields": {name: _field_state(entry) for name, entry in self._fields.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` gave, in a report with the same arguments. Fields keep the order in which they
        differed first, and with it their parts of alpha.

        Raises:
            KeyError, TypeError, ValueError: it is no such state; this report must not be used then.
        """
        self.calls, self.noise_calls, self.untold, self._block_calls = (int(count) for count in state["counts"])
        self._fields = {}
        for k, (name, kept) in enumerate(state["fields"].items(), start=1):
            entry = self._fields[str(name)] = _Field(1 / (k * (k + 1)), self._make(), self._make())
            entry.rate.restore(kept["rate"])
            entry.beyond.restore(kept["beyond"])
            entry.block = [int(count) for count in kept["block"]]
            entry.differing, entry.noise_differing = (int(count) for count in kept["differing"])
            entry.largest_noise, entry.threshold = (float(size) for size in kept["noise"])
            entry.examples = [read_difference(each) for each in kept["examples"]]
            entry.largest = read_difference(kept["largest"]) if kept["largest"] else None

    def failed(self) -> tuple[FieldReport, ...]:
        """Fields that differ by more than noise."""
        return tuple(report for report in self.fields() if report.outcome is Outcome.FAIL)


def _field_state(entry: _Field) -> dict[str, Any]:
    return {
        "rate": entry.rate.state(),
        "beyond": entry.beyond.state(),
        "block": list(entry.block),
        "differing": [entry.differing, entry.noise_differing],
        "noise": [entry.largest_noise, entry.threshold],
        "examples": [asdict(each) for each in entry.examples],
        "largest": asdict(entry.largest) if entry.largest is not None else None,
    }


def _magnitude(difference: Difference) -> float:
    """Relative size, the same whatever is tolerated; infinite of what is no number."""
    return math.inf if difference.relative is None else difference.relative
