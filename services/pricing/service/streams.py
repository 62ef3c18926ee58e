"""Streams of prices over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from crossrate.api.pricing.v1 import price_stream_service_pb2 as pb
from crossrate.api.pricing.v1.price_stream_service_pb2_grpc import (
    PriceStreamServiceServicer,
    add_PriceStreamServiceServicer_to_server,
)
from crossrate.rpc.call import current
from crossrate.rpc.frames import Frame, frames_of
from services.pricing.failures import failures
from services.pricing.price_cursor import Wanted
from services.pricing.price_stream import PriceStreams

register = frames_of(add_PriceStreamServiceServicer_to_server, "StreamPrices")
"""Adds the service to a server as the generated function does, but sends frames as the bytes that they are."""


class PriceStreamService(PriceStreamServiceServicer):
    """Prices that follow the market."""

    def __init__(self, streams: PriceStreams) -> None:
        self._streams = streams

    async def StreamPrices(self, request: pb.StreamPricesRequest, context: Any) -> AsyncIterator[Frame]:
        """See the contract."""
        with failures():
            async for message in self._streams.messages(Wanted.of(request), current().ending):
                yield message
