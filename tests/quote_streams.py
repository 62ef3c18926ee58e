"""A stream of quotes that is read to its end, resumed by its cursor, and every other end counted."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable, Sequence

import grpc

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc

from .mesh import Mesh

SILENCE_S_MAX = 10.0
"""A stream with heartbeats every second that is silent for this long has failed."""
PAUSE_S = 0.1
"""After a failure."""


class QuoteStreams:
    """Reads streams of quotes one after the other, each where the one before it stopped.

    A stream that ends as the contract says (an `end` message) is resumed with its cursor; any other end is a failure.

    Args:
        running: whether to go on.
        messages_max: after how many messages with quotes a stream is to end; 0: it is not.
    """

    def __init__(
        self, mesh: Mesh, running: Callable[[], bool], instruments: Sequence[str], messages_max: int = 0
    ) -> None:
        self._mesh, self._running = mesh, running
        self._instruments, self._messages_max = list(instruments), messages_max
        self.messages = self.resumed = 0
        self.failures: collections.Counter[str] = collections.Counter()

    async def run(self) -> None:
        """Reads while it is to go on; as often at once as it is called."""
        async with self._mesh.edge_channel() as channel:
            stub, cursor = marketdata_grpc.MarketDataServiceStub(channel), ""
            while self._running():
                request = marketdata.StreamQuotesRequest(
                    instruments=self._instruments, resume_cursor=cursor, max_messages=self._messages_max
                )
                request.heartbeat_interval.seconds = 1
                call = stub.StreamQuotes(request, timeout=3600)
                try:
                    cursor = await self._read(call, cursor)
                except grpc.aio.AioRpcError as error:
                    self.failures[f"stream {error.code().name}: {error.details()}"[:160]] += 1
                    await asyncio.sleep(PAUSE_S)
                except TimeoutError:
                    self.failures[f"stream silent for {SILENCE_S_MAX:g} s"] += 1
                finally:
                    call.cancel()

    async def _read(self, call: grpc.aio.UnaryStreamCall, cursor: str) -> str:
        while self._running():
            async with asyncio.timeout(SILENCE_S_MAX):
                message = await call.read()
            if message is grpc.aio.EOF:
                self.failures["stream ended without saying why"] += 1
                return cursor
            self.messages += 1
            if message.HasField("error"):
                self.failures[f"stream error {message.error.code}: {message.error.message}"[:160]] += 1
                return ""
            cursor = message.position.cursor or cursor
            if message.HasField("end"):
                self.resumed += 1
                return cursor
        return cursor
