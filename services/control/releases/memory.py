"""Whether a candidate takes too much memory: by a bound, or by growing while the stable version does not.

A process that has just begun to serve fills what stable has filled long ago. So growth is counted from where the
memory is `memory_settles_within` after the candidate took its first calls; what the service's own instances have grown
by from then on is what the calls are worth, and is taken off.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from services.control.releases.nodes import Running
from services.control.releases.rules import Abort


class MemoryWatch:
    """The memory of one release's candidates. Begins anew with a restart of control.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, abort: Abort, clock: Callable[[], float] = time.monotonic) -> None:
        self._abort, self._clock = abort, clock
        self._began: dict[str, float] = {}
        self._first: dict[str, float] = {}
        self._told = ""

    @property
    def against(self) -> str:
        """Why memory speaks against the candidate; empty if it does not."""
        return self._told

    def look(self, seen: Running) -> None:
        """Takes what the instances have now; an instance that was replaced has another name."""
        now_s = self._clock()
        now = {s.name: s.rss_mib for s in seen.candidates} | dict(seen.stable_rss_mib)
        for name, rss_mib in now.items():
            # One that a rolling release adds later settles by itself.
            settling = now_s - self._began.setdefault(name, now_s) < self._abort.memory_settles_within
            if rss_mib and (settling or name not in self._first):
                self._first[name] = max(rss_mib, self._first.get(name, 0.0))
        stable = [now[n] - self._first[n] for n in seen.stable_rss_mib if now[n]]
        stable_grown = max(0.0, max(stable, default=0.0))
        for state in seen.candidates:
            if state.rss_mib and not self._told:
                self._told = self._judge(state.name, state.rss_mib, stable_grown)

    def _judge(self, name: str, rss_mib: float, stable_grown: float) -> str:
        most, growth = self._abort.memory_mib_max, self._abort.memory_growth_mib_max
        grown = rss_mib - self._first[name]
        if most is not None and rss_mib > most:
            return f"{name} has {rss_mib:.0f} MiB of memory, where it may have {most:g} MiB"
        if growth is not None and grown - stable_grown > growth:
            return (
                f"{name} has grown by {grown:.0f} MiB to {rss_mib:.0f} MiB since it settled, the stable version "
                f"by {stable_grown:.0f} MiB, where it may grow by {growth:g} MiB more"
            )
        return ""
