"""Status arrays of the curve functions, which the Python layer does not pass: a refused element stops no other."""

from __future__ import annotations

import numpy as np

from crossrate.kernel import path
from crossrate.kernel.curve import Curves
from crossrate.kernel.faults import Reason
from crossrate.kernel.ragged import call
from crossrate.kernel.reference import bootstrap as bootstrap_twin
from crossrate.kernel.reference import curve as curve_twin
from crossrate.kernel.reference import swap_points as points_twin

CURVE = np.array([0, 5, 0, 0, 0])


def test_readings_go_on_after_a_refused_one(build: str) -> None:
    """Each refused reading has its reason and NaN; the others have what they have alone."""
    curve = Curves([0.01], [0.9])
    time = np.array([0.005, 0.005, -1.0, np.nan, 90.0])
    results, status = [np.empty(5) for _ in range(3)], np.empty(5, np.uint8)
    if build == path.NUMPY:
        fault = curve_twin.read(CURVE, time, curve.offsets, *curve.pieces, tuple(results), status)
    else:
        fault = call("xr_curve_read", 5, (CURVE, time, 1, curve.offsets, *curve.pieces, *results, status))
    assert fault == 0
    wanted = [Reason.OK, Reason.NOT_A_CODE, Reason.OUT_OF_RANGE, Reason.NOT_FINITE, Reason.NO_SOLUTION]
    assert status.tolist() == wanted
    for values, read in zip(results, (curve.discount, curve.zero_rate, curve.instantaneous_forward), strict=True):
        assert values[0] == read(0.005)
        assert np.isnan(values[1:]).all()


def test_forward_rates_go_on_after_a_refused_one(build: str) -> None:
    """Each refused period has its reason and NaN in both rates."""
    curve = Curves([1.0], [0.97])
    start, end = np.array([0.0, 0.0, 1.0, 0.0, 0.5]), np.array([1.0, 1.0, 1.0, np.inf, 1.0])
    accrual = np.array([1.0, 1.0, 1.0, 1.0, -1.0])
    results, status = [np.empty(5) for _ in range(2)], np.empty(5, np.uint8)
    periods = (CURVE, start, end, accrual)
    if build == path.NUMPY:
        fault = curve_twin.forward_rate(*periods, curve.offsets, *curve.pieces, tuple(results), status)
    else:
        fault = call("xr_curve_forward_rate", 5, (*periods, 1, curve.offsets, *curve.pieces, *results, status))
    assert fault == 0
    wanted = [Reason.OK, Reason.NOT_A_CODE, Reason.NOT_ASCENDING, Reason.NOT_FINITE, Reason.OUT_OF_RANGE]
    assert status.tolist() == wanted
    assert results[0][0] == curve.forward_rate(0.0, 1.0)
    assert results[1][0] == curve.simple_rate(0.0, 1.0, 1.0)
    assert np.isnan(results[0][1:]).all()
    assert np.isnan(results[1][1:]).all()


def test_scenarios_go_on_after_a_refused_one(build: str) -> None:
    """A scenario without a curve has its reason and NaN discount factors; the others are solved."""
    offsets, zero, times = np.array([0, 1, 2]), np.zeros(2), np.array([0.5, 1.0])
    legs = bootstrap_twin.Legs(offsets, zero, times, times, times)
    rates = np.array([[0.02, 0.03], [0.02, -3.0], [np.nan, 0.03], [0.02, 0.03]])
    knots, discounts, status = np.empty(2), np.empty((4, 2)), np.empty(4, np.uint8)
    if build == path.NUMPY:
        fault = bootstrap_twin.bootstrap(legs, rates, 0, knots, discounts, status)
    else:
        fault = call("xr_bootstrap", 4, (2, *legs, rates, 0, knots, discounts, np.empty(17), status))
    assert fault == 0
    assert status.tolist() == [Reason.OK, Reason.NO_SOLUTION, Reason.NOT_FINITE, Reason.OK]
    assert np.allclose(discounts[0], [1.0 / 1.01, 1.0 / 1.03], rtol=1e-15)
    assert np.isnan(discounts[1:3]).all()
    assert np.array_equal(discounts[3], discounts[0])


def test_broken_dates_go_on_after_a_refused_one(build: str) -> None:
    """A date outside of the quoted ones, or of no pair, has its reason and NaN."""
    time, dates, rates = np.array([1.5, 1.5, 0.5, 2.0, 1.0]), np.array([1.0, 2.0]), np.array([1.1, 1.2])
    bounds, spot, result, status = np.array([0, 2]), np.array([1.0]), np.empty(5), np.empty(5, np.uint8)
    if build == path.NUMPY:
        fault = points_twin.broken(CURVE, time, bounds, dates, rates, spot, 0, result, status)
    else:
        arrays = (CURVE, time, 1, bounds, dates, rates, spot, 0, result, status)
        fault = call("xr_swap_points_broken", 5, arrays)
    assert fault == 0
    assert status.tolist() == [Reason.OK, Reason.NOT_A_CODE, Reason.NO_SOLUTION, Reason.OK, Reason.OK]
    assert np.allclose(result, [1.15, np.nan, np.nan, 1.2, 1.1], rtol=1e-15, equal_nan=True)
