"""What pricing indicates for forwards and swaps: forward points and swap points, both sides, with the house's spread.

Nothing is kept there by asking. Each question has its own bound, and whatever goes wrong is words.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from crossrate.api.pricing.v1 import product_pb2, quote_pb2
from crossrate.api.pricing.v1 import quoting_service_pb2 as quoting
from crossrate.api.pricing.v1.quoting_service_pb2_grpc import QuotingServiceStub
from crossrate.rpc.call_error import CallError
from services.broker.peers import Quotes

RETRY_S = 0.2
SILENT = "pricing did not answer"
NO_CURVES = ": PutMarket gives the house its curves"
UNTIL_NOW = ("NO_QUOTE", "UNAVAILABLE", "DEPENDENCY_UNAVAILABLE", "DEADLINE_EXCEEDED", "")
"""Reasons that may pass within the bound of a question."""
ANSWERED = ("INVALID_REQUEST", "WRONG_STATE", "NOT_FOUND")
"""Reasons by which pricing has said that it does not price this."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for.

    Attributes:
        day: of the forward, or of a swap's near leg.
        far: of a swap's far leg; None for a forward.
        amount: units of the base currency.
    """

    instrument: str
    day: date
    amount: str
    far: date | None = None


@dataclass(frozen=True, slots=True)
class Indication:
    """What was answered.

    Attributes:
        heard_s: when, on the monotonic clock.
        bid: points at which a client sells: of a forward on top of spot, of a swap its far rate less its near rate, in
            units of the price.
        offer: points at which a client buys.
        near: of a swap, the near rate around the middle of spot, the same for both sides.
        market_bid: the quote of spot on which it was priced.
        market_ask: its other side.
        why_not: why there is no price; empty where there is one.
        refused: whether pricing said so, rather than nothing.
    """

    heard_s: float
    bid: Decimal = Decimal(0)
    offer: Decimal = Decimal(0)
    near: Decimal = Decimal(0)
    market_bid: Decimal = Decimal(0)
    market_ask: Decimal = Decimal(0)
    why_not: str = ""
    refused: bool = False


class Indications:
    """Asks pricing."""

    def __init__(self, stub: QuotingServiceStub, quotes: Quotes) -> None:
        self._stub = stub
        self._quotes = quotes

    async def of(self, ask: Ask, within_s: float) -> Indication:
        """An indication, or why there is none; after so many seconds at the latest, and as many before that for the
        first quote of spot."""
        self._quotes.want(ask.instrument)
        await self._quotes.first(ask.instrument, within_s)
        why = SILENT
        try:
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        answer = await self._stub.RequestQuote(request_of(ask))
                    except CallError as error:
                        said = error.reason in ANSWERED or error.reason == "NO_QUOTE"
                        why = f"pricing says: {error.message}" if said else f"{SILENT}: {error.message}"
                        why += NO_CURVES if error.reason == "NOT_FOUND" else ""
                        if error.reason not in UNTIL_NOW:
                            return Indication(time.monotonic(), why_not=why, refused=error.reason in ANSWERED)
                        await asyncio.sleep(RETRY_S)
                    else:
                        return indication_of(ask, answer.quote, time.monotonic())
        except TimeoutError:
            return Indication(time.monotonic(), why_not=f"{why}, within {within_s:g} s")


def request_of(ask: Ask) -> quoting.RequestQuoteRequest:
    """The question as pricing takes it: an indication of both sides."""
    product = product_pb2.Product(instrument=ask.instrument)
    if ask.far is None:
        product.forward.value_date, product.forward.notional = ask.day.isoformat(), 1
    else:
        product.swap.near_date, product.swap.far_date = ask.day.isoformat(), ask.far.isoformat()
        product.swap.notional = 1
    return quoting.RequestQuoteRequest(
        request_id=str(uuid.uuid4()),
        product=product,
        side=quote_pb2.QUOTE_SIDE_TWO_WAY,
        amount=ask.amount,
        validate_only=True,
    )


def indication_of(ask: Ask, quote: quote_pb2.ExecutableQuote, heard_s: float) -> Indication:
    """An answer as a value; one that is about other dates than were asked for is none."""
    days = [date(each.value_date.year, each.value_date.month, each.value_date.day) for each in quote.legs]
    wanted = [ask.day] if ask.far is None else [ask.day, ask.far]
    if days != wanted:
        return Indication(heard_s, why_not=f"pricing has priced {days}, not {wanted}", refused=True)
    bid_ask = Decimal(repr(quote.market_bid)), Decimal(repr(quote.market_ask))
    if ask.far is not None:
        near = Decimal(quote.legs[0].bid_px)
        return Indication(heard_s, Decimal(quote.bid.px), Decimal(quote.offer.px), near, *bid_ask)
    bid, offer = Decimal(quote.bid.forward_points), Decimal(quote.offer.forward_points)
    return Indication(heard_s, bid, offer, Decimal(0), *bid_ask)
