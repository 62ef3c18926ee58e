"""Marketdata for a test of broker: quotes that a test says, by its contract."""

from __future__ import annotations

import asyncio

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as market
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceServicer
from crossrate.rpc import errors


class Market(MarketDataServiceServicer):
    """Quotes that a test says."""

    def __init__(self) -> None:
        self.quotes: dict[str, quote_pb2.Quote] = {}
        self._changed = asyncio.Condition()

    async def say(self, instrument: str, bid: float, ask: float, health: int = quote_pb2.QUOTE_HEALTH_LIVE) -> None:
        """A new quote."""
        before = self.quotes.get(instrument)
        quote = quote_pb2.Quote(instrument=instrument, bid=bid, ask=ask, health=health, source="composite")
        quote.sequence = before.sequence + 1 if before else 1
        quote.venue_time.GetCurrentTime()
        quote.receive_time.GetCurrentTime()
        async with self._changed:
            self.quotes[instrument] = quote
            self._changed.notify_all()

    async def GetQuote(self, request, context):
        """The newest quote."""
        name = f"{request.base}/{request.counter}"
        if name not in self.quotes:
            raise errors.no_quote(name, "NONE")
        return market.GetQuoteResponse(quote=self.quotes[name])

    async def StreamQuotes(self, request, context):
        """Every quote once, and the newest at first."""
        told: dict[str, int] = {}
        number = 0
        while True:
            async with self._changed:
                fresh = [q for n, q in self.quotes.items() if n in request.instruments and told.get(n) != q.sequence]
                if not fresh:
                    await self._changed.wait()
                    continue
            number += 1
            message = market.StreamQuotesResponse()
            message.position.sequence = number
            message.quotes.quotes.extend(fresh)
            told |= {q.instrument: q.sequence for q in fresh}
            yield message
