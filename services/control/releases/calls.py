"""What is seen of a release's calls: counts, codes and times by method and version, from the proxies' log of calls."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.control.access_log import STATUS
from services.control.releases.domain import CallsSeen
from services.control.releases.specification import Abort
from services.control.shares import RELEASE_HEADER

METHODS_MAX = 512
"""Methods of one release that are counted; the contract has far fewer."""
FAILURES = frozenset({"2", "4", "8", "12", "13", "14", "15", ""})
"""Codes that are the server's fault: UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL,
UNAVAILABLE, DATA_LOSS, and none at all. The others are answers: a refused order is one."""
CANCELLED = "1"
FRESH_MAX = 100_000
"""Calls that wait for the analysis, which takes them each second."""
BUCKETS_A_DOUBLING = 8
"""Buckets of the histogram between a time and twice that time: a quantile is within 9 %."""
FASTEST_S = 1e-5


@dataclass(slots=True)
class Seen:
    """Calls of one method to one version."""

    codes: Counter[str] = field(default_factory=Counter)
    times: Counter[int] = field(default_factory=Counter)
    """Calls by bucket of their time."""

    @property
    def calls(self) -> int:
        """How many ended, but for those that their caller cancelled."""
        return self.codes.total() - self.codes[CANCELLED]

    @property
    def failures(self) -> int:
        """How many failed for the server's reasons."""
        return sum(n for code, n in self.codes.items() if code in FAILURES)

    def add(self, code: str, seconds: float) -> None:
        """Counts one call."""
        self.codes[code] += 1
        self.times[max(0, round(math.log2(max(seconds, FASTEST_S) / FASTEST_S) * BUCKETS_A_DOUBLING))] += 1

    def quantile_s(self, share: float) -> float:
        """The time within which a share of the calls ended, in seconds; 0 without calls."""
        wanted, seen = share * self.times.total(), 0
        for bucket, count in sorted(self.times.items()):
            seen += count
            if seen >= wanted:
                return FASTEST_S * 2 ** (bucket / BUCKETS_A_DOUBLING)
        return 0.0


Key = tuple[str, bool]
"""Method's path, and whether the candidate answered."""
Judge = Callable[[Abort, Mapping[Key, Seen]], str]
"""Says why the calls speak against a candidate; empty if they do not, or not yet."""


def by_bounds(abort: Abort, seen: Mapping[Key, Seen]) -> str:
    """The bounds of the specification, without statistics: what is beyond them after enough calls ends the release."""
    for (method, candidate), calls in sorted(seen.items()):
        if not candidate or calls.calls < abort.calls_min:
            continue
        name, percent = method.rsplit(".", 1)[-1], 100 * calls.failures / calls.calls
        if abort.error_percent_max is not None and percent > abort.error_percent_max:
            bound = f"at most {abort.error_percent_max:g} % may"
            return f"{percent:.2f} % of {calls.calls} calls of {name} failed, where {bound}"
        p99_ms = calls.quantile_s(0.99) * 1000
        if abort.latency_p99_ms_max is not None and p99_ms > abort.latency_p99_ms_max:
            return f"the p99 of {name} is {p99_ms:.1f} ms, where it may be {abort.latency_p99_ms_max:g} ms"
    return ""


@dataclass(frozen=True, slots=True)
class Ended:
    """One call that has ended."""

    method: str
    candidate: bool
    failed: bool
    seconds: float


class CallLog:
    """Takes the proxies' logs.

    Args:
        is_candidate: whether the instance at a socket is a candidate's.
    """

    def __init__(self, is_candidate: Callable[[str], bool]) -> None:
        self._is_candidate = is_candidate
        self._seen: dict[str, dict[Key, Seen]] = {}
        self._fresh: dict[str, deque[Ended]] = {}

    def seen(self, release: str) -> Mapping[Key, Seen]:
        """The calls under a release's id."""
        return self._seen.get(release, {})

    def summary(self, release: str) -> tuple[CallsSeen, ...]:
        """The same in figures, in order of method, the stable version first."""
        return tuple(
            CallsSeen(
                method,
                candidate,
                seen.calls,
                seen.failures,
                round(seen.quantile_s(0.5) * 1000, 3),
                round(seen.quantile_s(0.99) * 1000, 3),
            )
            for (method, candidate), seen in sorted(self.seen(release).items())
        )

    def begin(self, release: str) -> None:
        """Counts calls under a release from now on; those of others are not looked at."""
        self._seen.setdefault(release, {})
        self._fresh.setdefault(release, deque(maxlen=FRESH_MAX))

    def state(self, release: str) -> list[list[Any]]:
        """The counts of a release, as JSON has them."""
        return [[*key, dict(seen.codes), dict(seen.times)] for key, seen in self.seen(release).items()]

    def restore(self, release: str, state: Iterable[Sequence[Any]]) -> None:
        """Begins with counts that were kept.

        Raises:
            ValueError, TypeError, AttributeError: it is no such state.
        """
        kept = {}
        for method, candidate, codes, times in state:
            counted = Counter({int(bucket): int(n) for bucket, n in times.items()})
            kept[str(method), bool(candidate)] = Seen(Counter({str(c): int(n) for c, n in codes.items()}), counted)
        self._seen[release] = kept

    def fresh(self, release: str) -> list[Ended]:
        """The calls that ended since this was asked for last; the newest FRESH_MAX."""
        found = list(self._fresh.get(release, ()))
        if found:
            self._fresh[release].clear()
        return found

    def forget(self, release: str) -> None:
        """Lets go of a release's counts."""
        self._seen.pop(release, None)
        self._fresh.pop(release, None)

    def take(self, entry: Any) -> None:
        """Counts one entry of the log."""
        release = entry.request.request_headers.get(RELEASE_HEADER, "")
        seen = self._seen.get(release)
        if seen is None:
            return
        common = entry.common_properties
        key = entry.request.path, self._is_candidate(common.upstream_remote_address.pipe.path)
        if key not in seen and len(seen) >= METHODS_MAX:
            return
        trailers, headers = entry.response.response_trailers, entry.response.response_headers
        code = trailers.get(STATUS) or headers.get(STATUS, "")
        took = common.time_to_last_downstream_tx_byte
        seconds = took.seconds + took.nanos / 1e9
        seen.setdefault(key, Seen()).add(code, seconds)
        if code != CANCELLED:
            self._fresh[release].append(Ended(*key, code in FAILURES, seconds))
