"""Bootstrapping against QuantLib's, and against its own definition: every instrument is worth nothing."""

from __future__ import annotations

import re

import numpy as np
import pytest
import QuantLib as ql

from crossrate.kernel import ArgumentError, ShapeError, path
from crossrate.kernel.bootstrap import Instrument, bootstrap, deposit, overnight_index_swap, par_rates
from crossrate.kernel.curve import Interpolation
from crossrate.kernel.faults import Reason
from tests.unit.kernel.quantlib_curves import DAYS, deposits, overnight_swaps, years

SPOT = 2.0 / 365.0


def strip() -> tuple[list[Instrument], np.ndarray]:
    """Overnight, tom/next, deposits, quarterly and annual overnight index swaps, one of them paid two days late."""
    instruments = [deposit(0.0, 1.0 / 365.0, 1.0 / 360.0), deposit(1.0 / 365.0, SPOT, 1.0 / 360.0)]
    instruments += [deposit(SPOT, SPOT + months / 12.0, months * 30.4 / 360.0) for months in (1, 3, 6)]
    quarters = SPOT + 0.25 * np.arange(1, 7)
    instruments.append(overnight_index_swap(SPOT, quarters, np.full(6, 0.2535)))
    for count in (2, 3, 5, 10, 30):
        ends = SPOT + np.arange(1.0, count + 1.0)
        instruments.append(overnight_index_swap(SPOT, ends, np.full(count, 365.0 / 360.0), ends + SPOT))
    return instruments, np.array([0.05, 0.051, 0.0505, 0.0507, 0.0503, 0.049, 0.045, 0.043, 0.041, 0.04, 0.039])


@pytest.mark.parametrize("method", list(Interpolation))
def test_every_instrument_is_at_par(build: str, method: Interpolation) -> None:
    """A curve gives back the quotes that it was made of, in every scenario and with every interpolation."""
    instruments, quotes = strip()
    scenarios = quotes + np.random.default_rng(5).normal(0.0, 0.004, (12, 1))
    curves = bootstrap(instruments, scenarios, method)
    assert len(curves) == 12
    # A day's rate is a discount factor's rounding times 365.
    assert np.abs(par_rates(curves, instruments) - scenarios).max() < 5e-13
    assert np.abs(par_rates(curves, instruments) - scenarios)[:, 2:].max() < 5e-14


def test_one_deposit_is_solved_by_hand(build: str) -> None:
    """A deposit's discount factor is 1 / (1 + rate × accrual); rates may be negative."""
    for rate in (-0.0075, 0.0, 0.05, 2.0):
        curve = bootstrap([deposit(0.0, 0.5, 0.51)], [rate])
        assert np.isclose(curve.discounts[0], 1.0 / (1.0 + rate * 0.51), rtol=1e-15, atol=0.0)


@pytest.mark.parametrize(("lag", "frequency"), [(0, ql.Annual), (2, ql.Annual), (0, ql.Quarterly)])
def test_quantlib_bootstraps_the_same_curve(build: str, lag: int, frequency: int) -> None:
    """Deposits and overnight index swaps give QuantLib's discount factors, between knots and with a payment lag too."""
    today, calendar = ql.Date(15, 6, 2026), ql.UnitedStates(ql.UnitedStates.FederalReserve)
    ql.Settings.instance().evaluationDate = today
    quotes = [(0, "1D", 0.0431), (1, "1D", 0.0433), (2, "1M", 0.0430), (2, "3M", 0.0425)]
    swaps = [("6M", 0.0418), ("1Y", 0.0395), ("18M", 0.038), ("2Y", 0.0371), ("5Y", 0.0362), ("10Y", 0.0378)]
    helpers, instruments = deposits(today, calendar, ql.Actual360(), quotes)
    more, others = overnight_swaps(today, ql.Sofr(), 2, lag, frequency, swaps)
    theirs = ql.PiecewiseLogLinearDiscount(today, helpers + more, DAYS, ql.IterativeBootstrap(1e-15))
    rates = [rate for *_, rate in quotes] + [rate for _, rate in swaps]
    ours = bootstrap(instruments + others, rates)
    knots = [years(today, date) for date in theirs.dates()[1:]]
    assert np.allclose(ours.times, knots, rtol=1e-15)
    times = np.linspace(0.01, knots[-1], 60)
    expected = np.array([theirs.discount(float(time)) for time in times])
    assert np.abs(ours.discount(times) / expected - 1.0).max() < 1e-12


def test_scenarios_do_not_touch_each_other(build: str) -> None:
    """A scenario's curve has the bits that it has alone, however many threads share the work."""
    instruments, quotes = strip()
    scenarios = quotes + np.random.default_rng(6).normal(0.0, 0.002, (40, quotes.size))
    together = bootstrap(instruments, scenarios, Interpolation.MONOTONE_CUBIC, threads=2).discounts.reshape(40, -1)
    alone = bootstrap(instruments, scenarios[33], Interpolation.MONOTONE_CUBIC).discounts
    if build == path.NUMPY:  # numpy sums a batch in another order than one row
        assert np.allclose(together[33], alone, rtol=1e-13, atol=0.0)
    else:
        assert np.array_equal(together[33], alone)


def test_what_cannot_be_a_curve_is_named(build: str) -> None:
    """Quotes without a curve, instruments out of order and rates that are none are named by place."""
    instruments, quotes = strip()
    table = np.tile(quotes, (20, 1))
    table[17, 4] = np.nan
    with pytest.raises(ArgumentError, match=r"rates\[17, 4\] is nan: it must be a quoted rate") as caught:
        bootstrap(instruments, table, threads=2)
    assert caught.value.reason == Reason.NOT_FINITE
    with pytest.raises(ArgumentError, match=r"^rates\[1\] is -3.0: no forward rate") as caught:
        bootstrap([deposit(0.0, 0.5, 0.5), deposit(0.0, 1.0, 1.0)], [0.02, -3.0])
    assert caught.value.reason == Reason.NO_SOLUTION
    with pytest.raises(ArgumentError, match=r"instruments\[2\] is 0.5: its latest time must be later") as caught:
        bootstrap([deposit(0.0, 0.5, 0.5), deposit(0.0, 1.0, 1.0), deposit(0.25, 0.5, 0.25)], [0.02, 0.02, 0.02])
    assert caught.value.reason == Reason.NOT_ASCENDING
    with pytest.raises(ShapeError, match=re.escape("rates has shape (2,): one for each of the 1 instruments")):
        bootstrap([deposit(0.0, 0.5, 0.5)], [0.02, 0.03])
    with pytest.raises(ArgumentError, match="interpolation is 7"):
        bootstrap([deposit(0.0, 0.5, 0.5)], [0.02], 7)  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="instruments is empty"):
        bootstrap([], [])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: deposit(0.5, 0.5, 0.5), "end[0] is 0.5: it must be later than the period's begin"),
        (lambda: deposit(0.0, 0.5, 0.0), "accrual[0] is 0.0: it must be a time"),
        (lambda: deposit(-0.1, 0.5, 0.5), "begin[0] is -0.1"),
        (lambda: overnight_index_swap(0.0, [1.0, 0.9], [1.0, 1.0]), "end[1] is 0.9"),
        (lambda: overnight_index_swap(0.0, [1.0, 2.0], [1.0, 1.0], [1.0, 1.9]), "payment[1] is 1.9: it must not"),
    ],
)
def test_an_instrument_that_is_none_is_refused(call: object, says: str) -> None:
    """Periods begin before they end and are paid after; the error names the first that is not so."""
    with pytest.raises(ArgumentError, match=re.escape(says)):
        call()  # type: ignore[operator]
