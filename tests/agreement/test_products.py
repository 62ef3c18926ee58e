"""QuantLib over whole products as the service prices them: dates by its calendars, curves, delivery, and Greeks.

The pair is EUR/USD to the Tokyo cut, seen at that hour, so that the times to expiry are whole days in both.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import pytest
import QuantLib as ql

from services.pricing.domain import exotic, formula
from services.pricing.domain.curve import ZeroCurve
from services.pricing.domain.exotic import Exotic, Terms
from services.pricing.domain.exotic_columns import ask
from services.pricing.domain.exotic_valuation import value_exotic
from services.pricing.domain.market import Book, Snapshot, Standing
from services.pricing.domain.product import Cut, option
from services.pricing.domain.surface import Surface
from services.pricing.domain.valuation import Valuation, option_columns, value_options
from tests.unit.pricing.worlds import EURUSD

AS_OF = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)
TODAY, YEAR = ql.Date(4, 3, 2026), ql.Actual365Fixed()
SPOT, STRIKE, LOWER, UPPER = 1.08, 1.09, 1.045, 1.135
USD, EUR = ([0.1, 0.5, 2.0], [0.045, 0.041, 0.038]), ([0.1, 1.0, 2.0], [0.019, 0.022, 0.025])
EXPIRIES = ("2W", "3M", "1Y")
VOLATILITIES = (0.06, 0.11)


class Oracle:
    """QuantLib's process from the quoted spot, with the rates from spot to delivery that its own dates give."""

    def __init__(self, expiry: date, volatility: float) -> None:
        ql.Settings.instance().evaluationDate = TODAY
        calendar = ql.JointCalendar(ql.TARGET(), ql.UnitedStates(ql.UnitedStates.FederalReserve))
        self.expiry = ql.Date(expiry.day, expiry.month, expiry.year)
        self.spot_date = calendar.advance(TODAY, 2, ql.Days)
        self.delivery = calendar.advance(self.expiry, 2, ql.Days)
        self.time = YEAR.yearFraction(TODAY, self.expiry)
        domestic, foreign = (self._forward_growth(*curve) for curve in (USD, EUR))
        self.quote, self.volatility = ql.SimpleQuote(SPOT), ql.SimpleQuote(volatility)
        rates = (foreign / self.time, domestic / self.time)
        curves = [ql.YieldTermStructureHandle(ql.FlatForward(TODAY, rate, YEAR)) for rate in rates]
        flat = ql.BlackConstantVol(TODAY, ql.NullCalendar(), ql.QuoteHandle(self.volatility), YEAR)
        handle = ql.BlackVolTermStructureHandle(flat)
        self.process = ql.BlackScholesMertonProcess(ql.QuoteHandle(self.quote), *curves, handle)
        self.to_today = math.exp(-self._growth(*USD, self.spot_date))

    def _growth(self, times: list[float], rates: list[float], day: Any) -> float:
        """−ln of the discount factor to a day: QuantLib's log-linear discount factors, flat before the first pillar."""
        at = YEAR.yearFraction(TODAY, day)
        if at <= times[0]:
            return rates[0] * at
        discounts = [math.exp(-rate * time) for time, rate in zip(times, rates, strict=True)]
        return -math.log(ql.LogLinearInterpolation(times, discounts)(at))

    def _forward_growth(self, times: list[float], rates: list[float]) -> float:
        return self._growth(times, rates, self.delivery) - self._growth(times, rates, self.spot_date)

    def worth(self, made: Any, engine: Any) -> float:
        """What a QuantLib option is worth today."""
        made.setPricingEngine(engine)
        return self.to_today * float(made.NPV())

    def slopes(self, made: Any, engine: Any) -> tuple[float, float]:
        """Delta and vega by differences of it."""
        found = []
        for quote, step in ((self.quote, 2e-4), (self.volatility, 2e-4)):
            at, ends = quote.value(), []
            for side in (1, -1):
                quote.setValue(at + side * step)
                ends.append(self.worth(made, engine))
            quote.setValue(at)
            found.append((ends[0] - ends[1]) / (2 * step))
        return found[0], found[1]


def side(call: bool) -> Any:
    """QuantLib's put or call."""
    return ql.Option.Call if call else ql.Option.Put


@pytest.fixture(params=[(expiry, volatility) for expiry in EXPIRIES for volatility in VOLATILITIES], ids=str)
def case(request: pytest.FixtureRequest) -> tuple[Standing, Terms, Oracle]:
    """A market, terms, and QuantLib on the same dates."""
    expiry, volatility = request.param
    curves = {"USD": ZeroCurve.of(*USD, "usd"), "EUR": ZeroCurve.of(*EUR, "eur")}
    standing = Snapshot("", AS_OF, Book(curves, {EURUSD: Surface.flat(volatility)}), {EURUSD: SPOT}).of(EURUSD)
    terms = Terms(expiry, Cut.TOKYO, 1.0, "product")
    oracle = Oracle(terms.life(standing)[1], volatility)
    assert standing.dates.spot == oracle.spot_date.to_date()
    assert terms.life(standing)[3] == oracle.delivery.to_date()
    return standing, terms, oracle


def valued(leg: Exotic, standing: Standing) -> Valuation:
    """The service's valuation."""
    asked = ask(leg, standing)
    return value_exotic(asked, asked.formula(*asked.columns), standing).valuation


def agree(found: Valuation, oracle: Oracle, made: Any, engine: Any, error: float) -> None:
    """Worth within an error; delta and vega within what differences of theirs are good for."""
    assert found.present_value == pytest.approx(oracle.worth(made, engine), abs=error)
    delta, vega = oracle.slopes(made, engine)
    assert found.delta == pytest.approx(delta, rel=1e-3, abs=1e-4 + 1e4 * error)
    assert found.vega == pytest.approx(vega, rel=1e-3, abs=1e-4 + 1e4 * error)


@pytest.mark.parametrize("call", [False, True])
def test_vanillas_and_digitals_agree(case: tuple[Standing, Terms, Oracle], call: bool) -> None:
    """To 1e-13 of the base amount or the payout, in both currencies."""
    standing, terms, oracle = case
    engine, exercise = ql.AnalyticEuropeanEngine(oracle.process), ql.EuropeanExercise(oracle.expiry)
    rest = {"notional": 1.0, "expiry": terms.expiry, "cut": terms.cut, "field": "expiry"}
    leg = option(standing.dates, standing.as_of, call=call, strike=STRIKE, **rest)
    columns = option_columns([leg], standing)
    (found,) = value_options([leg], standing, columns, formula.vanillas(*columns.arrays()))
    made = ql.VanillaOption(ql.PlainVanillaPayoff(side(call), STRIKE), exercise)
    agree(found.valuation, oracle, made, engine, 1e-13)
    for currency, payoff in (
        ("USD", ql.CashOrNothingPayoff(side(call), STRIKE, 1.0)),
        ("EUR", ql.AssetOrNothingPayoff(side(call), STRIKE)),
    ):
        paid = exotic.digital(terms, standing, call=call, strike=STRIKE, payout_currency=currency)
        agree(valued(paid, standing), oracle, ql.VanillaOption(payoff, exercise), engine, 1e-12)


@pytest.mark.parametrize("call", [False, True])
@pytest.mark.parametrize("knocks_in", [False, True])
def test_barriers_agree(case: tuple[Standing, Terms, Oracle], call: bool, knocks_in: bool) -> None:
    """Single ones with a rebate to 1e-12, double ones to 1e-9 of the base amount."""
    standing, terms, oracle = case
    payoff, exercise = ql.PlainVanillaPayoff(side(call), STRIKE), ql.EuropeanExercise(oracle.expiry)
    engine = ql.AnalyticBarrierEngine(oracle.process)
    kinds = {True: (ql.Barrier.DownIn, ql.Barrier.UpIn), False: (ql.Barrier.DownOut, ql.Barrier.UpOut)}[knocks_in]
    terms_of: dict[str, Any] = {"call": call, "strike": STRIKE, "knocks_in": knocks_in, "rebate": 0.01}
    for kind, level, levels in (
        (kinds[0], LOWER, {"lower": LOWER, "upper": None}),
        (kinds[1], UPPER, {"lower": None, "upper": UPPER}),
    ):
        leg = exotic.barrier(terms, standing, **terms_of, **levels)
        agree(valued(leg, standing), oracle, ql.BarrierOption(kind, level, 0.01, payoff, exercise), engine, 1e-12)
    both = ql.DoubleBarrier.KnockIn if knocks_in else ql.DoubleBarrier.KnockOut
    leg = exotic.barrier(terms, standing, **{**terms_of, "rebate": 0.0}, lower=LOWER, upper=UPPER)
    made = ql.DoubleBarrierOption(both, LOWER, UPPER, 0.0, payoff, exercise)
    agree(valued(leg, standing), oracle, made, ql.AnalyticDoubleBarrierEngine(oracle.process, 10), 1e-9)


@pytest.mark.parametrize("at_hit", [False, True])
def test_touches_agree(case: tuple[Standing, Terms, Oracle], at_hit: bool) -> None:
    """One-touches in both currencies to 1e-12 of the payout, a double no-touch to 1e-7."""
    standing, terms, oracle = case
    engine = ql.AnalyticDigitalAmericanEngine(oracle.process)
    exercise = ql.AmericanExercise(TODAY, oracle.expiry, not at_hit)
    for way, level, levels in (
        (ql.Option.Put, LOWER, {"lower": LOWER, "upper": None}),
        (ql.Option.Call, UPPER, {"lower": None, "upper": UPPER}),
    ):
        payoffs = {"USD": ql.CashOrNothingPayoff(way, level, 1.0), "EUR": ql.AssetOrNothingPayoff(way, level)}
        for currency, payoff in payoffs.items():
            leg = exotic.touch(terms, standing, touched=True, at_hit=at_hit, payout_currency=currency, **levels)
            agree(valued(leg, standing), oracle, ql.VanillaOption(payoff, exercise), engine, 1e-12)
    if not at_hit:
        inside = {"lower": LOWER, "upper": UPPER, "payout_currency": "USD"}
        leg = exotic.touch(terms, standing, touched=False, at_hit=False, **inside)
        payoff = ql.CashOrNothingPayoff(ql.Option.Call, 0.0, 1.0)
        corridor = (ql.DoubleBarrier.KnockOut, LOWER, UPPER, 0.0)
        made = ql.DoubleBarrierOption(*corridor, payoff, ql.EuropeanExercise(oracle.expiry))
        engine = ql.AnalyticDoubleBarrierBinaryEngine(oracle.process)
        assert valued(leg, standing).present_value == pytest.approx(oracle.worth(made, engine), abs=1e-7)


@pytest.mark.parametrize("call", [False, True])
def test_american_options_agree(case: tuple[Standing, Terms, Oracle], call: bool) -> None:
    """With QuantLib's fixed point in high precision to 1e-7 of the base amount."""
    standing, terms, oracle = case
    engine = ql.QdFpAmericanEngine(oracle.process, ql.QdFpAmericanEngine.highPrecisionScheme())
    made = ql.VanillaOption(ql.PlainVanillaPayoff(side(call), STRIKE), ql.AmericanExercise(TODAY, oracle.expiry))
    agree(valued(exotic.american(terms, standing, call=call, strike=STRIKE), standing), oracle, made, engine, 1e-7)


@pytest.mark.parametrize("call", [False, True])
def test_average_rate_options_agree(case: tuple[Standing, Terms, Oracle], call: bool) -> None:
    """With three fixings to come, evenly spaced, and two of the past, to 1e-11 of the base amount."""
    standing, terms, oracle = case
    first = TODAY + 2 * ((oracle.expiry - TODAY) // 6)
    while first.weekday() in (ql.Saturday, ql.Sunday) or (oracle.expiry - first) % 2:
        first += 1
    dates = [first, first + (oracle.expiry - first) // 2, oracle.expiry]
    leg = exotic.asian(
        terms,
        standing,
        call=call,
        strike=STRIKE,
        next_fixing=first.to_date().isoformat(),
        fixings=3,
        past=[1.07, 1.1],
    )
    payoff, exercise = ql.PlainVanillaPayoff(side(call), STRIKE), ql.EuropeanExercise(oracle.expiry)
    made = ql.DiscreteAveragingAsianOption(ql.Average.Arithmetic, 2.17, 2, dates, payoff, exercise)
    agree(valued(leg, standing), oracle, made, ql.TurnbullWakemanAsianEngine(oracle.process), 1e-11)
