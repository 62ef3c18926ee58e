"""Frames: bytes that are the message which they stand for, and only where they were asked for."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as pb
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as pb_grpc
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.rpc.frames import Frame, element, frames_of


@pytest.mark.parametrize("size", [0, 1, 100, 127, 128, 20_000])
def test_an_element_is_what_protobuf_writes(size: int) -> None:
    """Of any length; joined to other fields it reads as one message."""
    quote = quote_pb2.Quote(source="x" * size)
    whole = element(pb.QuoteBatch.QUOTES_FIELD_NUMBER, quote.SerializeToString())
    assert whole == pb.QuoteBatch(quotes=[quote]).SerializeToString()
    joined = pb.QuoteBatch(conflated_count=3).SerializeToString() + whole + whole
    assert pb.QuoteBatch.FromString(joined) == pb.QuoteBatch(quotes=[quote, quote], conflated_count=3)


class Server:
    """Takes what a registration gives it."""

    def __init__(self) -> None:
        self.handlers: dict[str, grpc.RpcMethodHandler] = {}

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """Must not be called."""
        raise AssertionError("the same methods come by name")

    def add_registered_method_handlers(self, service: str, handlers: dict[str, grpc.RpcMethodHandler]) -> None:
        """Keeps them."""
        self.handlers = handlers


def test_only_the_named_method_sends_frames() -> None:
    """Its serializer takes frames and messages alike; the others stay as they were generated."""
    server = Server()
    register = frames_of(pb_grpc.add_MarketDataServiceServicer_to_server, "StreamQuotes")
    register(pb_grpc.MarketDataServiceServicer(), server)
    position = stream_pb2.StreamPosition(sequence=1)
    message = pb.StreamQuotesResponse(position=position)
    serialize = server.handlers["StreamQuotes"].response_serializer
    assert serialize(Frame(position, b"as it is")) == b"as it is"
    assert serialize(message) == message.SerializeToString()
    assert server.handlers["GetQuote"].response_serializer(pb.GetQuoteResponse()) == b""
    assert {"GetQuote", "StreamQuotes", "ListDailyRates"} <= set(server.handlers)
