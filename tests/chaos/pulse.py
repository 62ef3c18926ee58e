"""Whether the machine stood still: then that an attempt had no outcome says nothing of who was asked."""

from __future__ import annotations

import asyncio
import time

BEAT_S = 0.05
LATE_S_MAX = 0.5
"""A process that has to wait longer for its turn has neighbours that leases and deadlines run out on."""


class Pulse:
    """Measures how late this process gets its turn."""

    def __init__(self) -> None:
        self.late_s = 0.0
        """The longest by now, in seconds."""

    @property
    def stood_still(self) -> bool:
        """Whether it was too long once."""
        return self.late_s > LATE_S_MAX

    async def run(self, stopping: asyncio.Event) -> None:
        """Measures until it is told to stop."""
        while not stopping.is_set():
            begun_s = time.monotonic()
            await asyncio.sleep(BEAT_S)
            self.late_s = max(self.late_s, time.monotonic() - begun_s - BEAT_S)
