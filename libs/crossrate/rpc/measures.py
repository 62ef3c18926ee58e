"""What an instance counts of its calls and takes of its machine, as control asks it."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections import Counter, deque
from pathlib import Path

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.rpc.admission import Admission
from crossrate.rpc.metrics import FINE_BUCKETS_S, RpcCounts

LAG_INTERVAL_S = 0.1
"""How often the event loop's delay is looked at while somebody asks for it."""
LAG_KEPT_S = 5.0
"""Over how long the longest delay is told."""
UNASKED_S_MAX = 15.0
"""When nobody has asked for so long, nothing is looked at any more."""


class LoopLag:
    """How late the event loop comes to what is due. It is watched while somebody asks, and not otherwise."""

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=round(LAG_KEPT_S / LAG_INTERVAL_S))
        self._asked = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def watched(self) -> bool:
        """Whether it is being watched."""
        return self._timer is not None

    def longest_s(self) -> float | None:
        """The longest delay in the last LAG_KEPT_S, in seconds; None until there is one. Asking begins the watch."""
        self._asked = time.monotonic()
        if self._timer is None:
            self._seen.clear()
            self._next()
        return max(self._seen, default=None)

    def stop(self) -> None:
        """Ends the watch."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + LAG_INTERVAL_S
        self._timer = loop.call_at(due, self._came, due)

    def _came(self, due: float) -> None:
        now = time.monotonic()
        self._seen.append(max(0.0, asyncio.get_running_loop().time() - due))
        if now - self._asked > UNASKED_S_MAX:
            self.stop()
        else:
            self._next()


class Measures:
    """Tells an instance's counts.

    Args:
        version: of its program.
    """

    def __init__(self, admission: Admission, counts: RpcCounts, version: str) -> None:
        self._admission, self._counts, self._version = admission, counts, version
        self._begun = time.monotonic()
        self.lag = LoopLag()
        """The event loop's delay."""

    def measure(self) -> instance_pb2.MeasureInstanceResponse:
        """Counts since the process began, and what it takes now. Methods of InstanceService, health and reflection are
        left out: the mesh's own questions are not its work."""
        answer = instance_pb2.MeasureInstanceResponse(
            bucket_bounds_s=FINE_BUCKETS_S, version=self._version, resident_bytes=resident_bytes()
        )
        under_way = [c for c in self._admission.calls if c.method.workload != "instance"]
        answer.in_flight_count = len(under_way)
        answer.counted.FromNanoseconds(round((time.monotonic() - self._begun) * 1e9))
        used = resource.getrusage(resource.RUSAGE_SELF)
        answer.processor_time.FromNanoseconds(round((used.ru_utime + used.ru_stime) * 1e9))
        if (lag_s := self.lag.longest_s()) is not None:
            answer.loop_lag_max.FromNanoseconds(round(lag_s * 1e9))
        in_flight = Counter((c.name, c.caller) for c in under_way)
        sent: Counter[tuple[str, str]] = Counter()
        for call in under_way:
            sent[call.name, call.caller] += call.sent
        for name, method in self._counts.methods.items():
            if not name.startswith(("crossrate.api.instance.", "grpc.")):
                callers = {*method.callers, *(caller for each, caller in in_flight if each == name)}
                for caller in sorted(callers):
                    self._add(answer, name, caller, in_flight[name, caller], sent[name, caller])
        return answer

    def _add(
        self, answer: instance_pb2.MeasureInstanceResponse, name: str, caller: str, in_flight: int, sent: int
    ) -> None:
        method = self._counts.methods[name]
        entry = answer.calls.add(
            caller=caller, method=name, in_flight_count=in_flight, sent_count=sent, streaming=method.streaming
        )
        if (counts := method.callers.get(caller)) is not None:
            entry.sent_count += counts.sent
            entry.buckets.extend(counts.buckets)
            for code, count in enumerate(counts.finished):
                if count:
                    entry.codes.add(code=code, count=count)


def resident_bytes() -> int:
    """Resident memory of this process; 0 where /proc does not tell it."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
