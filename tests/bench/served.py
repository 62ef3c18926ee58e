"""A service for benchmarks: the platform's own server, everything around the handler included, with prebuilt answers.

Arguments: the folder of a mesh of its own. The transport is the one in CROSSRATE_TRANSPORT. Ends with its parent.
"""

import asyncio
import sys

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.rpc.server import Server
from crossrate.runtime.process import Runtime, run

QUOTES = 8
"""Quotes in each message of a stream."""


def instrument() -> reference.GetInstrumentResponse:
    """An answer of the size that the reference service gives."""
    answer = reference.GetInstrumentResponse()
    found = answer.instrument
    found.name, found.base, found.counter, found.pip = "EUR/USD", "EUR", "USD", "0.0001"
    return answer


class Instruments(reference_grpc.ReferenceServiceServicer):
    """Answers GetInstrument with the same message each time."""

    def __init__(self) -> None:
        self._answer = instrument()

    async def GetInstrument(self, request, context):
        """The prebuilt answer."""
        return self._answer


class Quotes(marketdata_grpc.MarketDataServiceServicer):
    """Streams the same quotes as fast as they are taken."""

    async def StreamQuotes(self, request, context):
        """`max_messages` messages, then the end."""
        answer = marketdata.StreamQuotesResponse()
        for _ in range(QUOTES):
            answer.quotes.quotes.add(instrument="EUR/USD", bid=1.11723, ask=1.1173, sequence=588)
        for sequence in range(1, request.max_messages + 1):
            answer.position.sequence = sequence
            yield answer
        yield marketdata.StreamQuotesResponse(end=stream_pb2.StreamEnd(reason=stream_pb2.STREAM_END_REASON_COMPLETE))


async def serve(runtime: Runtime) -> None:
    """Serves until standard input closes."""
    server = Server(runtime)
    server.add(reference_grpc.add_ReferenceServiceServicer_to_server, Instruments())
    server.add(marketdata_grpc.add_MarketDataServiceServicer_to_server, Quotes())
    closed = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    closed.add_done_callback(lambda _: runtime.stopping.set())
    await server.serve()


if __name__ == "__main__":
    run(serve)
