"""Values as messages and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from crossrate.api.pricing.v1 import market_pb2, product_pb2, valuation_pb2
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair
from crossrate.rpc import errors
from services.pricing.domain import product
from services.pricing.domain.market import Book, Snapshot, Standing
from services.pricing.domain.valuation import Priced, Valuation

MOMENTS_FIRST, MOMENTS_LAST = date(1999, 1, 1), date(2099, 12, 31)
"""Days for which a market may hold: those whose trading sessions are known."""

CUTS = {product_pb2.EXPIRY_CUT_NEW_YORK: product.Cut.NEW_YORK, product_pb2.EXPIRY_CUT_TOKYO: product.Cut.TOKYO}
KINDS = {product_pb2.StrategyKind.Value(f"STRATEGY_KIND_{kind.name}"): kind for kind in product.Kind}


def pair_of(name: str) -> Pair:
    """The pair of an instrument's name.

    Raises:
        Failure: NOT_FOUND if it is none of the platform's instruments.
    """
    pair = Pair(*name.split("/"))
    if pair not in CONVENTIONS:
        raise errors.not_found("instrument", name)
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
        words = f"markets are known from {MOMENTS_FIRST} to {MOMENTS_LAST}"
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


Legs = list[product.Exchange] | list[product.Option]


def legs_of(message: product_pb2.Product, standing: Standing) -> Legs:
    """The legs of a product.

    Raises:
        Refused: its terms cannot be used.
        OutsideCalendar: it needs a day that a calendar does not know.
    """
    terms = message.WhichOneof("terms")
    return _LEGS[terms](getattr(message, terms), standing, f"product.{terms}")


def _rate(terms: product_pb2.Spot | product_pb2.Forward | product_pb2.Ndf) -> float | None:
    return terms.rate if terms.HasField("rate") else None


def _spot(terms: product_pb2.Spot, standing: Standing, field: str) -> Legs:
    return [product.Exchange("", terms.notional, standing.dates.spot, _rate(terms))]


def _forward(terms: product_pb2.Forward, standing: Standing, field: str) -> Legs:
    return [product.exchange(standing.dates, terms.value_date, terms.notional, _rate(terms), f"{field}.value_date")]


def _swap(terms: product_pb2.Swap, standing: Standing, field: str) -> Legs:
    near, far = (
        product.exchange(
            standing.dates,
            getattr(terms, f"{name}_date"),
            sign * terms.notional,
            getattr(terms, f"{name}_rate") if terms.HasField(f"{name}_rate") else None,
            f"{field}.{name}_date",
            name=name,
        )
        for name, sign in (("near", -1), ("far", 1))
    )
    return product.swap(near, far, f"{field}.far_date")


def _ndf(terms: product_pb2.Ndf, standing: Standing, field: str) -> Legs:
    path = f"{field}.value_date"
    return [product.exchange(standing.dates, terms.value_date, terms.notional, _rate(terms), path, deliverable=False)]


def _vanilla(terms: product_pb2.Vanilla, standing: Standing, field: str) -> Legs:
    return [
        product.option(
            standing.dates,
            standing.as_of,
            call=terms.put_or_call == product_pb2.PUT_OR_CALL_CALL,
            strike=terms.strike,
            notional=terms.notional,
            expiry=terms.expiry,
            cut=CUTS[terms.cut],
            field=f"{field}.expiry",
        )
    ]


def _strategy(terms: product_pb2.Strategy, standing: Standing, field: str) -> Legs:
    return product.strategy(
        standing.dates,
        standing.as_of,
        kind=KINDS[terms.kind],
        strikes=list(terms.strikes),
        notional=terms.notional,
        expiry=terms.expiry,
        cut=CUTS[terms.cut],
        field=field,
    )


_LEGS: dict[str, Callable[..., Legs]] = {
    "spot": _spot,
    "forward": _forward,
    "swap": _swap,
    "ndf": _ndf,
    "vanilla": _vanilla,
    "strategy": _strategy,
}


def valuation_message(valuation: Valuation) -> valuation_pb2.Valuation:
    """A valuation as a message."""
    return valuation_pb2.Valuation(**{name: getattr(valuation, name) for name in Valuation.__slots__})


def leg_message(priced: Priced) -> valuation_pb2.PricedLeg:
    """A leg as a message."""
    leg = priced.leg
    message = valuation_pb2.PricedLeg(
        name=leg.name,
        notional=leg.notional,
        value_date=date_message(leg.value_date),
        rate=priced.rate,
        forward=priced.forward,
        volatility=priced.volatility,
        valuation=valuation_message(priced.valuation),
    )
    expiry = leg.expiry if isinstance(leg, product.Option) else leg.fixing
    if expiry is not None:
        message.expiry_date.CopyFrom(date_message(expiry))
    return message
