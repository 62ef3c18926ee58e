"""Curves, bootstraps and swap points against QuantLib's, over currencies' conventions and shapes of curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import QuantLib as ql

from crossrate.kernel import swap_points
from crossrate.kernel.bootstrap import bootstrap, par_rates
from crossrate.kernel.curve import Curves, Interpolation
from tests.unit.kernel.quantlib_curves import DAYS, deposits, overnight_swaps, years

SWAPS = ["2M", "4M", "9M", "1Y", "18M", "2Y", "3Y", "5Y", "7Y", "10Y", "15Y", "20Y", "30Y"]
CURRENCIES: dict[str, tuple[Any, Any, Any, int, int, int]] = {
    # overnight index, calendar, day count, days to spot, payment lag, coupons' frequency
    "USD SOFR": (ql.Sofr(), ql.UnitedStates(ql.UnitedStates.FederalReserve), ql.Actual360(), 2, 2, ql.Annual),
    "EUR €STR": (ql.Estr(), ql.TARGET(), ql.Actual360(), 2, 1, ql.Annual),
    "GBP SONIA": (ql.Sonia(), ql.UnitedKingdom(), ql.Actual365Fixed(), 0, 0, ql.Annual),
    "CHF SARON": (ql.Saron(), ql.Switzerland(), ql.Actual360(), 2, 2, ql.Annual),
    "AUD AONIA": (ql.Aonia(), ql.Australia(), ql.Actual365Fixed(), 1, 2, ql.Quarterly),
}
SHAPES = {
    "rising": lambda t: 0.02 + 0.02 * (1.0 - np.exp(-t / 4.0)),
    "inverted": lambda t: 0.055 - 0.025 * (1.0 - np.exp(-t / 3.0)),
    "negative": lambda t: -0.008 + 0.0005 * t,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("currency", CURRENCIES)
def test_bootstraps_agree(currency: str, shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Discount factors agree at 150 dates of each currency's curve, from overnight to thirty years and beyond knots."""
    index, calendar, count, days, lag, frequency = CURRENCIES[currency]
    today = ql.Date(17, 12, 2025)  # holidays follow at once
    ql.Settings.instance().evaluationDate = today
    rate = SHAPES[shape]
    cash = [(0, "1D", float(rate(0.0))), (days, "1M", float(rate(1 / 12)))]
    quotes = [(tenor, float(rate(DAYS.yearFraction(today, today + ql.Period(tenor))))) for tenor in SWAPS]
    helpers, instruments = deposits(today, calendar, count, cash)
    more, others = overnight_swaps(today, index, days, lag, frequency, quotes)
    theirs = ql.PiecewiseLogLinearDiscount(today, helpers + more, DAYS, ql.IterativeBootstrap(1e-15))
    ours = bootstrap(instruments + others, [each for *_, each in cash] + [each for _, each in quotes])
    times = np.linspace(1.0 / 365.0, ours.times[-1], 150)
    expected = np.array([theirs.discount(float(time)) for time in times])
    worst = float(np.abs(ours.discount(times) / expected - 1.0).max())
    implied = [each.impliedQuote() for each in helpers + more]
    rates = float(np.abs(par_rates(ours, instruments + others)[0] - implied).max())
    with capsys.disabled():
        print(f"\n{currency:10} {shape:9} worst discount factor {worst:.1e}, worst par rate {rates:.1e}", end="")
    assert worst < 1e-13
    assert rates < 1e-12


def quantlibs_curve(method: Interpolation, dates: list[ql.Date], discounts: list[float]) -> Any:
    """QuantLib's curve of a method: its monotone log-cubic one is the natural spline under Hyman's filter."""
    if method == Interpolation.LOG_LINEAR:
        return ql.DiscountCurve(dates, discounts, DAYS)
    return ql.LogCubicDiscountCurve(dates, discounts, DAYS, ql.NullCalendar(), ql.MonotonicLogCubic())


@pytest.mark.parametrize("method", [Interpolation.LOG_LINEAR, Interpolation.MONOTONE_SPLINE])
def test_curves_agree(method: Interpolation, capsys: pytest.CaptureFixture[str]) -> None:
    """2,400 readings of forty curves whose discount factors fall give QuantLib's discount factors and rates.

    Where discount factors turn, the methods differ: our forward rate at such a knot is 0, QuantLib lets it overshoot.
    """
    random = np.random.default_rng(12)
    today, worst = ql.Date(17, 12, 2025), np.zeros(3)
    ql.Settings.instance().evaluationDate = today
    for _ in range(40):
        steps = np.sort(random.choice(np.arange(1, 60), 10, replace=False)) * 180
        dates = [today] + [today + int(each) for each in steps]
        knots = steps / 365.0
        discounts = np.exp(-np.cumsum(random.uniform(0.01, 0.05, 10) * np.diff(knots, prepend=0.0)))
        theirs, ours = quantlibs_curve(method, dates, [1.0, *discounts]), Curves(knots, discounts, interpolation=method)
        times = random.uniform(0.01, knots[-1] - 0.01, 20)
        ends = np.minimum(times + 0.5, knots[-1])
        expected = np.array(
            [
                (
                    theirs.discount(t),
                    theirs.zeroRate(t, ql.Continuous).rate(),
                    theirs.forwardRate(t, e, ql.Continuous).rate(),
                )
                for t, e in zip(times.tolist(), ends.tolist(), strict=True)
            ]
        )
        found = np.stack([ours.discount(times), ours.zero_rate(times), ours.forward_rate(times, ends)], axis=1)
        worst = np.maximum(worst, np.abs(found - expected).max(axis=0))
    with capsys.disabled():
        print(f"\n{method.name:16} worst discount factor, zero rate, forward rate {worst}", end="")
    assert worst.max() < 1e-12


@pytest.mark.parametrize("seed", range(20))
def test_swap_points_agree(seed: int) -> None:
    """Curves implied by points of either sign are QuantLib's, whichever currency is known."""
    random = np.random.default_rng(seed)
    today, calendar, rule = ql.Date(17, 12, 2025), ql.TARGET(), ql.ModifiedFollowing
    ql.Settings.instance().evaluationDate = today
    level, is_base = float(random.uniform(-0.01, 0.08)), bool(seed % 2)
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, level, DAYS))
    spot, tenors = float(random.uniform(0.6, 200.0)), ["1D", "1W", "1M", "3M", "6M", "9M", "1Y", "2Y", "5Y"]
    date = calendar.advance(today, 2, ql.Days)
    times = [years(today, calendar.advance(date, ql.Period(each), rule)) for each in tenors]
    moved = spot * np.expm1(random.uniform(-0.04, 0.04) * (np.array(times) - years(today, date)))
    helpers = []
    for points, tenor in zip(moved.tolist(), tenors, strict=True):
        quotes = [ql.QuoteHandle(ql.SimpleQuote(each)) for each in (points, spot)]
        helpers.append(ql.FxSwapRateHelper(*quotes, ql.Period(tenor), 2, calendar, rule, False, is_base, flat))
    theirs = ql.PiecewiseLogLinearDiscount(today, helpers, DAYS, ql.IterativeBootstrap(1e-15))
    dates, rates = swap_points.with_spot(times, spot + moved, spot, years(today, date))
    ours = swap_points.implied_curves(Curves([10.0], [np.exp(-10.0 * level)]), int(is_base), dates, rates)
    grid = np.linspace(0.001, times[-1], 100)
    expected = np.array([theirs.discount(float(time)) for time in grid])
    assert np.abs(ours.discount(grid) / expected - 1.0).max() < 5e-12
