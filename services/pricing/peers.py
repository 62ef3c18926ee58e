"""What pricing asks of others: live quotes of marketdata, the status of instruments of reference."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import grpc

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as pb
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.api.pricing.v1 import market_pb2
from crossrate.api.reference.v1 import instrument_pb2
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1.reference_service_pb2_grpc import ReferenceServiceStub
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


class LiveQuote(Protocol):
    """Where the live quote of one pair comes from."""

    async def live(self, pair: Pair) -> quote_pb2.Quote:
        """The live quote of a pair.

        Raises:
            Failure: as in Quotes.
        """
        ...


class Statuses(Protocol):
    """Where it stands whether an instrument may be traded."""

    async def status(self, pair: Pair) -> instrument_pb2.InstrumentStatus:
        """The status of an instrument now.

        Raises:
            Failure: NOT_FOUND if reference does not know it, DEPENDENCY_UNAVAILABLE if it cannot be reached.
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

    async def live(self, pair: Pair) -> quote_pb2.Quote:
        """See LiveQuote."""
        request = pb.GetQuoteRequest(base=pair.base, counter=pair.counter)
        try:
            async with self._turn:
                quote = (await self._stub.GetQuote(request)).quote
        except CallError as error:
            if error.reason == "NOT_FOUND":
                raise errors.not_found("instrument", str(pair)) from None
            if error.reason == "NO_QUOTE":
                raise errors.no_quote(str(pair), error.metadata.get("health", "UNSPECIFIED")) from None
            raise errors.dependency_unavailable("marketdata") from error
        if quote.health != quote_pb2.QUOTE_HEALTH_LIVE:
            raise errors.no_quote(str(pair), health_name(quote.health))
        return quote

    async def _ask(self, pair: Pair) -> market_pb2.SpotRate | errors.Failure:
        try:
            return spot_rate(await self.live(pair))
        except errors.Failure as failure:
            return failure


class Reference:
    """The reference service, seen from here."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = ReferenceServiceStub(channel)

    async def status(self, pair: Pair) -> instrument_pb2.InstrumentStatus:
        """See Statuses."""
        try:
            answer = await self._stub.GetInstrument(
                reference.GetInstrumentRequest(base=pair.base, counter=pair.counter)
            )
        except CallError as error:
            if error.reason == "NOT_FOUND":
                raise errors.not_found("instrument", str(pair)) from None
            raise errors.dependency_unavailable("reference") from error
        return answer.instrument.status


def health_name(health: quote_pb2.QuoteHealth) -> str:
    """A health in one word: "STALE"."""
    return quote_pb2.QuoteHealth.Name(health).removeprefix("QUOTE_HEALTH_")


def spot_rate(quote: quote_pb2.Quote) -> market_pb2.SpotRate:
    """A quote as the spot rate of a snapshot."""
    return market_pb2.SpotRate(
        instrument=quote.instrument, bid=quote.bid, ask=quote.ask, source=quote.source, sequence=quote.sequence
    )
