"""What a venue's clock shows, in UTC, where the platform's own clock says roughly when it was."""

from __future__ import annotations

import numpy as np

from crossrate.ticks.clock import Clock

NANOSECONDS = 1_000_000_000
AROUND_NS = 6 * 3600 * NANOSECONDS
"""A change of the clock within this time of now may concern a quote that comes now."""
KEPT_NS = 60 * NANOSECONDS
"""How long the answer whether a change is near is kept."""


class VenueClock:
    """Turns local times of quotes that come live into UTC.

    An hour that comes twice and one that does not exist are decided by the platform's clock: of the two offsets around
    a change, the one that brings the venue's time nearer to the time of receipt is right. Quotes from files, which
    nobody received, are resolved by the order of their rows instead (`crossrate.ticks.clock.Resolver`).
    """

    __slots__ = ("_after", "_before", "_clock", "_from", "_until", "utc")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._from = self._until = 0
        self._before = self._after = 0
        self.utc = clock == Clock()

    def to_utc(self, local_ns: int, receive_ns: int) -> int:
        """A local time, nanoseconds since the clock's own 1970, as nanoseconds since 1970 UTC."""
        if not self._from <= receive_ns < self._until:
            around = self._clock.offset_at(np.array([receive_ns - AROUND_NS, receive_ns + AROUND_NS], np.int64))
            self._before, self._after = around.tolist()
            self._from, self._until = receive_ns, receive_ns + KEPT_NS
        utc = local_ns - self._before
        if self._before == self._after:
            return utc
        other = local_ns - self._after
        return utc if abs(utc - receive_ns) <= abs(other - receive_ns) else other
