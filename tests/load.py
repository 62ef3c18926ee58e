"""A bounded load of unary calls and streams that counts every call which did not go as it should."""

from __future__ import annotations

import asyncio
import time
from typing import Self

import grpc

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc

from .mesh import Mesh
from .quote_streams import QuoteStreams


class Load:
    """Unary calls to two services and quote streams, through the edge, until it is left.

    No call is retried by the client, so whatever the mesh drops is seen here. A stream that ends as the contract says
    (an `end` message) is resumed with its cursor and counted in `resumed`; any other end is a failure.
    """

    def __init__(self, mesh: Mesh, *, unary: int = 4, streams: int = 2, life_s_max: float = 600.0) -> None:
        self._mesh = mesh
        self._unary = unary
        self._streams = streams
        self._quotes = QuoteStreams(mesh, self._running, ("EUR/USD", "USD/JPY"))
        self._end = time.monotonic() + life_s_max
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.calls = 0
        self.failures = self._quotes.failures

    @property
    def messages(self) -> int:
        """How many came on streams."""
        return self._quotes.messages

    @property
    def resumed(self) -> int:
        """How many streams ended as the contract says, and went on."""
        return self._quotes.resumed

    @property
    def failed(self) -> int:
        """How many calls and streams failed."""
        return sum(self.failures.values())

    def _running(self) -> bool:
        return not self._stop.is_set() and time.monotonic() < self._end

    async def _unary_loop(self, index: int) -> None:
        async with self._mesh.edge_channel() as channel:
            instruments = reference_grpc.ReferenceServiceStub(channel)
            quotes = marketdata_grpc.MarketDataServiceStub(channel)
            while self._running():
                self.calls += 1
                try:
                    if (self.calls + index) % 2:
                        await instruments.GetInstrument(
                            reference.GetInstrumentRequest(base="EUR", counter="USD"), timeout=5
                        )
                    else:
                        await quotes.GetQuote(marketdata.GetQuoteRequest(base="EUR", counter="USD"), timeout=5)
                except grpc.aio.AioRpcError as error:
                    self.failures[f"unary {error.code().name}: {error.details()}"] += 1
                await asyncio.sleep(0.002)

    async def __aenter__(self) -> Self:
        loops = [self._unary_loop(i) for i in range(self._unary)] + [self._quotes.run() for _ in range(self._streams)]
        self._tasks = [asyncio.create_task(loop) for loop in loops]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks)
