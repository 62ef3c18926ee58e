"""Swap points by hand, by exact arithmetic, against QuantLib, and by identities of curves."""

from __future__ import annotations

import pickle
import re

import mpmath
import numpy as np
import pytest
import QuantLib as ql

from crossrate.kernel import ArgumentError, ShapeError, swap_points
from crossrate.kernel.curve import Curves, Interpolation
from crossrate.kernel.faults import Reason
from crossrate.kernel.swap_points import BrokenDate, InconsistentCrossError, SwapLeg
from tests.unit.kernel.quantlib_curves import DAYS, years

DAY = 1.0 / 365.0
SPOT_TIME = 2.0 * DAY
KNOTS = np.array([DAY, SPOT_TIME, 0.25, 0.5, 1.0, 2.0])
DOLLAR = Curves(KNOTS, np.exp(-np.array([0.043, 0.0432, 0.043, 0.042, 0.04, 0.038]) * KNOTS))
EURO = Curves(KNOTS, np.exp(-np.array([0.019, 0.0192, 0.019, 0.0195, 0.02, 0.021]) * KNOTS))
YEN = Curves(KNOTS, np.exp(-np.array([0.004, 0.0041, 0.005, 0.006, 0.007, 0.009]) * KNOTS))
DATES = np.array([SPOT_TIME + DAY, 0.1, 0.3, 0.75, 1.5])


def test_the_sign_turns_before_spot(build: str) -> None:
    """Points after spot are added, those before are subtracted, and the sides change places.

    EUR/USD 1.1000 / 1.1002; overnight 0.5 / 0.7, tom/next 0.6 / 0.9, one month 20 / 21, all in pips. Tomorrow's bid is
    1.1000 − 0.00009, its offer 1.1002 − 0.00006; today's bid takes both offers: 1.1000 − 0.00009 − 0.00007.
    """
    leg = [SwapLeg.INTO_TOMORROW, SwapLeg.INTO_SPOT, SwapLeg.FROM_SPOT]
    sides = swap_points.outrights(leg, [0.5, 0.6, 20.0], [0.7, 0.9, 21.0], 1.1, 1.1002, 0.0001)
    assert np.allclose(sides.bid, [1.09984, 1.09991, 1.102], rtol=1e-15)
    assert np.allclose(sides.offer, [1.10009, 1.10014, 1.1023], rtol=1e-15)


def test_pairs_of_different_pips_and_spots_go_in_one_call(build: str) -> None:
    """A pair whose spot is tomorrow has its overnight points into spot; the yen's pip is a hundredth."""
    leg = [SwapLeg.INTO_SPOT, SwapLeg.FROM_SPOT, SwapLeg.FROM_SPOT]
    points = [-0.4, -30.0, -55.0]
    sides = swap_points.outrights(leg, points, points, [1.36, 150.0], [1.36, 150.0], [0.0001, 0.01], [0, 2, 3])
    assert np.allclose(sides.bid, [1.36004, 1.357, 149.45], rtol=1e-15)
    assert np.array_equal(sides.bid, sides.offer)


def test_parity_is_exact(build: str) -> None:
    """Outright and points agree with fifty digits, points also where forward and spot nearly meet."""
    random = np.random.default_rng(8)
    worst = [0.0, 0.0]
    with mpmath.workdps(50):
        for _ in range(100):
            spot, pip = float(random.uniform(0.5, 200.0)), 0.0001
            factors = np.exp(-random.uniform(-1e-4, 1e-4, 4) * random.choice([1.0, 1e3])).tolist()
            base, counter, base_spot, counter_spot = factors
            found = swap_points.parity(spot, base, counter, base_spot, counter_spot, pip)
            ratio = mpmath.mpf(base) / base_spot * counter_spot / counter
            worst[0] = max(worst[0], float(abs(found.outright / (spot * ratio) - 1)))
            worst[1] = max(worst[1], float(abs(found.points * mpmath.mpf(pip) - spot * (ratio - 1)) / spot))
    assert max(worst) < 1e-15


def test_curves_give_forwards_and_forwards_give_the_curve_back(build: str) -> None:
    """Parity one way and the other is the identity, with today among the dates and from either currency."""
    dates = np.array([0.0, DAY, *DATES])
    quoted = swap_points.forwards(1.1, SPOT_TIME, dates, EURO, DOLLAR, 0.0001)
    assert (quoted.points[:2] < 0.0).all()
    assert (quoted.points[2:] > 0.0).all()
    time, outright = swap_points.with_spot(dates, quoted.outright, 1.1, SPOT_TIME)
    for known, is_base, other in ((EURO, 1, DOLLAR), (DOLLAR, 0, EURO)):
        implied = swap_points.implied_curves(known, is_base, time, outright)
        assert np.array_equal(implied.times, time[1:])
        assert np.allclose(implied.discounts, other.discount(time[1:]), rtol=2e-15)


def test_without_today_the_first_forward_rate_is_constant(build: str) -> None:
    """The implied forward rate before the second date is flat from time 0, so that spot has a discount factor."""
    quoted = swap_points.forwards(1.1, SPOT_TIME, DATES, EURO, DOLLAR, 0.0001)
    time, outright = swap_points.with_spot(DATES, quoted.outright, 1.1, SPOT_TIME)
    implied = swap_points.implied_curves(EURO, 1, time, outright)
    growth = DOLLAR.discount(time) / DOLLAR.discount(SPOT_TIME)
    assert np.allclose(implied.discounts / implied.discounts[0], growth, rtol=2e-15)
    assert np.isclose(implied.instantaneous_forward(0.0), implied.instantaneous_forward(2.5 * DAY), rtol=1e-9)


@pytest.mark.parametrize("known_is_base", [1, 0])
def test_quantlib_implies_the_same_curve(build: str, known_is_base: int) -> None:
    """Swap points imply QuantLib's curve, with overnight and tom/next points and without them."""
    today, calendar = ql.Date(16, 3, 2026), ql.TARGET()
    ql.Settings.instance().evaluationDate = today
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.031, DAYS))
    known = Curves([3.0], [np.exp(-0.031 * 3.0)])
    tenors = ["1D", "1W", "1M", "3M", "6M", "1Y", "2Y"]
    points = np.array([0.6, 4.1, 18.0, 55.0, 112.0, 224.0, 431.0])
    early = swap_points.outrights([2, 1], [0.55, 0.62], [0.55, 0.62], 1.0850, 1.0850, 0.0001).bid
    spot = calendar.advance(today, 2, ql.Days)
    later = [years(today, calendar.advance(spot, ql.Period(each), ql.ModifiedFollowing)) for each in tenors]

    def helper(amount: float, rate: float, tenor: str, days: int) -> object:
        quotes = [ql.QuoteHandle(ql.SimpleQuote(each)) for each in (amount, rate)]
        rule = ql.ModifiedFollowing
        return ql.FxSwapRateHelper(*quotes, ql.Period(tenor), days, calendar, rule, False, bool(known_is_base), flat)

    helpers = [helper(p * 0.0001, 1.0850, tenor, 2) for p, tenor in zip(points, tenors, strict=True)]
    before = [helper(0.55e-4, float(early[0]), "1D", 0), helper(0.62e-4, float(early[1]), "1D", 1)]
    outright = 1.0850 + points * 0.0001
    for extra, dates, rates in (([], later, outright), (before, [0.0, DAY, *later], [*early, *outright])):
        theirs = ql.PiecewiseLogLinearDiscount(today, [*extra, *helpers], DAYS, ql.IterativeBootstrap(1e-15))
        row = swap_points.with_spot(dates, rates, 1.0850, years(today, spot))
        ours = swap_points.implied_curves(known, known_is_base, *row)
        grid = np.linspace(0.001, later[-1], 80)
        expected = np.array([theirs.discount(float(time)) for time in grid])
        assert np.abs(ours.discount(grid) / expected - 1.0).max() < 2e-12


def test_a_broken_date_lies_between_its_neighbours(build: str) -> None:
    """Points run straight between quoted dates, and so does the implied rate difference, before spot as after."""
    dates = np.array([0.0, DAY, *DATES])
    rates = swap_points.forwards(1.1, SPOT_TIME, dates, EURO, DOLLAR, 0.0001).outright
    time, outright = swap_points.with_spot(dates, rates, 1.1, SPOT_TIME)
    for method in BrokenDate:
        found = swap_points.broken_date(time, time, outright, SPOT_TIME, method)
        assert np.allclose(found, outright, rtol=4e-16)
    grid = np.linspace(0.0, 1.5, 100)
    straight = swap_points.broken_date(grid, time, outright, SPOT_TIME)
    assert np.allclose(straight, np.interp(grid, time, outright), rtol=1e-15)
    others = time != SPOT_TIME
    difference = np.log(outright[others] / 1.1) / (time[others] - SPOT_TIME)
    grid = grid[grid > DATES[0]]
    found = swap_points.broken_date(grid, time, outright, SPOT_TIME, BrokenDate.BY_RATE)
    expected = 1.1 * np.exp(np.interp(grid, time[others], difference) * (grid - SPOT_TIME))
    assert np.allclose(found, expected, rtol=1e-15)
    near = swap_points.broken_date(SPOT_TIME + 0.4 * DAY, time, outright, SPOT_TIME, BrokenDate.BY_RATE)
    assert np.isclose(near, 1.1 * np.exp(difference[2] * 0.4 * DAY), rtol=1e-15)


def test_broken_dates_of_many_pairs_go_in_one_call(build: str) -> None:
    """Each element is about its own pair."""
    dates, rates, bounds = [0.1, 0.2, 0.1, 0.3], [1.0, 1.1, 150.0, 140.0], [0, 2, 4]
    found = swap_points.broken_date([[0.15, 0.2]], dates, rates, 0.1, BrokenDate.BY_POINTS, [[0, 1]], bounds)
    assert np.allclose(found, [[1.05, 145.0]], rtol=1e-15)


def test_a_cross_of_curves_is_consistent(build: str) -> None:
    """EUR/USD times USD/JPY is EUR/JPY at every tenor when all come from three curves; an altered tenor is named."""
    tenors = ["SN", "5W", "15W", "9M", "18M"]
    first = swap_points.forwards(1.1, SPOT_TIME, DATES, EURO, DOLLAR, 0.0001)
    second = swap_points.forwards(150.0, SPOT_TIME, DATES, DOLLAR, YEN, 0.01)
    quoted = swap_points.forwards(165.0, SPOT_TIME, DATES, EURO, YEN, 0.01)
    residual = swap_points.cross(first.outright, second.outright, 0, 165.0, quoted.points, 0.01).residual
    assert np.abs(residual).max() < 1e-10
    swap_points.require_consistent(tenors, residual, 0.01)
    back = swap_points.cross(quoted.outright, second.outright, 1, 1.1, first.points, 0.0001)
    assert np.abs(back.residual).max() < 1e-10
    assert np.allclose(back.outright, first.outright, rtol=1e-15)
    altered = quoted.points + np.array([0.0, 0.3, 0.0, -1.5, 0.0])
    found = swap_points.cross(first.outright, second.outright, 0, 165.0, altered, 0.01)
    with pytest.raises(
        InconsistentCrossError, match=r"^9M: the quoted points are -1.5 pips .* outside are 5W, 9M$"
    ) as caught:
        swap_points.require_consistent(tenors, found.residual, 0.2)
    assert (caught.value.tenor, caught.value.tenors) == ("9M", ("5W", "9M"))
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("call", "says", "reason"),
    [
        (lambda: swap_points.outrights([0, 3], [1, 1], [1, 1], 1.1, 1.1, 1e-4), "leg[1] is 3", Reason.NOT_A_CODE),
        (lambda: swap_points.outrights([2], [1], [1], 1.1, 1.1, 1e-4), "leg[0] is 2: a pair", Reason.INCONSISTENT),
        (lambda: swap_points.outrights([1, 1], [1, 1], [1, 1], 1.1, 1.1, 1e-4), "leg[1] is 1", Reason.INCONSISTENT),
        (lambda: swap_points.outrights([0], [2], [1], 1.1, 1.1, 1e-4), "offer[0] is 1.0: the", Reason.INCONSISTENT),
        (lambda: swap_points.outrights([0], [1], [1], 1.1, 1.0, 1e-4), "spot_offer[0] is 1.0", Reason.INCONSISTENT),
        (lambda: swap_points.outrights([0], [-2e4], [1], 1.1, 1.1, 1e-4), "bid[0] is -20000", Reason.NO_SOLUTION),
        (lambda: swap_points.implied_curves(EURO, 1, [1, 1], [1, 1]), "time[1] is 1.0: dates", Reason.NOT_ASCENDING),
        (lambda: swap_points.implied_curves(EURO, 2, [1, 2], [1, 1]), "known_is_base[0] is 2", Reason.NOT_A_CODE),
        (lambda: swap_points.implied_curves(EURO, 1, [1, 2], [1, 0]), "outright[1] is 0.0", Reason.OUT_OF_RANGE),
        (lambda: swap_points.implied_curves(EURO, 1, [1], [1]), "offsets[1] is 1: row 0", Reason.TOO_FEW),
        (lambda: swap_points.broken_date([1, 3], [1, 2], [1, 1], 1.0), "time[1] is 3.0: it is", Reason.NO_SOLUTION),
        (lambda: swap_points.broken_date(1.5, [1, 2], [1, 1], 1.2), "spot_time[0] is 1.2", Reason.INCONSISTENT),
        (lambda: swap_points.broken_date(1.5, [2, 1], [1, 1], 1.0), "quote_time[1] is 1.0", Reason.NOT_ASCENDING),
        (lambda: swap_points.broken_date(1.5, [1, 2], [1, 1], 1.0, 2), "method is 2", Reason.NOT_A_CODE),
        (lambda: swap_points.broken_date(1.5, [1, 2], [1, 1], 1.0, 0, 1), "pair is 1: it must", Reason.NOT_A_CODE),
        (lambda: swap_points.cross(1.0, 1.0, 2, 1.0, 0.0, 1e-4), "divide is 2", Reason.NOT_A_CODE),
        (lambda: swap_points.parity(1.0, 1e60, 1e-60, 1.0, 1.0, 1.0), "base is 1e+60", Reason.NO_SOLUTION),
        (lambda: swap_points.require_consistent(["1M"], [np.nan], 1.0), "residual[0] is nan: 1M", Reason.NOT_FINITE),
        (lambda: swap_points.require_consistent(["1M"], [0.0], -1.0), "tolerance is -1.0", Reason.OUT_OF_RANGE),
    ],
)
def test_what_is_no_quote_is_refused(build: str, call: object, says: str, reason: Reason) -> None:
    """The error names argument and index, and says what would be right."""
    with pytest.raises(ArgumentError, match=re.escape(says)) as caught:
        call()  # type: ignore[operator]
    assert caught.value.reason == reason


def test_lengths_go_together(build: str) -> None:
    """Arguments that belong together have one length."""
    with pytest.raises(ShapeError, match="offer has 1 elements, leg has 2"):
        swap_points.outrights([0, 0], [1.0, 1.0], [1.0], 1.1, 1.1, 1e-4)
    two = Curves([1.0, 1.0], [0.9, 0.8], [0, 1, 2])
    with pytest.raises(ShapeError, match="known has 2 curves"):
        swap_points.implied_curves(two, 1, [1.0, 2.0], [1.0, 1.0], interpolation=Interpolation.LOG_LINEAR)
    with pytest.raises(ShapeError, match="residual has 2 elements, tenors has 1"):
        swap_points.require_consistent(["1M"], [0.0, 0.0], 1.0)
