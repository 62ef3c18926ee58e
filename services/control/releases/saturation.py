"""Whether a candidate saturates: what its calls take of the processor, what it takes as a whole, how late its event
loop is."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.rpc.contract import contracts
from services.control.releases.calls import is_unary
from services.control.releases.costs import CallCosts
from services.control.releases.domain import Release
from services.control.releases.nodes import Running

if TYPE_CHECKING:
    from services.control.releases.world import World

ASK_EVERY_S = 1.0
REST_S_MAX = 3.0
"""So long a candidate is left alone at most, once its gate has let it through: half of that if the node answers as
ever."""
LAG_HOLDS_S = 10.0
"""An event loop is too late when it was so at every answer for so long, and none of the stable version's was: they tell
the longest delay of some seconds, and a machine that stands still delays them all."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an instance tells about itself: messages that its streams have sent since it began, and the longest delay of
    its event loop in the last seconds, in milliseconds; None before it has looked."""

    sent: int = 0
    loop_lag_ms: float | None = None


def told_by(answer: instance_pb2.MeasureInstanceResponse) -> Told:
    """What matters of an instance's answer."""
    lag_ms = answer.loop_lag_max.ToMicroseconds() / 1000 if answer.HasField("loop_lag_max") else None
    return Told(sum(calls.sent_count for calls in answer.calls if calls.streaming), lag_ms)


class Saturation:
    """Of one release's candidates.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, release: Release, clock: Callable[[], float] = time.monotonic) -> None:
        specification, self._clock = release.specification, clock
        self._abort = specification.abort
        analysis = specification.analysis
        streams = any(m.workload == release.service and m.streaming for m in contracts().values())
        compares = analysis is not None and analysis.processor_relative > 0
        self.costs = CallCosts(is_unary, streams) if compares else None
        """What calls take, for the analysis; None if it does not compare them."""
        self.asks = self._abort.loop_lag_ms_max is not None or (compares and streams)
        """Whether instances have to be asked."""
        self._used: dict[str, deque[tuple[float, float]]] = {}
        self._late_s: dict[str, float] = {}
        self._told = ""
        self._rested = asyncio.Event()

    @property
    def against(self) -> str:
        """Why a bound speaks against the candidate; empty if none does."""
        return self._told

    def look(self, seen: Running) -> None:
        """Takes what the node has read of instances that take calls."""
        if self.costs is not None:
            self.costs.read(seen)
            if self.costs.rested:
                self._rested.set()
        most, over_s = self._abort.processor_percent_max, self._abort.processor_over
        if most is None or not seen.read_s:
            return
        for state in seen.candidates:
            used = self._used.setdefault(state.name, deque())
            if not state.processor_s or (used and state.processor_s < used[-1][1]):
                used.clear()
            if state.processor_s and (not used or used[-1][0] < seen.read_s):
                used.append((seen.read_s, state.processor_s))
            while len(used) > 1 and seen.read_s - used[1][0] >= over_s:
                used.popleft()
            if used and (took_s := seen.read_s - used[0][0]) >= over_s:
                percent = 100 * (used[-1][1] - used[0][1]) / took_s
                if percent > most and not self._told:
                    self._told = (
                        f"{state.name} took {percent:.0f} % of one processor over {took_s:.0f} s, "
                        f"where it may take {most:g} %"
                    )

    async def rest(self) -> None:
        """Waits until it is known what the candidate takes without calls, which nobody will see once it has them."""
        if self.costs is None:
            return
        self.costs.rest()
        self._rested.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REST_S_MAX):
                await self._rested.wait()

    def mirrors(self) -> None:
        """Calls are repeated to the candidate: what it takes is not what it takes without calls."""
        if self.costs is not None:
            self.costs.busy()

    def take(self, told: Mapping[str, Told], candidates: Collection[str]) -> None:
        """Takes what the instances of the service have told, by name; `candidates` are those of the candidate."""
        if self.costs is not None:
            self.costs.streamed({name: each.sent for name, each in told.items()})
        most, now_s = self._abort.loop_lag_ms_max, self._clock()
        if most is None:
            return
        late = {name: each.loop_lag_ms for name, each in told.items() if (each.loop_lag_ms or 0.0) > most}
        if late.keys() - set(candidates):
            late = {}
        # One that did not answer has neither been late nor in time: who does not answer at all hangs, see `pulse`.
        for name in told.keys() - late.keys():
            self._late_s.pop(name, None)
        for name, lag_ms in late.items():
            if now_s - self._late_s.setdefault(name, now_s) >= LAG_HOLDS_S and not self._told:
                self._told = (
                    f"the event loop of {name} is late by up to {lag_ms:.0f} ms since {LAG_HOLDS_S:g} s, "
                    f"where it may be late by {most:g} ms"
                )

    async def ask(self, world: World, service: str) -> None:
        """Asks the instances of a service until it is cancelled."""
        while True:
            candidates = {instance.name for instance in world.candidates(service)}
            self.take(await asked(world, service), candidates)
            await asyncio.sleep(ASK_EVERY_S)


async def asked(world: World, service: str) -> dict[str, Told]:
    """What the instances of a service tell now, by name."""
    question = instance_pb2.MeasureInstanceRequest()
    try:
        answers, _ = await world.instances.ask(
            lambda stub, timeout_s: stub.MeasureInstance(question, timeout=timeout_s), service
        )
    except asyncio.CancelledError:
        # The channel of an instance that goes is closed, and with it a question that is under way there.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return {}
    return {name: told_by(answer) for name, answer in answers.items()}
