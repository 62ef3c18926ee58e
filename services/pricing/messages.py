"""Values as messages and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from crossrate.api.pricing.v1 import market_pb2, valuation_pb2
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair
from crossrate.rpc import errors
from services.pricing.domain import exotic
from services.pricing.domain.market import Book, Snapshot
from services.pricing.domain.product import Exchange, Option
from services.pricing.domain.valuation import Priced, Valuation

MOMENTS_FIRST, MOMENTS_LAST = date(1999, 1, 1), date(2099, 12, 31)
"""Days for which a market may hold: those whose trading sessions are known."""

MODELS = {
    Exchange: valuation_pb2.MODEL_DISCOUNTED_FORWARD,
    Option: valuation_pb2.MODEL_BLACK,
    exotic.Digital: valuation_pb2.MODEL_BLACK_SMILE_SLOPE,
    exotic.Barrier: valuation_pb2.MODEL_BLACK_SCHOLES_BARRIER,
    exotic.Touch: valuation_pb2.MODEL_BLACK_SCHOLES_TOUCH,
    exotic.Asian: valuation_pb2.MODEL_LEVY_TURNBULL_WAKEMAN,
    exotic.American: valuation_pb2.MODEL_AMERICAN_ANDERSEN_LAKE,
}


def pair_of(name: str) -> Pair:
    """The pair of an instrument's name.

    Raises:
        Failure: NOT_FOUND if it is none of the platform's instruments.
    """
    pair = Pair(*name.split("/"))
    if pair not in CONVENTIONS:
        other = Pair(pair.counter, pair.base)
        remedy = f"it is quoted as {other}" if other in CONVENTIONS else "ListInstruments names all there are"
        raise errors.not_found("instrument", name, remedy)
    return pair


def snapshot_of(message: market_pb2.Snapshot, book: Book) -> Snapshot:
    """A snapshot that was kept, with its book; spot rates are mids."""
    spots = {Pair(*each.instrument.split("/")): (each.bid + each.ask) / 2 for each in message.spots}
    return Snapshot(message.id, message.as_of.ToDatetime(UTC), book, spots)


def moment_of(message: Timestamp, field: str) -> datetime:
    """A moment that a request gives.

    Raises:
        Failure: INVALID_REQUEST if it is none, OUTSIDE_CALENDAR if its trading session is not known.
    """
    try:
        moment = message.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise errors.invalid((field, f"is no time: {error}")) from None
    if not MOMENTS_FIRST <= moment.date() <= MOMENTS_LAST:
        words = f"{field}: {moment.date()} is outside of the days that are known, {MOMENTS_FIRST} to {MOMENTS_LAST}"
        raise errors.outside_calendar(words, MOMENTS_FIRST.isoformat(), MOMENTS_LAST.isoformat())
    return moment


def timestamp(moment: datetime) -> Timestamp:
    """A moment as a message."""
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def date_message(day: date) -> Date:
    """A day as a message."""
    return Date(year=day.year, month=day.month, day=day.day)


def valuation_message(valuation: Valuation) -> valuation_pb2.Valuation:
    """A valuation as a message."""
    return valuation_pb2.Valuation(**{name: getattr(valuation, name) for name in Valuation.__slots__})


def deltas_message(priced: Sequence[Priced], spot: float) -> valuation_pb2.Deltas:
    """The deltas of some legs in other conventions, together."""
    sums = valuation_pb2.Deltas()
    for each in priced:
        delta, premium = each.valuation.delta, each.valuation.present_value / spot
        sums.forward += delta / each.hedge
        sums.premium_adjusted += delta - premium
        sums.premium_adjusted_forward += (delta - premium) / each.hedge
    return sums


def leg_message(priced: Priced) -> valuation_pb2.PricedLeg:
    """A leg as a message."""
    leg = priced.leg
    message = valuation_pb2.PricedLeg(
        name=leg.name if isinstance(leg, Exchange | Option) else "",
        notional=leg.notional,
        value_date=date_message(leg.value_date),
        rate=priced.rate,
        forward=priced.forward,
        volatility=priced.volatility,
        valuation=valuation_message(priced.valuation),
        smile_slope=priced.smile_slope,
    )
    expiry = leg.fixing if isinstance(leg, Exchange) else leg.expiry
    if expiry is not None:
        message.expiry_date.CopyFrom(date_message(expiry))
    return message
