"""What pricing asks of marketdata: live quotes, as the spot rates of a snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import grpc

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as pb
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.api.pricing.v1 import market_pb2
from crossrate.basics.pair import Pair
from crossrate.rpc import errors
from crossrate.rpc.client import CallError

CALLS_MAX = 32
"""Quotes asked for at once by one request."""


class Quotes(Protocol):
    """Where live quotes come from."""

    async def spots(self, pairs: Sequence[Pair]) -> list[market_pb2.SpotRate]:
        """The live quote of each pair, in their order.

        Raises:
            Failure: NO_QUOTE if a pair has none or its quote is not live, NOT_FOUND if marketdata does not know it,
                DEPENDENCY_UNAVAILABLE if marketdata cannot be reached.
        """
        ...


class MarketData:
    """The marketdata service, seen from here."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = MarketDataServiceStub(channel)
        self._turn = asyncio.Semaphore(CALLS_MAX)

    async def spots(self, pairs: Sequence[Pair]) -> list[market_pb2.SpotRate]:
        """See Quotes."""
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._ask(pair)) for pair in pairs]
        found = [task.result() for task in asked]
        for each in found:
            if isinstance(each, errors.Failure):
                raise each
        return found

    async def _ask(self, pair: Pair) -> market_pb2.SpotRate | errors.Failure:
        request = pb.GetQuoteRequest(base=pair.base, counter=pair.counter)
        try:
            async with self._turn:
                quote = (await self._stub.GetQuote(request)).quote
        except CallError as error:
            if error.reason == "NOT_FOUND":
                return errors.not_found("instrument", str(pair))
            if error.reason == "NO_QUOTE":
                return errors.no_quote(str(pair), error.metadata.get("health", "UNSPECIFIED"))
            return errors.dependency_unavailable("marketdata")
        if quote.health != quote_pb2.QUOTE_HEALTH_LIVE:
            health = quote_pb2.QuoteHealth.Name(quote.health).removeprefix("QUOTE_HEALTH_")
            return errors.no_quote(str(pair), health)
        return market_pb2.SpotRate(
            instrument=str(pair), bid=quote.bid, ask=quote.ask, source=quote.source, sequence=quote.sequence
        )
