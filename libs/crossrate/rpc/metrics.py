"""What the server counts: few families, labelled by method, counted in plain integers.

All calls of a process run on one event loop, so a count is one addition; the Prometheus client is asked only when
somebody reads. (Its own counters take a lock and about a microsecond for each step.)
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping

import grpc
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histogram as Prometheus is told it, in seconds."""
FINE_BUCKETS_S = tuple(
    float(f"{mantissa}e{power}") for power in range(-4, 2) for mantissa in (1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.4, 8)
)
"""Upper bounds of the histogram as it is counted: ten in each power of ten, so that a quantile is within an eighth. The
coarser ones are among them."""
CALLERS_MAX = 32
"""Callers of one method that are told apart. Services and the edge are far fewer; this bounds what certificates of
services that left the topology leave behind."""
OTHERS = "*"
"""The caller of those beyond."""

CODE_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}
_COARSE = {FINE_BUCKETS_S.index(bound) for bound in BUCKETS_S}


class CallerCounts:
    """Counts of one method's calls by one caller since the process began."""

    __slots__ = ("buckets", "finished", "sent")

    def __init__(self) -> None:
        self.sent = 0
        self.finished = [0] * len(CODE_NAMES)
        self.buckets = [0] * (len(FINE_BUCKETS_S) + 1)


class MethodCounts:
    """One method's counts since the process began."""

    __slots__ = ("callers", "in_flight", "method", "received", "seconds", "started", "streaming")

    def __init__(self, method: str) -> None:
        self.method = method
        self.started = 0
        self.in_flight = 0
        self.received = 0
        self.seconds = 0.0
        self.streaming = False
        self.callers: dict[str, CallerCounts] = {}

    def finish(self, caller: str, code: int, elapsed_s: float, received: int, sent: int) -> None:
        """A call ended. Who called is told apart in the place of one more counter: it costs a look into a dict."""
        self.in_flight -= 1
        self.seconds += elapsed_s
        self.received += received
        try:
            counts = self.callers[caller]
        except KeyError:
            counts = self._of(caller)
        counts.finished[code] += 1
        counts.sent += sent
        counts.buckets[bisect_left(FINE_BUCKETS_S, elapsed_s)] += 1

    def _of(self, caller: str) -> CallerCounts:
        if len(self.callers) >= CALLERS_MAX:
            caller = OTHERS
        return self.callers.setdefault(caller, CallerCounts())

    @property
    def sent(self) -> int:
        """Answers of calls that ended."""
        return sum(counts.sent for counts in self.callers.values())

    @property
    def finished(self) -> list[int]:
        """Calls that ended, by code."""
        return [sum(column) for column in zip(*(c.finished for c in self.callers.values()), strict=True)]

    @property
    def buckets(self) -> list[int]:
        """Calls that ended, by the coarse bounds, and those beyond."""
        coarse, count = [], 0
        fine = [sum(column) for column in zip(*(c.buckets for c in self.callers.values()), strict=True)]
        for place, calls in enumerate(fine):
            count += calls
            if place in _COARSE:
                coarse.append(count)
                count = 0
        return [*coarse, count] if fine else [0] * (len(BUCKETS_S) + 1)


class RpcCounts(Collector):
    """All counts of one server."""

    def __init__(self) -> None:
        self._methods: dict[str, MethodCounts] = {}
        self.refused: Counter[tuple[str, str]] = Counter()
        """Calls that never reached their handler, by (method, reason)."""
        self.unexpected = 0
        """Exceptions that no handler should have raised."""
        self.invariants_broken = 0
        self.tap_dropped = 0
        """Messages that a tap's reader was too slow for."""
        self.dependencies: dict[str, bool] = {}

    def of(self, method: str) -> MethodCounts:
        """The counts of a method; made when first asked for, before any call."""
        return self._methods.setdefault(method, MethodCounts(method))

    @property
    def methods(self) -> Mapping[str, MethodCounts]:
        """The counts of all methods, by full name."""
        return self._methods

    def collect(self) -> Iterator[Metric]:
        """The families as Prometheus reads them."""
        started = CounterMetricFamily("crossrate_rpc_started", "Calls that arrived.", labels=["method"])
        finished = CounterMetricFamily("crossrate_rpc_finished", "Calls that ended.", labels=["method", "code"])
        in_flight = GaugeMetricFamily("crossrate_rpc_in_flight", "Calls being served.", labels=["method"])
        messages = CounterMetricFamily(
            "crossrate_rpc_messages", "Messages of calls, by way.", labels=["method", "direction"]
        )
        seconds = HistogramMetricFamily("crossrate_rpc_duration_seconds", "From arrival to status.", labels=["method"])
        for name, counts in self._methods.items():
            started.add_metric([name], counts.started)
            in_flight.add_metric([name], counts.in_flight)
            messages.add_metric([name, "received"], counts.received)
            messages.add_metric([name, "sent"], counts.sent)
            for code, count in enumerate(counts.finished):
                if count:
                    finished.add_metric([name, CODE_NAMES[code]], count)
            if counts.started:
                seconds.add_metric([name], _cumulative(counts.buckets), counts.seconds)
        refused = CounterMetricFamily(
            "crossrate_rpc_refused", "Calls refused before their handler.", labels=["method", "reason"]
        )
        for labels, count in self.refused.items():
            refused.add_metric(labels, count)
        dependencies = GaugeMetricFamily("crossrate_dependency_up", "1 if reachable.", labels=["dependency"])
        for name, up in self.dependencies.items():
            dependencies.add_metric([name], up)
        yield from (started, finished, in_flight, messages, seconds, refused, dependencies)
        yield CounterMetricFamily(
            "crossrate_unexpected_errors", "Exceptions that no handler should have raised.", self.unexpected
        )
        yield CounterMetricFamily("crossrate_invariants_broken", "Assertions that failed.", self.invariants_broken)
        yield CounterMetricFamily("crossrate_tap_dropped", "Messages left out of taps.", self.tap_dropped)


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    total, rows = 0, []
    for bound, count in zip((*BUCKETS_S, float("inf")), buckets, strict=True):
        total += count
        rows.append(("+Inf" if bound == float("inf") else str(bound), total))
    return rows
