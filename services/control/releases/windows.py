"""Calls of both versions since one looked last, for who watches."""

from __future__ import annotations

from collections.abc import Mapping

from crossrate.api.control.v1 import release_pb2
from services.control.releases.calls import Key, Seen


class Windows:
    """One watcher's place."""

    def __init__(self) -> None:
        self._before = {False: Seen(), True: Seen()}

    def next(self, seen: Mapping[Key, Seen]) -> list[release_pb2.ReleaseWindow]:
        """What ended since this was asked for last, of all methods together, the stable version first."""
        return [self._window(candidate, seen) for candidate in (False, True)]

    def _window(self, candidate: bool, seen: Mapping[Key, Seen]) -> release_pb2.ReleaseWindow:
        now = Seen()
        for (_, side), calls in seen.items():
            if side is candidate:
                now.codes.update(calls.codes)
                now.times.update(calls.times)
        before, self._before[candidate] = self._before[candidate], now
        ended = Seen(now.codes - before.codes, now.times - before.times)
        window = release_pb2.ReleaseWindow(candidate=candidate, calls=ended.calls, failures=ended.failures)
        window.latency_p99.FromMicroseconds(round(ended.quantile_s(0.99) * 1e6))
        return window
