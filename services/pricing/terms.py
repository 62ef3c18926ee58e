"""The terms of a product as legs with dates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from crossrate.api.pricing.v1 import product_pb2
from services.pricing.domain import exotic, product
from services.pricing.domain.market import Standing

CUTS = {product_pb2.EXPIRY_CUT_NEW_YORK: product.Cut.NEW_YORK, product_pb2.EXPIRY_CUT_TOKYO: product.Cut.TOKYO}
KINDS = {product_pb2.StrategyKind.Value(f"STRATEGY_KIND_{kind.name}"): kind for kind in product.Kind}
WITHOUT_VOLATILITY = ("spot", "forward", "swap", "ndf")
"""The terms that are no option's."""

Legs = list[product.Exchange] | list[product.Option] | list[exotic.Exotic]


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


def _optional(terms: product_pb2.Barrier | product_pb2.Asian | product_pb2.American, field: str) -> exotic.Terms:
    return exotic.Terms(terms.expiry, CUTS[terms.cut], terms.notional, field)


def _level(
    terms: product_pb2.Barrier | product_pb2.Touch, name: Literal["lower_barrier", "upper_barrier"]
) -> float | None:
    return getattr(terms, name) if terms.HasField(name) else None


def _digital(terms: product_pb2.Digital, standing: Standing, field: str) -> Legs:
    return [
        exotic.digital(
            exotic.Terms(terms.expiry, CUTS[terms.cut], terms.payout, field),
            standing,
            call=terms.put_or_call == product_pb2.PUT_OR_CALL_CALL,
            strike=terms.strike,
            payout_currency=terms.payout_currency,
        )
    ]


def _barrier(terms: product_pb2.Barrier, standing: Standing, field: str) -> Legs:
    return [
        exotic.barrier(
            _optional(terms, field),
            standing,
            call=terms.put_or_call == product_pb2.PUT_OR_CALL_CALL,
            strike=terms.strike,
            knocks_in=terms.knock == product_pb2.KNOCK_TYPE_IN,
            lower=_level(terms, "lower_barrier"),
            upper=_level(terms, "upper_barrier"),
            rebate=terms.rebate,
        )
    ]


def _touch(terms: product_pb2.Touch, standing: Standing, field: str) -> Legs:
    return [
        exotic.touch(
            exotic.Terms(terms.expiry, CUTS[terms.cut], terms.payout, field),
            standing,
            touched=terms.condition == product_pb2.TOUCH_CONDITION_TOUCH,
            at_hit=terms.payout_style == product_pb2.PAYOUT_STYLE_IMMEDIATE,
            lower=_level(terms, "lower_barrier"),
            upper=_level(terms, "upper_barrier"),
            payout_currency=terms.payout_currency,
        )
    ]


def _asian(terms: product_pb2.Asian, standing: Standing, field: str) -> Legs:
    return [
        exotic.asian(
            _optional(terms, field),
            standing,
            call=terms.put_or_call == product_pb2.PUT_OR_CALL_CALL,
            strike=terms.strike,
            next_fixing=terms.next_fixing,
            fixings=terms.fixings,
            past=list(terms.past_fixings),
        )
    ]


def _american(terms: product_pb2.American, standing: Standing, field: str) -> Legs:
    call = terms.put_or_call == product_pb2.PUT_OR_CALL_CALL
    return [exotic.american(_optional(terms, field), standing, call=call, strike=terms.strike)]


_LEGS: dict[str, Callable[..., Legs]] = {
    "spot": _spot,
    "forward": _forward,
    "swap": _swap,
    "ndf": _ndf,
    "vanilla": _vanilla,
    "strategy": _strategy,
    "digital": _digital,
    "barrier": _barrier,
    "touch": _touch,
    "asian": _asian,
    "american": _american,
}
