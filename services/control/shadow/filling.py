"""Evidence where few calls come: recorded calls without side effects, asked of the candidate and of stable in pairs.

```
stable instances ─ a sample of their calls ─▶ record ─▶ candidate ┐ in turns one or the other first, one pair at a
   (MirrorCalls)                                    └─▶ stable    ┘ time ─▶ code and time of both ─▶ the analysis
```

Both answers are timed here and at the same moment: they are compared with each other, and with no call of a client.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from crossrate.rpc.contract import MethodContract
from crossrate.rpc.mirror import Mirrored
from crossrate.rpc.release_mark import MARK_HEADER, mark_of
from services.control.registry import Registered, Registry, serving_of
from services.control.releases.calls import FAILURES, Ended
from services.control.shadow.asking import Answer, Asking
from services.control.shadow.plan import repeatable
from services.control.shadow.reading import Reading
from services.control.shadow.record import Record
from services.control.shares import TO_CANDIDATE, TO_STABLE
from services.control.split import candidate_backend

TICK_S = 0.05
BURST_MAX = 5.0
"""Pairs that may be made up for at once."""
KEPT_MAX = 10_000
"""Answers that wait for the analysis, which takes them each second."""
REFUSED = ("7", "16")
"""PERMISSION_DENIED and UNAUTHENTICATED: whoever called may not any more, and nobody is told so again and again."""


class Filling:
    """Repeats recorded calls while `run` runs.

    Args:
        per_s: calls of the candidate a second that are wanted; what clients do not send is filled up.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        registry: Registry,
        service: str,
        per_s: int,
        contracts: Mapping[str, MethodContract],
        log: Any,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._registry, self._service, self._per_s, self._clock = registry, service, per_s, clock
        self._methods = repeatable(service, contracts)
        self._asking, self._record = Asking(), Record()
        self._reading = Reading(
            registry, service, self._asking, list(self._methods), 100.0, max(1, per_s), self._take, log
        )
        self._ended: list[Ended] = []
        self._clients_per_s, self._looked = 0.0, clock()
        self._allowed, self._turn = 0.0, 0

    def _take(self, call: Mirrored, answered_by: str) -> None:
        self._record.keep(call)

    def seen(self, candidate_calls: int) -> list[Ended]:
        """What was answered since this was asked for last, of both versions.

        Args:
            candidate_calls: calls of clients that the candidate has had since then.
        """
        now = self._clock()
        self._clients_per_s = candidate_calls / max(now - self._looked, 1e-3)
        found, self._ended, self._looked = self._ended, [], now
        return found

    async def run(self) -> None:
        """Repeats calls until it is cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._reading.run(), name="calls to fill up with")
                group.create_task(self._fill(), name="fill up")
        finally:
            await self._asking.close()

    def due(self, seconds: float) -> int:
        """How many pairs are to be asked now, after so many seconds: what clients leave free, made up for by BURST_MAX
        at most."""
        more = seconds * max(0.0, self._per_s - self._clients_per_s)
        self._allowed = min(self._allowed + more, BURST_MAX)
        whole = int(self._allowed)
        self._allowed -= whole
        return whole

    async def _fill(self) -> None:
        before = self._clock()
        while True:
            await asyncio.sleep(TICK_S)
            before, passed_s = self._clock(), self._clock() - before
            for _ in range(self.due(passed_s)):
                call = self._record.next()
                if call is None or not await self.ask(call):
                    break

    async def ask(self, call: Mirrored) -> bool:
        """Has both versions answer a call, in turns one or the other first; False while somebody is away."""
        candidates = serving_of(self._registry, candidate_backend(self._service))
        stable = serving_of(self._registry, self._service)
        if not candidates or not stable:
            return False
        self._turn += 1
        pair = [(True, candidates[self._turn % len(candidates)]), (False, stable[self._turn % len(stable)])]
        if self._turn % 2:
            pair.reverse()
        ended = [await self._answered(call, instance, candidate) for candidate, instance in pair]
        if any(code in REFUSED for code, _ in ended):
            self._record.forget(call)
        elif len(self._ended) < KEPT_MAX:
            self._ended += [each for _, each in ended]
        return True

    async def _answered(self, call: Mirrored, instance: Registered, candidate: bool) -> tuple[str, Ended]:
        begun = self._clock()
        contract = self._methods[call.path]
        headers = marked(call.headers, candidate)
        answer = await self._asking.unary(instance.socket, contract, call.request, headers, call.request_id)
        code = code_of(answer)
        return code, Ended(call.path, candidate, code in FAILURES, self._clock() - begun, replayed=True)


def marked(headers: Mapping[str, str], candidate: bool) -> Mapping[str, str]:
    """A call's headers as a version gets them: of a release of several services with that version's mark, so that what
    it asks in turn is answered by the same."""
    release_id, colon, _ = headers.get(MARK_HEADER, "").rpartition(":")
    return {**headers, MARK_HEADER: mark_of(release_id, TO_CANDIDATE if candidate else TO_STABLE)} if colon else headers


def code_of(answer: Answer) -> str:
    """The number of a call's code."""
    return "0" if answer.failure is None else str(answer.failure.code)
