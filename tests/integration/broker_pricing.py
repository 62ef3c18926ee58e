"""Pricing for a test of broker: indications by its contract, with points that a test says."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal

from crossrate.api.pricing.v1 import quote_pb2
from crossrate.api.pricing.v1 import quoting_service_pb2 as calls
from crossrate.api.pricing.v1.quoting_service_pb2_grpc import QuotingServiceServicer
from crossrate.rpc import errors
from services.broker.domain.dates import put_date
from tests.integration.broker_market import Market


class Quoting(QuotingServiceServicer):
    """Indications around the quotes of a market."""

    def __init__(self, market: Market) -> None:
        self.points: dict[str, tuple[str, str]] = {}
        """Bid and offer by value date, of a swap by both dates; what is not here is not priced."""
        self.asked: list[calls.RequestQuoteRequest] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self._market = market

    async def RequestQuote(self, request, context):
        """An indication of both sides."""
        self.asked.append(request)
        await self.answers.wait()
        assert request.validate_only
        assert request.side == quote_pb2.QUOTE_SIDE_TWO_WAY
        product = request.product
        swap = product.WhichOneof("terms") == "swap"
        days = [product.swap.near_date, product.swap.far_date] if swap else [product.forward.value_date]
        if "/".join(days) not in self.points:
            raise errors.wrong_state("NOT_QUOTED", f"no rule quotes {days}")
        spot = self._market.quotes[product.instrument]
        bid, offer = self.points["/".join(days)]
        quote = quote_pb2.ExecutableQuote(product=product, side=request.side, amount=request.amount)
        quote.market_bid, quote.market_ask = spot.bid, spot.ask
        near = (Decimal(repr(spot.bid)) + Decimal(repr(spot.ask))) / 2
        for side, market, points in ((quote.bid, spot.bid, bid), (quote.offer, spot.ask, offer)):
            if swap:
                side.px = points
            else:
                side.spot_rate, side.forward_points = f"{market:.5f}", points
                side.px = f"{Decimal(repr(market)) + Decimal(points)}"
        for day in days:
            leg = quote.legs.add(amount=request.amount)
            put_date(leg.value_date, date.fromisoformat(day))
            if swap:
                leg.bid_px = leg.offer_px = f"{near:.6f}"
        return calls.RequestQuoteResponse(quote=quote)
