"""Which calls are let in: identity, right, time and room, in this order; each refusal is cheap and early."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping

from google.protobuf.message import Message

from crossrate.api.common.v1 import stream_pb2
from crossrate.rpc import errors
from crossrate.rpc.alarms import Alarms
from crossrate.rpc.call import Call, Stop, monotonic
from crossrate.rpc.caller import EDGE, LOCAL, OPERATOR, Callers, Clients, allowed_callers
from crossrate.rpc.contract import MethodContract
from crossrate.rpc.deadlines import NeededTime, shave
from crossrate.rpc.grants import Client
from crossrate.rpc.kept import Kept
from crossrate.rpc.metrics import MethodCounts, RpcCounts
from crossrate.rpc.release_mark import MARK_HEADER, RELEASE_HEADER, RULE_HEADER
from crossrate.rpc.revocations import Revocations
from crossrate.rpc.transport import CallContext
from crossrate.runtime.topology import Topology

RESERVED_SHARE = 8
"""One slot in so many, on top of the limit, is kept for methods of the reserved lane; at least RESERVED_MIN."""
RESERVED_MIN = 4
RETRY_AFTER_S = 0.1
"""When a refused caller should try again, at the earliest; up to doubled at random, so that not all return at once."""
wall_clock = time.time
NEEDED_S_MAX = 1.0
"""Whatever a method usually takes, a call with this much time is begun."""


def _deadline_passed(call: Call) -> None:
    call.stop(Stop.DEADLINE)


class Method:
    """A method as admission sees it: its contract and what was learned of it."""

    __slots__ = ("allowed", "contract", "counts", "deadline_s", "housekeeping", "kept", "name", "needed", "streams")

    def __init__(self, contract: MethodContract, counts: MethodCounts, allowed: frozenset[str], housekeeping: bool):
        self.contract = contract
        self.name = contract.path[1:]
        self.counts = counts
        self.allowed = allowed
        self.housekeeping = housekeeping
        """Health and reflection: open to every identity, outside of limits and deadlines, not waited for."""
        self.kept = not housekeeping and contract.workload != "instance"
        """Whether its calls are kept for a while: what the mesh asks its instances is not what anybody asks about."""
        counts.streaming = contract.server_streaming
        self.deadline_s = contract.deadline_s
        self.streams = contract.server_streaming
        self.needed = NeededTime(min(NEEDED_S_MAX, contract.deadline_s / 2))


class Admission:
    """Lets calls in and keeps account of those under way.

    Args:
        topology: who may call whom.
        concurrency_max: calls with one answer that are served at once; reserved methods get a few more.
        streams_max: streams of answers that are open at once; they wait most of their life, so there may be many.
        revocations: what identity has taken back; None: no token is believed.
        issuer: `iss` of access tokens; "" for the topology's.
    """

    def __init__(
        self,
        topology: Topology,
        counts: RpcCounts,
        *,
        concurrency_max: int,
        streams_max: int,
        revocations: Revocations | None = None,
        issuer: str = "",
    ) -> None:
        self._topology = topology
        self._callers = Callers(topology.trust_domain)
        self._clients = Clients(topology, revocations, issuer)
        self._counts = counts
        self._busy_max = concurrency_max
        self._busy_reserved_max = concurrency_max + max(RESERVED_MIN, concurrency_max // RESERVED_SHARE)
        self._streams_max = streams_max
        self._alarms: Alarms[Call] = Alarms(_deadline_passed)
        self._busy = 0
        self._streams = 0
        self.kept = Kept()
        """The calls of a while ago."""
        self.calls: set[Call] = set()
        """Calls under way, housekeeping aside."""
        self._idle: asyncio.Event | None = None

    def method(self, contract: MethodContract, housekeeping: bool = False) -> Method:
        """Makes a method known."""
        return Method(
            contract,
            self._counts.of(contract.path[1:]),
            allowed_callers(contract, self._topology),
            housekeeping,
        )

    def enter(self, method: Method, call: Call, context: CallContext, headers: Mapping[str, str]) -> None:
        """Lets a call in: sets its caller, deadline, timer and task, and takes a slot, which `leave` gives back.

        Args:
            headers: of the call, by name.

        Raises:
            Failure: NO_IDENTITY, CALLER_NOT_ALLOWED, TOKEN_REFUSED, SESSION_REVOKED, STEP_UP_REQUIRED,
                DEADLINE_TOO_SHORT or TOO_MANY_REQUESTS.
        """
        caller = call.caller = self._callers.name(headers.get("x-forwarded-client-cert"))
        if method.housekeeping:
            if not caller:
                raise errors.no_identity(method.name)
            return
        if caller not in method.allowed:
            if not caller:
                raise errors.no_identity(method.name)
            raise errors.caller_not_allowed(method.name, caller)
        if caller == EDGE:
            now = wall_clock()
            client = call.client = self._clients.of(headers, method.name, now)
            if not client.roles & method.contract.roles:
                raise errors.caller_not_allowed(method.name, str(client))
            if method.contract.step_up and method.contract.step_up_unless is None:
                self._clients.check_factor(client, method.name, now)
        elif caller == LOCAL:
            call.client = OPERATOR
        if RELEASE_HEADER in headers:
            call.release = headers[RELEASE_HEADER], headers.get(RULE_HEADER, "")
        if MARK_HEADER in headers:
            call.mark = headers[MARK_HEADER]
        budget_s = method.deadline_s
        remaining_s = context.time_remaining()
        if remaining_s is not None and remaining_s < budget_s:
            budget_s = remaining_s
        work_s = shave(budget_s, method.streams)
        needed_s = 0.0 if method.streams else method.needed.needed_s
        if work_s < needed_s or work_s <= 0.0:
            if needed_s:
                method.needed.refused()
            raise errors.deadline_too_short(method.name, work_s, needed_s)
        self._take_slot(method)
        call.deadline = call.begun + work_s
        self.calls.add(call)
        call.task = asyncio.current_task()
        if call.task is None:
            return
        if method.streams:
            call.margin_s = budget_s - work_s
            loop = asyncio.get_running_loop()
            call.timer = loop.call_later(work_s, call.end, stream_pb2.STREAM_END_REASON_MAX_AGE)
        else:
            self._alarms.set(call.deadline, call)

    def factor_check(self, method: Method) -> Callable[[Client, Message], None] | None:
        """What refuses a request for want of a second factor, where what is asked for decides; None where `enter` has
        judged already. The function raises `Failure` with STEP_UP_REQUIRED."""
        if method.contract.step_up_unless is None:
            return None
        field, exempt = method.contract.step_up_unless

        def check(client: Client, request: Message) -> None:
            if getattr(request, field) != exempt:
                self._clients.check_factor(client, method.name, wall_clock())

        return check

    def _take_slot(self, method: Method) -> None:
        if method.streams:
            if self._streams >= self._streams_max:
                raise self._full(self._streams_max)
            self._streams += 1
        else:
            limit = self._busy_reserved_max if method.contract.reserved_lane else self._busy_max
            if self._busy >= limit:
                raise self._full(limit)
            self._busy += 1

    def _full(self, limit: int) -> errors.Failure:
        return errors.too_many_requests(limit, RETRY_AFTER_S * (1 + random.random()))

    def leave(self, method: Method, call: Call, code: int) -> None:
        """A call that `enter` saw has ended, let in or not."""
        if call.timer is not None:
            call.timer.cancel()
            call.timer = None
        elapsed_s = call.elapsed_s = monotonic() - call.begun
        call.code = code
        method.counts.finish(call.caller, code, elapsed_s, call.received, call.sent)
        call.task = None
        if method.kept:
            self.kept.add(call)
        if call in self.calls:
            self.calls.remove(call)
            if method.streams:
                self._streams -= 1
            else:
                self._busy -= 1
                if code == 0 or call.stopped is not None:
                    method.needed.took(elapsed_s)
            if self._idle is not None and not self.calls:
                self._idle.set()

    def end_streams(self, reason: stream_pb2.StreamEndReason) -> None:
        """Asks every open stream to end."""
        for call in tuple(self.calls):
            if call.method.server_streaming:
                call.end(reason)

    def end_clients(self, ended: Callable[[Client], bool]) -> int:
        """Stops the open streams of clients that may not go on; returns how many."""
        found = [
            call
            for call in self.calls
            if call.method.server_streaming and call.client is not None and ended(call.client)
        ]
        for call in found:
            call.stop(Stop.REVOKED)
        return len(found)

    async def drained(self, grace_s: float) -> int:
        """Waits until no call is under way, at most `grace_s` seconds; stops those left and returns how many."""
        if not self.calls:
            return 0
        self._idle = asyncio.Event()
        try:
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
        except TimeoutError:
            left = tuple(self.calls)
            for call in left:
                call.stop(Stop.SHUTDOWN)
            return len(left)
        return 0
