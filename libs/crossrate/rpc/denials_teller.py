"""Tells the log of audit which calls an instance refused: what was counted is published once a period, if there is any.

Facts that NATS did not take are kept with their ids and published again, so that the log has each once; at most
KEPT_MAX, the oldest of which are told first. What a process has counted when it is killed is lost: at most one
period's.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from crossrate.events.envelope import Message
from crossrate.events.errors import EventsError
from crossrate.events.events import Events
from crossrate.rpc.denials import Denials
from crossrate.runtime.ending import end
from crossrate.runtime.process import Runtime
from crossrate.runtime.topology import DENIALS, denials_subject

KEPT_MAX = 4096
"""Facts that wait for NATS; those beyond are dropped and counted in the log."""
OPEN_S_MAX = 5.0
LAST_S_MAX = 2.0
"""What the last facts of an instance that ends may take."""


class DenialsTeller:
    """Publishes an instance's counts.

    Args:
        period_s: between two times.
    """

    def __init__(self, runtime: Runtime, denials: Denials, period_s: float) -> None:
        self._runtime = runtime
        self._log = runtime.log
        self._denials = denials
        self._period_s = period_s
        self._waiting: deque[Message] = deque()
        self._begun_ns = time.time_ns()
        self._number = 0
        self._task: asyncio.Task | None = None

    def start(self) -> None:
        """Begins, if this mesh has a stream for it."""
        if DENIALS in self._runtime.topology.streams:
            self._task = asyncio.create_task(self._run(), name="denials")

    async def stop(self) -> None:
        """Ends it; what is still there is told, if NATS takes it soon."""
        if self._task is None:
            return
        await end({self._task})
        try:
            async with asyncio.timeout(LAST_S_MAX):
                await self._tell()
        except (EventsError, OSError, KeyError, ValueError) as error:
            self._log.warning("refused calls are not told any more", facts=len(self._waiting), error=repr(error))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._period_s)
            try:
                await self._tell()
            except (EventsError, OSError, KeyError, ValueError) as error:
                self._log.warning("refused calls wait to be told", facts=len(self._waiting), error=repr(error))

    def _collect(self) -> None:
        """Counts into messages, each under an id of its own."""
        for fact in self._denials.take():
            self._number += 1
            id = f"{self._runtime.instance}:denied:{self._begun_ns}:{self._number}"
            time_ns = fact.last_time.ToNanoseconds()
            self._waiting.append(Message.of(denials_subject(self._runtime.service), fact, id, time_ns=time_ns))
        if (dropped := len(self._waiting) - KEPT_MAX) > 0:
            for _ in range(dropped):
                self._waiting.popleft()
            self._log.error("refused calls were dropped that nobody could be told of", facts=dropped)

    async def _tell(self) -> None:
        """Publishes everything.

        Raises:
            EventsError: NATS is away or refuses; what is left waits.
            OSError, KeyError, ValueError: there are no credentials.
        """
        self._collect()
        if not self._waiting:
            return
        events = await Events.open(self._runtime, open_timeout_s=OPEN_S_MAX)
        try:
            while self._waiting:
                await events.publish(self._waiting[0])
                self._waiting.popleft()
        finally:
            await events.close()
