"""What a test says: passed, failed, or not enough data; with the numbers that explain it."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

CALLS_MAX = 10_000_000
"""A test that would need more calls than this is reported as one that this tolerance cannot decide."""


class Outcome(enum.Enum):
    """What is known."""

    PASS = "pass"
    FAIL = "fail"
    NOT_ENOUGH_DATA = "not enough data"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """By how much a candidate may be worse: its value may reach baseline × (1 + relative) + absolute.

    `absolute` is in the unit of what is measured (a share from 0 to 1, seconds, pips). Both are zero or more, and one
    of them above zero: equal versions can never be told from a candidate that is worse by nothing.

    Raises:
        ValueError: a bound is negative, not a number, or both are zero.
    """

    absolute: float = 0.0
    relative: float = 0.0

    def __post_init__(self) -> None:
        for name in ("absolute", "relative"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"tolerance.{name} is {value}: give a number of zero or more")
        if self.absolute == 0 and self.relative == 0:
            raise ValueError("tolerance is zero: give absolute or relative above zero")

    def limit(self, baseline: float) -> float:
        """The value that a candidate may reach beside this baseline."""
        return baseline * (1 + self.relative) + self.absolute


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a test knows, before anybody says at which error rate it is to be judged.

    `estimate` is the candidate's value, `baseline` stable's, `limit` what the candidate may reach; None where nothing
    was seen. `lower` and `upper` bound the candidate's value at any time at once with 95 %. `p_fail` is an anytime
    p-value of "the candidate is within its limit": the chance that it is ever at most u is at most u, if that is true.
    `p_pass` is the same of "the candidate is beyond its limit".
    """

    estimate: float | None
    baseline: float | None
    limit: float | None
    lower: float
    upper: float
    p_fail: float
    p_pass: float
    n_candidate: int
    n_baseline: int
    unit: str = ""
    """Of the values, for words."""


class SequentialTest(Protocol):
    """One metric of one segment."""

    def evidence(self) -> Evidence:
        """What is known now."""
        ...

    def calls_needed(self, alpha: float, beta: float) -> int | None:
        """About how many more calls of the candidate decide it, if it goes on as it went.

        Args:
            alpha: level at which p_fail is a failure, above 0.
            beta: level at which p_pass is a pass, above 0.

        Returns:
            Zero once it is decided; None if what was seen lies so near to the limit that CALLS_MAX would not do, or if
            nothing was seen.
        """
        ...

    def state(self) -> dict[str, Any]:
        """All that was seen, as JSON has it: what a test made alike takes it by `restore` goes on as this one would."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is no state of such a test.
        """
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one metric in one segment (empty: all calls), at which level, and why.

    `alpha` is the level that p_fail had to reach, `beta` the one for p_pass. `calls_needed` is set for
    NOT_ENOUGH_DATA, and None there if no number of calls would do. `cause` is set for what fails without statistics.
    """

    metric: str
    segment: str
    outcome: Outcome
    evidence: Evidence
    alpha: float
    beta: float
    calls_needed: int | None = None
    cause: str = ""

    @property
    def grave(self) -> bool:
        """Whether it failed by a rule that waits for no statistics."""
        return bool(self.cause)

    def explanation(self) -> str:
        """One sentence with the numbers."""
        name = f"{self.metric} of {self.segment}" if self.segment else self.metric
        if self.grave:
            return f"{name}: {self.cause}"
        seen = self.evidence
        measured = (
            f"{_number(seen.estimate, seen.unit)} (95 % from {_number(seen.lower)} to {_number(seen.upper)}) "
            f"of {seen.n_candidate} calls beside {_number(seen.baseline, seen.unit)} of {seen.n_baseline}, "
            f"limit {_number(seen.limit, seen.unit)}"
        )
        match self.outcome:
            case Outcome.PASS:
                return f"{name} passes: {measured}; p = {seen.p_pass:.2g} ≤ {self.beta:.2g}"
            case Outcome.FAIL:
                return f"{name} fails: {measured}; p = {seen.p_fail:.2g} ≤ {self.alpha:.2g}"
            case _ if self.calls_needed is None:
                return f"{name} is undecided: {measured}; no bounded number of calls would decide it"
            case _:
                return f"{name} is undecided: {measured}; about {self.calls_needed} more calls needed"


def _number(value: float | None, unit: str = "") -> str:
    return "unknown" if value is None else f"{value:.4g} {unit}".rstrip()
