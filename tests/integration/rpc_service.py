"""A small service over the real contracts, for the tests of the server: instruments in memory, quotes on demand.

Run as a program it serves one instance with everything around it: `python -m tests.integration.rpc_service`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.rpc import errors
from crossrate.rpc.call import current
from crossrate.rpc.server import Server
from crossrate.runtime.process import Runtime, run

SLOW = "SLW"
"""A base currency whose instrument takes SLOW_S to find."""
SLOW_S = 0.4
BROKEN = "BRK"
"""A base currency that breaks an invariant."""
FAULTY = "FLT"
"""A base currency that the handler chokes on."""


class Instruments(reference_grpc.ReferenceServiceServicer):
    """Knows every pair but those with XXX; the rest of the service is not implemented."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.seen: list[tuple[str, str]] = []
        self.release = asyncio.Event()

    async def GetInstrument(self, request, context):
        call = current()
        self.seen.append((call.caller, call.request_id))
        self.begun.set()
        match request.base:
            case "SLW":
                await asyncio.sleep(SLOW_S)
            case "HNG":
                await self.release.wait()
            case "BRK":
                raise AssertionError("two open positions where there can be one")
            case "FLT":
                raise RuntimeError("secret of the server")
            case "XXX":
                raise errors.not_found("instrument", f"{request.base}/{request.counter}")
        answer = reference.GetInstrumentResponse()
        answer.instrument.name = f"{request.base}/{request.counter}"
        return answer

    async def SetInstrumentStatus(self, request, context):
        answer = reference.SetInstrumentStatusResponse()
        answer.instrument.name = f"{request.base}/{request.counter}"
        return answer


class Quotes(marketdata_grpc.MarketDataServiceServicer):
    """Streams empty batches: as many as asked for, or one every 10 ms; "ERR/ERR" fails after the first."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def StreamQuotes(self, request, context) -> AsyncIterator[marketdata.StreamQuotesResponse]:
        sequence = 0
        try:
            while not request.max_messages or sequence < request.max_messages:
                sequence += 1
                message = marketdata.StreamQuotesResponse()
                message.position.sequence = sequence
                message.position.cursor = f"c{sequence}"
                message.quotes.SetInParent()
                yield message
                if "ERR/ERR" in request.instruments:
                    raise errors.no_quote("ERR/ERR", "stale")
                await asyncio.sleep(3600 if "STI/LLX" in request.instruments else 0.01)
        finally:
            self.closed.set()


async def serve(runtime: Runtime) -> None:
    """One instance of both services."""
    server = Server(runtime)
    server.add(reference_grpc.add_ReferenceServiceServicer_to_server, Instruments())
    server.add(marketdata_grpc.add_MarketDataServiceServicer_to_server, Quotes())
    await server.serve()


if __name__ == "__main__":
    run(serve)
