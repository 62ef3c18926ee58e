"""Counts of instances, taken twice, as figures of what happened between. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from crossrate.api.control.v1 import observability_pb2 as pb
from crossrate.api.instance.v1 import call_pb2
from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2

FAILURES = frozenset({2, 4, 8, 12, 13, 14, 15})
"""Codes that are the server's fault: UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL,
UNAVAILABLE, DATA_LOSS. The others are answers: a refused order is one."""
CANCELLED = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """What an instance counted, and who it is."""

    service: str
    pid: int
    candidate: bool
    counts: instance_pb2.MeasureInstanceResponse

    @property
    def counted_s(self) -> float:
        """For how long it has counted."""
        return _s(self.counts.counted)


@dataclass(slots=True)
class Sum:
    """Calls of a group over a window."""

    codes: dict[int, int] = field(default_factory=dict)
    buckets: list[int] = field(default_factory=list)
    rate: float = 0.0
    failure_rate: float = 0.0
    messages_rate: float = 0.0
    in_flight: int = 0
    instances: set[str] = field(default_factory=set)

    @property
    def calls(self) -> int:
        """How many ended."""
        return sum(self.codes.values())

    @property
    def judged(self) -> int:
        """How many say something of the server: those that their caller cancelled do not."""
        return self.calls - self.codes.get(CANCELLED, 0)

    @property
    def failures(self) -> int:
        """How many failed by the server's fault."""
        return sum(count for code, count in self.codes.items() if code in FAILURES)

    def add(self, name: str, before: call_pb2.CallCounts | None, now: call_pb2.CallCounts, elapsed_s: float) -> None:
        """Adds what an instance counted between two times."""
        old = {c.code: c.count for c in before.codes} if before is not None else {}
        delta = {c.code: c.count - old.get(c.code, 0) for c in now.codes}
        calls = sum(delta.values())
        for code, count in delta.items():
            if count:
                self.codes[code] = self.codes.get(code, 0) + count
        if not now.streaming:
            known = before.buckets if before is not None and len(before.buckets) == len(now.buckets) else ()
            self._add_buckets([b - a for a, b in zip(known or [0] * len(now.buckets), now.buckets, strict=True)])
        self.in_flight += now.in_flight_count
        if calls or now.in_flight_count:
            self.instances.add(name)
        sent = now.sent_count - (before.sent_count if before is not None else 0)
        if elapsed_s > 0:
            self.rate += calls / elapsed_s
            self.failure_rate += sum(n for code, n in delta.items() if code in FAILURES) / elapsed_s
            self.messages_rate += max(0, sent) / elapsed_s if now.streaming else 0.0

    def _add_buckets(self, more: Sequence[int]) -> None:
        self.buckets = [a + b for a, b in zip(self.buckets, more, strict=True)] if self.buckets else list(more)


def quantile_s(bounds_s: Sequence[float], buckets: Sequence[int], share: float) -> float | None:
    """The time within which a share of the calls ended, in seconds, straight within a bucket; None without calls. What
    took longer than the last bound is told as that bound."""
    total = sum(buckets)
    if not total or not bounds_s:
        return None
    wanted, seen = share * total, 0.0
    for place, count in enumerate(buckets):
        if count and seen + count >= wanted:
            if place == len(bounds_s):
                break
            low = bounds_s[place - 1] if place else 0.0
            return low + (bounds_s[place] - low) * (wanted - seen) / count
        seen += count
    return bounds_s[-1]


Key = tuple[str, str, str, str, bool]
"""Caller, service, method, version, whether candidates answered."""


def between(before: Mapping[str, Measured], now: Mapping[str, Measured]) -> dict[Key, Sum]:
    """What happened between two measurements, by edge. An instance that began in between counts from its begin."""
    sums: dict[Key, Sum] = {}
    for name, measured in now.items():
        old, elapsed_s = _earlier(before.get(name), measured)
        known = {(c.caller, c.method): c for c in old.calls} if old is not None else {}
        for counts in measured.counts.calls:
            key = counts.caller, measured.service, counts.method, measured.counts.version, measured.candidate
            sums.setdefault(key, Sum()).add(name, known.get((counts.caller, counts.method)), counts, elapsed_s)
    return sums


def _earlier(before: Measured | None, now: Measured) -> tuple[instance_pb2.MeasureInstanceResponse | None, float]:
    """What an instance counted before, and for how long since; None for one that began since."""
    if before is None or before.pid != now.pid or before.counted_s > now.counted_s:
        return None, now.counted_s
    return before.counts, now.counted_s - before.counted_s


def edges(sums: Mapping[Key, Sum], bounds_s: Sequence[float], *, include_idle: bool) -> list[pb.Edge]:
    """The edges, the busiest first."""
    found = []
    for (caller, service, method, version, candidate), each in sums.items():
        if not include_idle and not each.calls and not each.in_flight:
            continue
        edge = pb.Edge(
            caller=caller,
            service=service,
            method=method,
            version=version,
            candidate=candidate,
            instance_count=len(each.instances),
            call_count=each.calls,
            calls_per_s=each.rate,
            failure_count=each.failures,
            in_flight_count=each.in_flight,
            messages_per_s=each.messages_rate,
            streaming=not each.buckets,
        )
        if each.judged:
            edge.success_share = 1 - each.failures / each.judged
        for share, told in ((0.5, edge.latency_p50), (0.99, edge.latency_p99)):
            if (seconds := quantile_s(bounds_s, each.buckets, share)) is not None:
                told.FromNanoseconds(round(seconds * 1e9))
        found.append(edge)
    return sorted(found, key=lambda e: (-e.calls_per_s, -e.messages_per_s, e.service, e.method, e.caller, e.version))


def load_of(name: str, before: Mapping[str, Measured], now: Mapping[str, Measured]) -> Sum:
    """What one instance did between two measurements."""
    total = Sum()
    for each in between(*({n: m for n, m in one.items() if n == name} for one in (before, now))).values():
        for code, count in each.codes.items():
            total.codes[code] = total.codes.get(code, 0) + count
        if each.buckets:
            total._add_buckets(each.buckets)
        total.rate += each.rate
        total.failure_rate += each.failure_rate
    if name in now:
        total.in_flight = now[name].counts.in_flight_count
    return total


def bounds_of(measured: Iterable[Measured]) -> Sequence[float]:
    """The bounds of the buckets, the same for every instance."""
    return next((list(m.counts.bucket_bounds_s) for m in measured if m.counts.bucket_bounds_s), [])


def processor_share(before: Measured | None, now: Measured) -> float | None:
    """Processor time over time of an instance's own process; None if it was not measured before."""
    old, elapsed_s = _earlier(before, now)
    if old is None or elapsed_s <= 0:
        return None
    return max(0.0, _s(now.counts.processor_time) - _s(old.processor_time)) / elapsed_s


def _s(duration: object) -> float:
    return duration.seconds + duration.nanos / 1e9  # type: ignore[attr-defined]
