"""Markets as messages, as the domain's books: pillars at once, quotes as quotes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from google.type.date_pb2 import Date

from crossrate.api.pricing.v1 import curve_quotes_pb2 as rates
from crossrate.api.pricing.v1 import market_pb2
from crossrate.api.pricing.v1 import surface_quotes_pb2 as options
from crossrate.basics.money_market import DayCount
from crossrate.basics.pair import Pair
from crossrate.basics.tenor import parse_tenor
from crossrate.kernel.curve import Curves, Interpolation
from crossrate.kernel.faults import ArgumentError
from crossrate.kernel.smile import Strangle
from crossrate.kernel.strike import AtmConvention, DeltaConvention
from crossrate.rpc.arrays import get
from services.pricing.domain.arbitrage import Arbitrage
from services.pricing.domain.clock import ClockQuotes
from services.pricing.domain.curve import Curve, KnotCurve, ZeroCurve
from services.pricing.domain.curve_quotes import Points, PointsQuotes, Rate, RateQuotes
from services.pricing.domain.market import Book
from services.pricing.domain.product import Cut
from services.pricing.domain.refusal import Refused
from services.pricing.domain.smile import Between, QuotedSmile
from services.pricing.domain.surface import Smile, Surface
from services.pricing.domain.surface_quotes import FIT_TOLERANCE, Conventions, Quote, SurfaceQuotes
from services.pricing.messages import date_message, pair_of
from services.pricing.terms import CUTS

DELTAS = {options.DeltaType.Value(f"DELTA_TYPE_{each.name}"): each for each in DeltaConvention}
DELTA_TYPES = {each: code for code, each in DELTAS.items()}
ATMS = {
    options.ATM_TYPE_FORWARD: AtmConvention.FORWARD,
    options.ATM_TYPE_DELTA_NEUTRAL_STRADDLE: AtmConvention.DELTA_NEUTRAL,
    options.ATM_TYPE_SPOT: AtmConvention.SPOT,
}
ATM_TYPES = {each: code for code, each in ATMS.items()}
QUOTE_CUTS = {0: Cut.NEW_YORK, **CUTS}
CUT_CODES = {cut: code for code, cut in CUTS.items()}
_BETWEEN = {
    options.SMILE_INTERPOLATION_UNSPECIFIED: Between.POLYNOMIAL,
    options.SMILE_INTERPOLATION_POLYNOMIAL_IN_DELTA: Between.POLYNOMIAL,
    options.SMILE_INTERPOLATION_VANNA_VOLGA: Between.VANNA_VOLGA,
    options.SMILE_INTERPOLATION_SABR: Between.SABR,
}
_DAY_COUNTS = {
    rates.DAY_COUNT_UNSPECIFIED: None,
    rates.DAY_COUNT_ACT_360: DayCount.ACT_360,
    rates.DAY_COUNT_ACT_365_FIXED: DayCount.ACT_365_FIXED,
}
_CUBIC = rates.CURVE_INTERPOLATION_MONOTONE_CUBIC


def book_of(curves: Iterable[market_pb2.Curve], surfaces: Iterable[market_pb2.Surface]) -> Book:
    """Curves and surfaces, checked as far as that needs no spot rate and no day.

    Raises:
        Refused: one of them cannot be used, a currency or pair comes twice, or swap points have no curve to start from.
        Failure: NOT_FOUND if a pair is none of the platform's instruments.
    """
    by_currency: dict[str, Curve | RateQuotes | PointsQuotes] = {}
    places: dict[str, int] = {}
    for i, curve in enumerate(curves):
        if curve.currency in by_currency:
            raise Refused(f"curves[{i}].currency", f"{curve.currency} has a curve before it: give one a currency")
        by_currency[curve.currency] = _curve(curve, f"curves[{i}]")
        places[curve.currency] = i
    _require_roots(by_currency, places)
    by_pair: dict[Pair, Surface | SurfaceQuotes] = {}
    for i, surface in enumerate(surfaces):
        pair = pair_of(surface.instrument)
        if pair in by_pair:
            raise Refused(f"surfaces[{i}].instrument", f"{pair} has a surface before it: give one a pair")
        by_pair[pair] = _surface(surface, pair, f"surfaces[{i}]")
    return Book(by_currency, by_pair)


def _curve(message: market_pb2.Curve, field: str) -> Curve | RateQuotes | PointsQuotes:
    interpolation = Interpolation.MONOTONE_CUBIC if message.interpolation == _CUBIC else Interpolation.LOG_LINEAR
    form = message.WhichOneof("quotes")
    if form == "rates":
        quotes = tuple(
            Rate(each.instrument == rates.RATE_INSTRUMENT_OVERNIGHT_INDEX_SWAP, each.tenor, each.rate)
            for each in message.rates.quotes
        )
        day_count = _DAY_COUNTS[message.rates.day_count]
        return RateQuotes(message.currency, quotes, day_count, interpolation, f"{field}.rates")
    if form == "swap_points":
        pair = pair_of(message.swap_points.instrument)
        if message.currency not in pair:
            words = f"{pair} has no {message.currency}: give points of a pair with the curve's currency"
            raise Refused(f"{field}.swap_points.instrument", words)
        points = tuple(Points(each.tenor, (each.bid + each.ask) / 2) for each in message.swap_points.quotes)
        return PointsQuotes(message.currency, pair, points, interpolation, f"{field}.swap_points")
    pillars = ZeroCurve.of(get(message, "time"), get(message, "rate"), field)
    if interpolation is Interpolation.LOG_LINEAR:
        return pillars
    try:
        return KnotCurve(Curves(pillars.times, pillars.discount(pillars.times), interpolation=interpolation))
    except ArgumentError as error:
        name = {"times": "time", "discounts": "rate"}.get(error.argument, error.argument)
        raise Refused(f"{field}.{name}[{error.index}]", error.says) from None


def _require_roots(curves: Mapping[str, Curve | RateQuotes | PointsQuotes], places: Mapping[str, int]) -> None:
    """Checks that swap points lead to a curve that needs none.

    Raises:
        Refused: the other currency has no curve, or they go round in a circle.
    """
    for currency, curve in curves.items():
        way = [currency]
        while isinstance(curve, PointsQuotes):
            path = f"curves[{places[curve.currency]}].swap_points.instrument"
            if curve.other not in curves:
                raise Refused(path, f"{curve.currency} is implied from {curve.other}, which has no curve here")
            if curve.other in way:
                circle = " → ".join([*way, curve.other])
                raise Refused(path, f"swap points go round in a circle ({circle}): give one of them pillars or rates")
            way.append(curve.other)
            curve = curves[curve.other]


def _surface(message: market_pb2.Surface, pair: Pair, field: str) -> Surface | SurfaceQuotes:
    if message.HasField("quotes"):
        return _quoted(message.quotes, pair, f"{field}.quotes")
    path = f"{field}.smiles"
    smiles = [
        Smile.of(each.time, get(each, "strike"), get(each, "volatility"), f"{path}[{k}]")
        for k, each in enumerate(message.smiles)
    ]
    return Surface.of(smiles, path)


def _quoted(message: options.SurfaceQuotes, pair: Pair, field: str) -> SurfaceQuotes:
    quotes = tuple(
        Quote(
            expiry=each.expiry,
            cut=QUOTE_CUTS[each.cut],
            atm=each.atm,
            inner=(each.risk_reversal_25, each.butterfly_25) if each.HasField("risk_reversal_25") else None,
            outer=(each.risk_reversal_10, each.butterfly_10) if each.HasField("risk_reversal_10") else None,
        )
        for each in message.quotes
    )
    return SurfaceQuotes(
        pair=pair,
        quotes=quotes,
        conventions=_conventions(message.conventions, pair),
        between=_BETWEEN[message.interpolation],
        beta=message.sabr_beta if message.HasField("sabr_beta") else 1.0,
        fit_tolerance=message.fit_tolerance if message.HasField("fit_tolerance") else FIT_TOLERANCE,
        clock=_clock(message.clock, f"{field}.clock") if message.HasField("clock") else None,
        field=field,
    )


def _conventions(message: options.DeltaConventions, pair: Pair) -> Conventions:
    standard = Conventions.standard(pair)
    short = DELTAS.get(message.delta_type, standard.short)
    forward = DeltaConvention.FORWARD | (short & DeltaConvention.SPOT_PREMIUM_ADJUSTED)
    return Conventions(
        short=short,
        long=DELTAS.get(message.long_delta_type, DeltaConvention(forward)),
        switch=parse_tenor(message.switch_tenor) if message.switch_tenor else standard.switch,
        atm=ATMS.get(message.atm_type, standard.atm),
        strangle=Strangle.SMILE if message.butterfly_type == options.BUTTERFLY_TYPE_SMILE_STRANGLE else Strangle.MARKET,
        put_minus_call=message.risk_reversal_sign == options.RISK_REVERSAL_SIGN_PUT_MINUS_CALL,
    )


def _clock(message: options.BusinessClock, field: str) -> ClockQuotes:
    events: dict[date, float] = {}
    for i, each in enumerate(message.days):
        day = _day(each.date, f"{field}.days[{i}].date")
        if day in events:
            raise Refused(f"{field}.days[{i}].date", f"{day} has a weight before it: give one a day")
        events[day] = each.weight
    return ClockQuotes(message.weekend_weight, message.holiday_weight, events)


def _day(message: Date, field: str) -> date:
    try:
        return date(message.year, message.month, message.day)
    except ValueError as error:
        raise Refused(field, f"is no day: {error}") from None


def arbitrage_messages(found: Sequence[Arbitrage]) -> list[options.Arbitrage]:
    """What was found in surfaces, as messages."""
    return [
        options.Arbitrage(
            kind=options.ArbitrageKind.Value(f"ARBITRAGE_KIND_{each.kind.name}"),
            instrument=str(each.pair),
            field=each.field,
            time=each.time,
            strike=each.strike,
            size=each.size,
        )
        for each in found
    ]


def calibrated_messages(surface: Surface) -> list[options.CalibratedSmile]:
    """The points of a surface's quotes, as messages; none of a surface of pillars."""
    return [
        options.CalibratedSmile(
            expiry_date=date_message(points.expiry),
            cut=CUT_CODES[points.cut],
            delivery_date=date_message(points.delivery),
            time=points.time,
            forward=points.forward,
            delta_type=DELTA_TYPES[points.delta_convention],
            atm_type=ATM_TYPES[points.atm_convention],
            delta=points.deltas.tolist(),
            strike=points.strikes.tolist(),
            volatility=points.volatilities.tolist(),
            fit_error=smile.fit_error,
        )
        for smile in surface.smiles
        if isinstance(smile, QuotedSmile)
        for points in (smile.points,)
    ]
