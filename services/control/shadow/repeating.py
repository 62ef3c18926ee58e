"""The shadow of one release: calls of the stable version are repeated by the candidate, and the answers compared.

```
stable instances ─ sample, never waited for ─▶ queue ─▶ workers ─┬─▶ candidate ─────────┐
  (MirrorCalls)                                  ▲               └─▶ stable, once more ─┤ compare ─▶ by method, field
                                     record ─ replay, as few came                       │
  the answer that the client got ───────────────────────────────────────────────────────┘
```

Methods with `validate_only` are checked, never done, by both versions: what the client's own call answered is not
compared with that.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping
from typing import Any

from crossrate.compare.message import Comparator
from crossrate.compare.pips import pip_of
from crossrate.rpc.contract import MethodContract
from crossrate.rpc.mirror import Manner, Mirrored, manner_of
from services.control.registry import Registered, Registry, serving_of
from services.control.shadow.asking import Answer, Asking, NotRepeatable, prepared
from services.control.shadow.comparing import MethodComparison, summed
from services.control.shadow.plan import ShadowPlan, chosen
from services.control.shadow.reading import Reading
from services.control.shadow.record import Record
from services.control.shadow.seen import FAIL, PASS, ShadowSeen
from services.control.shadow.streaming import compare_streams
from services.control.split import candidate_backend

WAITING_MAX = 256
"""Calls that wait for a worker; what comes on top is left out and counted."""
WORKERS = 8
"""Calls that are repeated at once."""
STREAMS_MAX = 2
"""Of them streams, which last for seconds."""
SUM_S = 0.5
"""How often the figures are summed up."""
REPLAY_S = 0.1
"""How often it is looked whether recorded calls are to fill up."""


class Shadow:
    """Repeats the calls of one service while `run` runs.

    Args:
        contracts: by wire path.
    """

    def __init__(
        self, registry: Registry, service: str, plan: ShadowPlan, contracts: Mapping[str, MethodContract], log: Any
    ) -> None:
        self._registry, self._service, self._plan, self._log = registry, service, plan, log
        self._chosen_methods = chosen(plan, service, contracts)
        self._methods = self._begun()
        self._asking = Asking()
        self._waiting: asyncio.Queue[tuple[Mirrored, bool, str]] = asyncio.Queue(WAITING_MAX)
        self._streams = asyncio.Semaphore(STREAMS_MAX)
        self._record = Record()
        self._offered = 0
        self._turn = itertools.count()
        self._reading = Reading(
            registry,
            service,
            self._asking,
            list(self._methods),
            plan.percent,
            plan.calls_per_s_max,
            self._take,
            log,
        )
        self._dropped = 0
        self._summed_at, self._summed = -SUM_S, summed((), plan.calls, 0, "")

    def _begun(self) -> dict[str, MethodComparison]:
        plan, methods, comparator = self._plan, self._chosen_methods, Comparator(pip_of)
        return {c.path: MethodComparison(c, comparator, plan, plan.alpha / len(methods)) for c in methods}

    def state(self) -> dict[str, Any]:
        """All that was found, as JSON has it, for `restore`."""
        called = {path: each for path, each in self._methods.items() if each.calls or each.skipped}
        return {"dropped": self._dropped, "methods": {path: each.state() for path, each in called.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from what a shadow of the same plan gave as its state, before it runs; what is none changes nothing.

        Raises:
            KeyError, TypeError, ValueError: it is no such state, or one of other methods.
        """
        methods = self._begun()
        for path, kept in state["methods"].items():
            methods[path].restore(kept)
        self._methods, self._dropped = methods, int(state["dropped"])
        self._summed_at = -SUM_S

    def seen(self) -> ShadowSeen:
        """What was found so far."""
        if time.monotonic() - self._summed_at >= SUM_S:
            self._summed_at = time.monotonic()
            called = [each.seen() for each in self._methods.values() if each.calls or each.skipped]
            trouble = "; ".join(self._reading.trouble.values())
            self._summed = summed(called, self._plan.calls, self._dropped, trouble)
        return self._summed

    @property
    def against(self) -> str:
        """Why the candidate fails; empty if it does not."""
        seen = self.seen()
        return seen.explanation if seen.outcome == FAIL else ""

    @property
    def may_go_on(self) -> bool:
        """Whether steps that follow may begin."""
        seen = self.seen()
        return seen.outcome == PASS or (self._plan.go_on == "unless_failed" and seen.outcome != FAIL)

    async def run(self) -> None:
        """Repeats calls until it is cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._reading.run(), name="calls to repeat")
                for number in range(WORKERS):
                    group.create_task(self._work(), name=f"shadow {number}")
                if self._plan.replay:
                    group.create_task(self._replay(), name="replay")
        finally:
            self._summed_at = -SUM_S
            await self._asking.close()

    def _take(self, call: Mirrored, answered_by: str) -> None:
        self._dropped += call.dropped
        if self._plan.replay and manner_of(self._methods[call.path].contract) is Manner.AS_IS:
            self._record.keep(call)
        self._offer(call, replayed=False, answered_by=answered_by)

    def _offer(self, call: Mirrored, *, replayed: bool, answered_by: str) -> None:
        try:
            self._waiting.put_nowait((call, replayed, answered_by))
            self._offered += 1
        except asyncio.QueueFull:
            self._dropped += 0 if replayed else 1

    async def _replay(self) -> None:
        """Fills up with recorded calls what is left of the most calls a second."""
        allowed = 0.0
        while True:
            await asyncio.sleep(REPLAY_S)
            more = self._plan.calls_per_s_max * REPLAY_S - self._offered
            allowed = max(min(allowed + more, WORKERS), -WORKERS)
            self._offered = 0
            while allowed >= 1 and self._waiting.empty():
                call = self._record.next()
                if call is None:
                    break
                allowed -= 1
                await self._waiting.put((call, True, ""))

    async def _work(self) -> None:
        while True:
            call, replayed, answered_by = await self._waiting.get()
            try:
                await self._repeat(call, replayed, answered_by)
            except NotRepeatable as error:
                self._log.warning("a call is not repeated", reason=str(error))
                self._methods[call.path].skipped += 1
            except Exception:
                # One call that cannot be compared must not end the comparison of the others.
                self._log.exception("a call could not be compared", method=call.path)
                self._methods[call.path].skipped += 1

    def _chosen(self, answered_by: str) -> tuple[Registered, Registered, Registered] | None:
        """The candidate, and stable instances for a first and a second answer; None while somebody is away."""
        candidates = serving_of(self._registry, candidate_backend(self._service))
        stable = serving_of(self._registry, self._service)
        if not candidates or not stable:
            return None
        turn = next(self._turn)
        # Where there are several, the second answer is another instance's.
        others = [each for each in stable if each.name != answered_by] or stable
        first, second = others[turn % len(others)], others[(turn + 1) % len(others)]
        return candidates[turn % len(candidates)], first, second

    async def _repeat(self, call: Mirrored, replayed: bool, answered_by: str) -> None:
        comparison = self._methods[call.path]
        contract = comparison.contract
        asked = self._chosen(answered_by)
        if asked is None:
            comparison.skipped += 1
            return
        candidate, first, second = asked
        request = prepared(contract, call.request)
        manner = manner_of(contract)
        if manner is Manner.STREAM:
            if self._streams.locked():
                self._dropped += 1
                return
            async with self._streams:
                sockets = (first.socket, candidate.socket, second.socket if self._plan.three_way else "")
                await compare_streams(self._asking, comparison, call, sockets)
            return

        def ask(instance: Registered) -> asyncio.Task[Answer]:
            work = self._asking.unary(instance.socket, contract, request, call.headers, call.request_id)
            return asyncio.ensure_future(work)

        fresh = manner is Manner.AS_IS and not replayed
        asking = [ask(candidate)]
        if not fresh:
            asking.append(ask(first))
        if self._plan.three_way:
            asking.append(ask(second))
        answers = await asyncio.gather(*asking)
        stable = Answer(call.answer, call.failure) if fresh else answers[1]
        again = answers[-1] if self._plan.three_way else None
        if replayed:
            comparison.replayed += 1
            if not stable.settled:
                self._record.forget(call)
        comparison.take(call.request, call.request_id, stable, answers[0], again)
