"""Whether every payload that is not there any more was dropped by a fact of the log that says so.

Such a fact is about all facts of its type before a time and up to a place: later ones include earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crossrate.api.audit.v1 import audit_events_pb2


@dataclass(slots=True)
class _Run:
    """Facts of one type, one after another, whose payloads were dropped."""

    first: int
    last: int
    time_ns_max: int
    count: int


class Dropping:
    """What was dropped, by type, and what the log says that it dropped."""

    def __init__(self) -> None:
        self.count = 0
        self._runs: dict[str, list[_Run]] = {}
        self._open: dict[str, _Run] = {}
        self._allowed: list[audit_events_pb2.PayloadsDropped] = []

    def seen(self, kind: str, time_ns: int, index: int, *, dropped: bool) -> None:
        """Takes the next fact."""
        if not dropped:
            if self._open:
                self._open.pop(kind, None)
            return
        self.count += 1
        run = self._open.get(kind)
        if run is None:
            run = self._open[kind] = _Run(index, index, time_ns, 0)
            self._runs.setdefault(kind, []).append(run)
        run.last, run.time_ns_max, run.count = index, max(run.time_ns_max, time_ns), run.count + 1

    def allowed(self, fact: audit_events_pb2.PayloadsDropped) -> None:
        """Takes what the log says that it dropped."""
        self._allowed.append(fact)

    def uncovered(self) -> Iterator[tuple[int, int, str]]:
        """What was dropped without a fact that says so: first and last place, words."""
        for kind, runs in self._runs.items():
            for run in runs:
                if not any(_covers(fact, kind, run) for fact in self._allowed):
                    yield (
                        run.first,
                        run.last,
                        f"payloads of {kind} are gone, and no fact of the log says that they were",
                    )


def _covers(fact: audit_events_pb2.PayloadsDropped, kind: str, run: _Run) -> bool:
    return (
        fact.type in ("", kind) and run.last <= fact.last_index and run.time_ns_max < fact.before_time.ToNanoseconds()
    )
