"""A priced product and its two sides as the message of a quote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from crossrate.api.marketdata.v1 import quote_pb2 as marketdata_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.api.pricing.v1 import quote_pb2
from crossrate.api.pricing.v1 import quoting_service_pb2 as asked
from crossrate.rpc import errors
from services.pricing.domain.market import Standing
from services.pricing.domain.spread import POINTS, PREMIUM, SPOT, Part, Sides, counter_amount

BUY, SELL = quote_pb2.QUOTE_SIDE_BUY, quote_pb2.QUOTE_SIDE_SELL


@dataclass(frozen=True, slots=True)
class Priced:
    """A product's price without a spread. `near` is a swap's near rate, the same for both sides."""

    terms: str
    standing: Standing
    answer: pb.PriceResponse
    mid: float
    parts: list[Part]
    tenor_days: int
    near: Decimal | None = None


def quote_message(
    request: asked.RequestQuoteRequest,
    amount: Decimal,
    priced: Priced,
    sides: Mapping[str, Sides],
    market: marketdata_pb2.Quote,
) -> quote_pb2.ExecutableQuote:
    """The quote, without what depends on who keeps it and which rules made it.

    Raises:
        Failure: WRONG_STATE if the spread is wider than the price of an exchange.
    """
    answer = priced.answer
    quote = quote_pb2.ExecutableQuote(
        request_id=request.request_id,
        product=request.product,
        side=request.side,
        amount=f"{amount:f}",
        mid_px=priced.mid,
        trade_date=answer.trade_date,
        spot_date=answer.spot_date,
        market_bid=market.bid,
        market_ask=market.ask,
        market_health=market.health,
    )
    if PREMIUM in sides:
        quote.premium_date.CopyFrom(answer.spot_date)
        if all(leg.notional > 0 for leg in answer.legs):
            # What can only be worth something is not bought at less than nothing.
            sides = {PREMIUM: replace(sides[PREMIUM], bid=max(sides[PREMIUM].bid, Decimal(0)))}
    wanted = [side for side in (SELL, BUY) if request.side in (side, quote_pb2.QUOTE_SIDE_TWO_WAY)]
    for side in wanted:
        _set_side(quote.bid if side == SELL else quote.offer, sides, side, priced, amount)
    for i, leg in enumerate(answer.legs):
        _add_leg(quote, leg, wanted, amount, priced, first=i == 0)
    return quote


def _set_side(
    message: quote_pb2.QuotedSide, sides: Mapping[str, Sides], side: int, priced: Priced, amount: Decimal
) -> None:
    found = {name: each.bid if side == SELL else each.offer for name, each in sides.items()}
    px = sum(found.values(), Decimal(0))
    rate = px if priced.near is None else priced.near + px
    if PREMIUM not in found and rate <= 0:
        words = "the spread is wider than the price: the configuration's rules need a look before this is quoted"
        raise errors.wrong_state("NOT_QUOTED", words)
    message.px = f"{px:f}"
    if SPOT in found:
        message.spot_rate, message.forward_points = f"{found[SPOT]:f}", f"{found.get(POINTS, Decimal(0)):f}"
    if priced.near is None:
        message.counter_amount = f"{counter_amount(amount, px, priced.standing.pair.counter):f}"


def _add_leg(
    quote: quote_pb2.ExecutableQuote, leg: object, wanted: list[int], amount: Decimal, priced: Priced, *, first: bool
) -> None:
    own = amount * Decimal(repr(leg.notional))
    message = quote.legs.add(name=leg.name, amount=f"{own.normalize():f}", value_date=leg.value_date)
    if leg.HasField("expiry_date"):
        message.expiry_date.CopyFrom(leg.expiry_date)
    if priced.parts[0].name == PREMIUM:
        return
    for side in wanted:
        px = Decimal((quote.bid if side == SELL else quote.offer).px)
        if priced.near is not None:
            px = priced.near if first else priced.near + px
        counter = f"{-counter_amount(own, px, priced.standing.pair.counter):f}"
        if side == SELL:
            message.bid_px, message.bid_counter_amount = f"{px:f}", counter
        else:
            message.offer_px, message.offer_counter_amount = f"{px:f}", counter
