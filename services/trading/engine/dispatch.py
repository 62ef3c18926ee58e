"""Instructions on their way to broker: in their order, repeated until broker has committed them."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import grpc

from crossrate.api.broker.v1 import routing_service_pb2 as pb
from crossrate.api.broker.v1.routing_service_pb2_grpc import RoutingServiceStub
from crossrate.rpc.call import new_request_id
from crossrate.rpc.call_error import CallError

INSTRUCTIONS_MAX = 500
"""In one call."""
PAUSE_S_MAX = 2.0
GATHER_S = 0.005
"""From one call to the next at least, so that broker commits many instructions at once. An order that comes alone does
not wait."""


class Dispatch:
    """See the module.

    Args:
        refused: called with an instruction that broker will never take, and why.
    """

    def __init__(self, stub: RoutingServiceStub, refused: Callable[[pb.Instruction, str], None], note: Any) -> None:
        self._stub = stub
        self._refused = refused
        self._note = note
        self._queue: deque[pb.Instruction] = deque()
        self._ids: set[str] = set()
        self._waiting = asyncio.Event()

    def add(self, instructions: Sequence[pb.Instruction]) -> None:
        """These were decided and are committed."""
        for each in instructions:
            # An account that was claimed anew tells again what may wait here still; broker takes each once in a call.
            if each.instruction_id not in self._ids:
                self._ids.add(each.instruction_id)
                self._queue.append(each)
                self._waiting.set()

    def _next(self) -> pb.Instruction:
        """Takes out the first."""
        first = self._queue.popleft()
        self._ids.discard(first.instruction_id)
        return first

    @property
    def waiting(self) -> int:
        """Instructions that broker is not known to have."""
        return len(self._queue)

    async def run(self) -> None:
        """Sends, until it is cancelled."""
        failures, loop = 0, asyncio.get_running_loop()
        sent_s = -GATHER_S
        while True:
            await self._waiting.wait()
            if (early_s := sent_s + GATHER_S - loop.time()) > 0 and len(self._queue) < INSTRUCTIONS_MAX:
                await asyncio.sleep(early_s)
            size = INSTRUCTIONS_MAX if failures != -1 else 1
            batch = [self._queue[i] for i in range(min(size, len(self._queue)))]
            if not batch:
                self._waiting.clear()
                continue
            sent_s = loop.time()
            try:
                await self._stub.Instruct(pb.InstructRequest(request_id=new_request_id(), instructions=batch))
            except CallError as error:
                if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                    self._note.error("broker refuses an instruction", count=len(batch), why=str(error))
                    if len(batch) == 1:
                        self._refused(self._next(), error.message)
                    failures = -1  # one by one, so that the others get through
                    continue
                failures = max(failures, 0) + 1
                if failures == 1:
                    self._note.warning("broker does not take instructions; repeating", why=str(error))
                await asyncio.sleep(min(PAUSE_S_MAX, 0.02 * 2 ** min(failures, 8)) * random.uniform(0.5, 1))
                continue
            failures = 0
            for _ in batch:
                self._next()
