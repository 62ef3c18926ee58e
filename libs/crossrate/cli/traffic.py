"""A little traffic through the edge, without retries, so that whatever the mesh drops is seen and counted."""

from __future__ import annotations

import asyncio
import collections
from typing import Self

import grpc

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1.reference_service_pb2_grpc import ReferenceServiceStub

CALLERS = 4
PAUSE_S = 0.002
FLOWING_CALLS = 200
"""So many calls have to come back before traffic is said to flow."""
FLOWING_S_MAX = 15.0


class Traffic:
    """Unary calls to two services and one quote stream, from entering it until leaving it."""

    def __init__(self, target: str, ca_pem: bytes, client_pem: bytes) -> None:
        self._target = target
        self._credentials = grpc.ssl_channel_credentials(ca_pem, client_pem, client_pem)
        self._leaving = asyncio.Event()
        self._came = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.calls = 0
        self.messages = 0
        self.failures: collections.Counter[str] = collections.Counter()

    @property
    def failed(self) -> int:
        """How many calls and streams failed."""
        return self.failures.total()

    async def flowing(self) -> None:
        """Waits until more calls and messages have come back.

        Raises:
            TimeoutError: they do not.
        """
        calls, messages = self.calls + FLOWING_CALLS, self.messages + 1
        async with asyncio.timeout(FLOWING_S_MAX):
            while self.calls < calls or self.messages < messages:
                self._came.clear()
                await self._came.wait()

    def _channel(self) -> grpc.aio.Channel:
        return grpc.aio.secure_channel(self._target, self._credentials, options=[("grpc.enable_retries", 0)])

    async def _call(self) -> None:
        instrument = reference.GetInstrumentRequest(base="EUR", counter="USD")
        quote = marketdata.GetQuoteRequest(base="EUR", counter="USD")
        async with self._channel() as channel:
            references, quotes = ReferenceServiceStub(channel), MarketDataServiceStub(channel)
            while not self._leaving.is_set():
                try:
                    await references.GetInstrument(instrument, timeout=5)
                    await quotes.GetQuote(quote, timeout=5)
                except grpc.aio.AioRpcError as error:
                    self.failures[f"{error.code().name}: {error.details()}"] += 1
                self.calls += 2
                self._came.set()
                await asyncio.sleep(PAUSE_S)

    async def _read(self) -> None:
        async with self._channel() as channel:
            stub = MarketDataServiceStub(channel)
            request = marketdata.StreamQuotesRequest(instruments=["EUR/USD", "GBP/USD"])
            request.heartbeat_interval.seconds = 1
            while not self._leaving.is_set():
                try:
                    async for message in stub.StreamQuotes(request, timeout=60):
                        self.messages += 1
                        self._came.set()
                        request.resume_cursor = message.position.cursor or request.resume_cursor
                        if message.HasField("error"):
                            self.failures[f"stream: {message.error.message}"] += 1
                        if message.HasField("end") or message.HasField("error") or self._leaving.is_set():
                            break
                    else:
                        self.failures["the stream ended without saying why"] += 1
                except grpc.aio.AioRpcError as error:
                    self.failures[f"stream {error.code().name}: {error.details()}"] += 1
                    await asyncio.sleep(0.1)

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._call()) for _ in range(CALLERS)]
        self._tasks.append(asyncio.create_task(self._read()))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leaving.set()
        await asyncio.gather(*self._tasks)
