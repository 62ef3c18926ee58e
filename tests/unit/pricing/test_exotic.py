"""Exotic options: which terms are refused and with what remedy, and what they are worth against each other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta

import numpy as np
import pytest

from services.pricing.domain import formula
from services.pricing.domain.exotic import American, Exotic
from services.pricing.domain.market import SECONDS_OF_YEAR, Snapshot, flat
from services.pricing.domain.product import Exchange, Option
from services.pricing.domain.refusal import Refused
from services.pricing.domain.surface import Smile, Surface
from services.pricing.domain.valuation import Valuation, option_columns, value_exchange, value_options
from tests.unit.pricing import desk
from tests.unit.pricing.exotics import (
    STANDING,
    american,
    asian,
    barrier,
    digital,
    priced,
    terms,
    touch,
    vanilla,
)
from tests.unit.pricing.worlds import AS_OF, EURUSD, snapshot

SPOT = STANDING.spot


@pytest.mark.parametrize(
    ("make", "field", "words"),
    [
        (lambda: digital(True, 1.1, "JPY"), "payout_currency", "give EUR or USD"),
        (lambda: touch(True, None, None), "lower_barrier", "neither is upper_barrier"),
        (lambda: touch(True, SPOT, None), "lower_barrier", "touched already"),
        (lambda: touch(True, None, 1.0), "upper_barrier", "touched already"),
        (lambda: touch(False, 1.0, None, at_hit=True), "payout_style", "PAYOUT_STYLE_DEFERRED"),
        (lambda: touch(True, 1.0, None, currency="GBP"), "payout_currency", "give EUR or USD"),
        (lambda: barrier(True, 1.1, 1.09, None), "lower_barrier", "not below the spot rate 1.08"),
        (lambda: barrier(True, 1.1, 1.05, 1.07), "upper_barrier", "not above the spot rate"),
        (lambda: barrier(True, 1.2, None, 1.2), "upper_barrier", "ends before it could pay"),
        (lambda: barrier(False, 1.0, 1.0, 1.3), "lower_barrier", "ends before it could pay"),
        (lambda: asian(True, 1.1, "2026-03-03"), "next_fixing", "put its rate into past_fixings"),
        (lambda: asian(True, 1.1, "1Y"), "next_fixing", "within the life"),
        (lambda: asian(True, 1.1, "2026-03-07"), "next_fixing", "Saturday"),
        (lambda: asian(True, 1.1, "1M", 1), "next_fixing", "one fixing is at the expiry"),
        (lambda: asian(True, 1.1, "6M", 2), "next_fixing", "more begin before it"),
        (lambda: american(True, 1.1, expiry="2026-03-08"), "expiry", "Sunday"),
        (lambda: digital(True, 1.1, expiry="2026-03-01"), "expiry", "before the trade date"),
    ],
)
def test_terms_without_sense_are_refused(make: Callable[[], Exotic], field: str, words: str) -> None:
    """Each names its field and what would be right."""
    with pytest.raises(Refused) as caught:
        make()
    assert caught.value.field == f"product.it.{field}"
    assert words in caught.value.words


def test_a_fixing_of_today_is_past_after_the_cut() -> None:
    """On the day itself the clock decides."""
    late = snapshot(as_of=AS_OF + timedelta(hours=2)).of(EURUSD)
    asian(True, 1.1, "2026-03-04")
    with pytest.raises(Refused, match="past_fixings"):
        asian(True, 1.1, "2026-03-04", at=late)


def test_knock_ins_wherever_they_begin_are_allowed() -> None:
    """One that must begin before it pays is the vanilla, and is worth as much."""
    market = snapshot()
    into = priced(barrier(True, 1.2, None, 1.15, knocks_in=True), market).valuation
    close(into, european(vanilla(True, 1.2), market), 1e-8)


def european(leg: Option, market: Snapshot) -> Valuation:
    """A European option's valuation in closed form."""
    standing = market.of(EURUSD)
    columns = option_columns([leg], standing)
    return value_options([leg], standing, columns, formula.vanillas(*columns.arrays()))[0].valuation


def cash(amount: float, leg: Exotic, market: Snapshot) -> Valuation:
    """An amount of the counter currency on a leg's delivery date."""
    standing = market.of(EURUSD)
    time = standing.time(leg.value_date)
    worth = amount * float(standing.domestic.discount(time))
    rate = float(standing.domestic.growth(time)) / time
    return Valuation(present_value=worth, theta=rate * worth, rho_domestic=-time * worth)


def close(found: Valuation, wanted: Valuation, error: float) -> None:
    """Each number within an error of the largest of its kind for an option of one unit at 10 % to half a year."""
    size = Valuation(1.0, 10.0, 100.0, 10.0, 2.0, 10.0, 10.0, 100.0, 100.0, 20.0)
    off = {f.name: abs(getattr(found, f.name) - getattr(wanted, f.name)) / getattr(size, f.name) for f in fields(size)}
    assert max(off.values()) < error, off


BARRIERS = [(1.04, None), (None, 1.13), (1.04, 1.13), (1.0799999, None), (1.03, 1.0800001)]


@pytest.mark.parametrize(("lower", "upper"), BARRIERS)
@pytest.mark.parametrize("call", [False, True])
def test_in_and_out_are_the_vanilla(call: bool, lower: float | None, upper: float | None) -> None:
    """In worth and in every Greek, on a smile, also beside the barrier: differences are as good as a closed form."""
    market, strike = snapshot(), 1.083 if lower and lower > 1.07 else 1.078
    knocked = [priced(barrier(call, strike, lower, upper, knocks_in=way), market).valuation for way in (False, True)]
    close(knocked[0] + knocked[1], european(vanilla(call, strike), market), 1e-8)


@pytest.mark.parametrize("currency", ["USD", "EUR"])
@pytest.mark.parametrize(("lower", "upper"), BARRIERS)
def test_touch_and_no_touch_are_certain(lower: float | None, upper: float | None, currency: str) -> None:
    """Paid on delivery, one of them pays: together they are the payout's worth, with its Greeks."""
    market = snapshot()
    legs = [touch(touched, lower, upper, currency=currency) for touched in (False, True)]
    together = priced(legs[0], market).valuation + priced(legs[1], market).valuation
    if currency == "USD":
        wanted = cash(1.0, legs[0], market)
    else:
        bought = Exchange("", 1.0, legs[0].value_date, 1.1)
        wanted = value_exchange(bought, market.of(EURUSD)).valuation + cash(1.1, legs[0], market)
    close(together, wanted, 1e-8)


@pytest.mark.parametrize("strike", [1.02, 1.08, 1.1, 1.14])
def test_digitals_on_a_smile(strike: float) -> None:
    """Call and put are the payout; a call is the limit of call spreads that see the smile; asset less strike times cash
    is the vanilla. The smile has a kink at 1.1 a year out."""
    market = snapshot()
    for expiry in ("6M", "1Y"):
        leg = digital(True, strike, expiry=expiry)
        call = priced(leg, market)
        put = priced(digital(False, strike, expiry=expiry), market)
        close(call.valuation + put.valuation, cash(1.0, leg, market), 1e-8)
        width = 1e-5 * strike
        low, high = (
            european(vanilla(True, strike + side * width, expiry=expiry), market).present_value for side in (-1, 1)
        )
        assert call.valuation.present_value == pytest.approx((low - high) / (2 * width), abs=1e-6)
        assert call.smile_slope != 0.0
        asset = priced(digital(True, strike, "EUR", expiry=expiry), market).valuation
        option = european(vanilla(True, strike, expiry=expiry), market).present_value
        assert asset.present_value - strike * call.valuation.present_value == pytest.approx(option, abs=1e-13)


def test_a_market_as_a_desk_quotes_it_prices_exotics() -> None:
    """On quotes by delta and swap points, too: a digital is the limit of call spreads, in and out are the vanilla."""
    market = desk.snapshot()
    at = market.of(EURUSD)
    for shift in (0.95, 1.0, 1.04):
        strike = at.spot * shift
        found, width = priced(digital(True, strike, at=at), market), 1e-5 * strike
        ends = [european(vanilla(True, strike + side * width, at), market).present_value for side in (-1, 1)]
        assert found.valuation.present_value == pytest.approx((ends[0] - ends[1]) / (2 * width), abs=1e-8)
        levels = (0.93 * at.spot, 1.07 * at.spot)
        knocked = [
            priced(barrier(True, strike, *levels, knocks_in=way, at=at), market).valuation for way in (False, True)
        ]
        close(knocked[0] + knocked[1], european(vanilla(True, strike, at), market), 1e-8)


def test_without_a_smile_a_digital_has_the_greeks_of_its_formula() -> None:
    """A cash-or-nothing call is worth −∂C/∂K: Greeks of call spreads of vanillas."""
    market, width = snapshot(volatility=0.1), 1e-4
    low, high = (european(vanilla(True, 1.09 + side * width), market) for side in (-1, 1))
    spread = Valuation(*((getattr(low, f.name) - getattr(high, f.name)) / (2 * width) for f in fields(low)))
    close(priced(digital(True, 1.09), market).valuation, spread, 1e-5)


def test_a_smile_with_arbitrage_prices_no_digital() -> None:
    """Where call spreads would be worth less than nothing, the surface is named as wrong."""
    book = replace(snapshot().book, surfaces={EURUSD: Surface.of([Smile.of(1.0, [1.05, 1.1], [0.05, 0.3], "s")], "s")})
    market = replace(snapshot(), book=book, _standings={})
    with pytest.raises(Refused, match="arbitrage") as caught:
        priced(digital(True, 1.09), market)
    assert caught.value.field == "product.digital.strike"


def test_one_fixing_at_the_expiry_is_a_vanilla() -> None:
    """In worth and in every Greek."""
    market = snapshot()
    close(priced(asian(True, 1.09, "6M", 1), market).valuation, european(vanilla(True, 1.09), market), 1e-8)


def test_past_fixings_count_like_those_to_come() -> None:
    """With all but one fixed, the option is a small one on what is left: strike and amount follow from the average."""
    market = snapshot(volatility=0.1)
    found = priced(asian(True, 1.09, "6M", 1, past=[1.05, 1.06, 1.07]), market).valuation
    left = european(vanilla(True, 4 * 1.09 - 3.18), market)
    close(found, Valuation(*(getattr(left, f.name) / 4 for f in fields(left))), 1e-8)


def test_american_options_are_worth_their_exercise_and_more() -> None:
    """Not less than European ones or than exercise; far in the money they are the spot deal."""
    market = snapshot()
    discount = float(STANDING.domestic.discount(STANDING.spot_time))
    for call in (False, True):
        for strike in (1.02, 1.08, 1.13):
            found = priced(american(call, strike), market).valuation.present_value
            assert found >= european(vanilla(call, strike), market).present_value - 1e-12
            assert found >= discount * (SPOT - strike if call else strike - SPOT) - 1e-12
    deep = priced(american(False, 1.6), market).valuation
    worth = discount * (1.6 - SPOT)
    close(deep, Valuation(worth, -discount, rho_domestic=-STANDING.spot_time * worth), 1e-8)


@pytest.mark.parametrize(("call", "rates"), [(True, {"USD": 0.0, "EUR": -0.03}), (False, {"USD": -0.06, "EUR": 0.0})])
def test_an_american_option_that_nobody_exercises_is_european(call: bool, rates: dict[str, float]) -> None:
    """With nothing to earn on what is received; its Greeks are those of few points, less exact than others."""
    market = snapshot(**rates)
    close(priced(american(call, 1.09), market).valuation, european(vanilla(call, 1.09), market), 1e-4)


def test_greeks_of_americans_and_averages_are_what_prices_do() -> None:
    """Central differences of the present value by quoted spot, volatility and both curves."""
    base = {"spot": 1.08, "volatility": 0.09}
    legs = [(american(False, 1.12), 5e-5), (american(True, 1.06), 5e-5), (asian(True, 1.09, past=[1.1]), 1e-7)]
    for leg, error in legs:
        found = priced(leg, snapshot(**base)).valuation
        steps = {"delta": ("spot", 1e-3), "vega": ("volatility", 1e-3)}
        steps |= {"rho_domestic": ("USD", 1e-4), "rho_foreign": ("EUR", 1e-4)}
        for greek, (name, step) in steps.items():
            ends = [
                priced(leg, snapshot(**{**base, name: base.get(name, 0.0) + k * step})).valuation.present_value
                for k in (-2, -1, 1, 2)
            ]
            slope = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step)
            assert getattr(found, greek) == pytest.approx(slope, rel=error), (leg, greek)


def test_american_greeks_solve_the_pricing_equation() -> None:
    """Where an option is held on to, what it gains by time, variance and carry is the interest on its worth.

    Over random markets, also with negative rates: as exact as the Greeks of few points and of trees are, and least at
    the edge of exercise, where gamma jumps. By the formula's own clock, in which both discount factors shrink evenly.
    """
    draw, off = np.random.default_rng(5), []
    for _ in range(40):
        sigma, domestic, foreign = draw.uniform(0.05, 0.2), *draw.uniform(-0.03, 0.08, 2)
        rates = {"domestic_rate": domestic, "foreign_rate": foreign}
        market = flat(EURUSD, AS_OF, spot=SPOT, **rates, volatility=sigma)
        at, expiry = market.of(EURUSD), str(draw.choice(["1W", "1M", "6M", "2Y"]))
        time = at.time_to(vanilla(True, 1.0, at, expiry).expires)
        strike = SPOT * math.exp(draw.normal() * sigma * math.sqrt(time))
        leg = american(bool(draw.integers(2)), strike, at, expiry=expiry)
        v = priced(leg, market).valuation
        if v.gamma == pytest.approx(0.0, abs=1e-9):
            continue
        carried = at.time(leg.value_date) - at.spot_time
        by_domestic = v.rho_domestic + at.spot_time * v.present_value
        passing = 0.5 * sigma * v.vega + domestic * by_domestic + foreign * v.rho_foreign
        carry = (domestic - foreign) * SPOT * v.delta - domestic * v.present_value
        gained = 0.5 * sigma**2 * SPOT**2 * v.gamma + carry * carried / time - passing / time
        off.append(abs(gained) / (0.2 * sigma * SPOT / math.sqrt(time)))
    assert len(off) > 30
    assert max(off) < 0.1
    assert np.median(off) < 1e-4


LIVING = [
    barrier(True, 1.09, 1.05, None, expiry="3M"),
    touch(False, 1.02, 1.15, expiry="3M"),
    asian(False, 1.09, "2026-03-09", 40, expiry="3M"),
    digital(True, 1.07, "EUR", expiry="3M"),
    american(False, 1.09, expiry="3M"),
]


@pytest.mark.parametrize("leg", LIVING, ids=lambda leg: type(leg).__name__)
def test_theta_and_charm_are_what_an_hour_does(leg: Exotic) -> None:
    """Without rates: the time to the expiry, and that to the fixings, goes on while all else stays."""
    hour = timedelta(hours=1)

    def at(hours: int) -> Valuation:
        market = flat(EURUSD, AS_OF + hours * hour, spot=1.08, domestic_rate=0.0, foreign_rate=0.0, volatility=0.1)
        return priced(leg, market).valuation

    years = 2 * hour.total_seconds() / SECONDS_OF_YEAR
    before, now, after = at(-1), at(0), at(1)
    assert now.theta == pytest.approx((after.present_value - before.present_value) / years, rel=2e-5)
    # Without rates an American option is at the edge of what is worth exercising, and its points lie far apart.
    error = 1e-3 if isinstance(leg, American) else 1e-5
    assert now.charm == pytest.approx((after.delta - before.delta) / years, rel=error, abs=1e-6)


@pytest.mark.parametrize("leg", LIVING, ids=lambda leg: type(leg).__name__)
def test_theta_is_what_a_day_does(leg: Exotic) -> None:
    """With rates: from Tuesday to Wednesday every date comes one day nearer, the spot date moves along."""

    def at(days: int) -> Valuation:
        moment = AS_OF + timedelta(days=days)
        return priced(
            leg, flat(EURUSD, moment, spot=1.08, domestic_rate=0.05, foreign_rate=0.02, volatility=0.1)
        ).valuation

    change = (at(-1).present_value - at(-2).present_value) * 365
    assert (at(-2).theta + at(-1).theta) / 2 == pytest.approx(change, rel=1e-3)


def test_worth_scales_with_the_notional_and_turns_with_its_sign() -> None:
    """A rebate is an amount of the whole option: it is paid once, whatever the notional."""
    market = snapshot()
    bought = priced(barrier(True, 1.09, 1.05, None, rebate=3.0, notional=100.0), market).valuation
    sold = priced(barrier(True, 1.09, 1.05, None, rebate=6.0, notional=-200.0), market).valuation
    for f in fields(Valuation):
        assert getattr(sold, f.name) == pytest.approx(-2.0 * getattr(bought, f.name), rel=1e-12), f.name
    assert terms().notional == 1.0
