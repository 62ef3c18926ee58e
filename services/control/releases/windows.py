"""Calls of both versions since one looked last, for who watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crossrate.api.control.v1 import release_pb2
from crossrate.rpc.contract import contracts
from services.control.releases.calls import Key, Seen


class Windows:
    """One watcher's place in a release of some services."""

    def __init__(self, services: Sequence[str]) -> None:
        self._before = {(service, candidate): Seen() for service in services for candidate in (False, True)}

    def next(self, seen: Mapping[Key, Seen]) -> list[release_pb2.ReleaseWindow]:
        """What ended since this was asked for last, of all methods of a service together, the stable version first."""
        return [self._window(service, candidate, seen) for service, candidate in self._before]

    def _window(self, service: str, candidate: bool, seen: Mapping[Key, Seen]) -> release_pb2.ReleaseWindow:
        now = Seen()
        for (path, side), calls in seen.items():
            if side is candidate and contracts()[path].workload == service:
                now.codes.update(calls.codes)
                now.times.update(calls.times)
        before, self._before[service, candidate] = self._before[service, candidate], now
        ended = Seen(now.codes - before.codes, now.times - before.times)
        window = release_pb2.ReleaseWindow(
            service=service, candidate=candidate, calls=ended.calls, failures=ended.failures
        )
        window.latency_p99.FromMicroseconds(round(ended.quantile_s(0.99) * 1e6))
        return window
