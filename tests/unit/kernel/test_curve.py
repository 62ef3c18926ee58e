"""Discount curves against exact arithmetic, scipy and QuantLib."""

from __future__ import annotations

import re

import mpmath
import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from crossrate.kernel import ArgumentError, ShapeError, path
from crossrate.kernel.curve import Curves, Interpolation
from crossrate.kernel.faults import Reason

TIMES = np.array([0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0])
RATES = np.array([0.03, 0.032, 0.035, 0.03, 0.028, 0.03, 0.031])
DISCOUNTS = np.exp(-RATES * TIMES)
EXPONENTS = np.append(0.0, -np.log(DISCOUNTS))
GRID = np.linspace(0.0, 40.0, 801)


def test_log_linear_curves_are_exact(build: str) -> None:
    """Discount factors between and after knots agree with fifty digits to the bound of the docstring."""
    curve = Curves(TIMES, DISCOUNTS)
    knots = [(mpmath.mpf(0), mpmath.mpf(0))]
    knots += [(mpmath.mpf(t), -mpmath.log(mpmath.mpf(d))) for t, d in zip(TIMES, DISCOUNTS, strict=True)]
    worst = 0.0
    with mpmath.workdps(50):
        for time in np.linspace(0.0, 60.0, 173):
            i = min(int(np.searchsorted(np.append(0.0, TIMES), time, "right")) - 1, len(TIMES) - 1)
            (t0, y0), (t1, y1) = knots[i], knots[i + 1]
            exponent = y0 + (y1 - y0) * (mpmath.mpf(time) - t0) / (t1 - t0)
            error = abs(mpmath.mpf(float(curve.discount(time))) / mpmath.exp(-exponent) - 1)
            worst = max(worst, float(error / max(1, exponent)))
    assert worst < 1e-15


def test_the_monotone_cubic_is_scipys(build: str) -> None:
    """Exponents and forward rates agree with scipy's PCHIM, which limits slopes in the same way."""
    curve = Curves(TIMES, DISCOUNTS, interpolation=Interpolation.MONOTONE_CUBIC)
    inside = GRID[GRID <= 30.0]
    peer = PchipInterpolator(np.append(0.0, TIMES), EXPONENTS)
    assert np.abs(-np.log(curve.discount(inside)) - peer(inside)).max() < 1e-15
    assert np.abs(curve.instantaneous_forward(inside) - peer.derivative()(inside)).max() < 1e-15


def test_the_monotone_spline_is_quantlibs(build: str) -> None:
    """Exponents agree with QuantLib's natural spline under Hyman's filter, where the filter binds and where not."""
    bound = np.append(0.0, np.cumsum([0.02, 0.04, 0.021, 0.0205, 0.09, 0.03, 0.3]))
    for exponents in (EXPONENTS, bound):
        curve = Curves(TIMES, np.exp(-exponents[1:]), interpolation=Interpolation.MONOTONE_SPLINE)
        peer = ql.MonotonicCubicNaturalSpline([0.0, *TIMES.tolist()], exponents.tolist())
        theirs = [peer(float(time)) for time in GRID[GRID <= 30.0]]
        assert np.abs(-np.log(curve.discount(GRID[GRID <= 30.0])) - theirs).max() < 2e-15


@pytest.mark.parametrize("method", list(Interpolation))
def test_knots_are_met_and_the_far_end_is_flat(build: str, method: Interpolation) -> None:
    """A curve goes through its knots and 1 at time 0; after the last knot the forward rate stays as it is there."""
    curve = Curves(TIMES, DISCOUNTS, interpolation=method)
    assert np.allclose(curve.discount(TIMES), DISCOUNTS, rtol=1e-15, atol=0.0)
    assert curve.discount(0.0) == 1.0
    far = curve.instantaneous_forward(np.array([30.0, 31.0, 100.0]))
    assert far.max() == far.min()
    assert np.isclose(curve.instantaneous_forward(30.0 - 1e-9), far[0], rtol=1e-7)
    assert np.isclose(curve.forward_rate(30.0, 90.0), far[0], rtol=1e-14)


@pytest.mark.parametrize("method", list(Interpolation))
def test_rates_are_what_their_names_say(build: str, method: Interpolation) -> None:
    """Zero, forward and simple rates agree with the discount factors, instantaneous forwards with differences."""
    curve = Curves(TIMES, DISCOUNTS, interpolation=method)
    time = np.array([0.05, 0.3, 0.77, 1.5, 4.0, 8.0, 29.0, 50.0])
    factor, later = curve.discount(time), curve.discount(time + 0.5)
    assert np.allclose(curve.zero_rate(time), -np.log(factor) / time, rtol=1e-13)
    assert curve.zero_rate(0.0) == curve.instantaneous_forward(0.0)
    assert np.allclose(curve.forward_rate(time, time + 0.5), np.log(factor / later) / 0.5, rtol=1e-13)
    assert np.allclose(curve.simple_rate(time, time + 0.5, 0.51), (factor / later - 1.0) / 0.51, rtol=1e-13)
    difference = np.log(curve.discount(time - 1e-5) / curve.discount(time + 1e-5)) / 2e-5
    assert np.allclose(curve.instantaneous_forward(time), difference, rtol=1e-6)


@given(
    spans=st.lists(st.floats(0.003, 8.0), min_size=1, max_size=12),
    data=st.data(),
    method=st.sampled_from(list(Interpolation)),
)
@settings(max_examples=60, deadline=None)
def test_falling_discount_factors_give_no_negative_forward(
    spans: list[float], data: st.DataObject, method: Interpolation
) -> None:
    """Where discount factors fall from knot to knot, forward rates are nowhere negative, on every build."""
    times = np.cumsum(spans)
    rates = data.draw(st.lists(st.floats(0.0, 1.0), min_size=len(spans), max_size=len(spans)))
    discounts = np.exp(-np.cumsum(np.array(rates) * spans))
    grid = np.linspace(0.0, min(100.0, times[-1] * 1.2), 300)
    for name in path.paths():
        with path.using(name):
            forward = Curves(times, discounts, interpolation=method).instantaneous_forward(grid)
        assert forward.min() > -1e-12


def test_curves_of_different_lengths_are_read_in_one_call(build: str) -> None:
    """Each element is about its own curve, and gives the bits that a curve alone gives, however many threads."""
    random = np.random.default_rng(3)
    sizes = random.integers(1, 9, 30)
    offsets = np.append(0, np.cumsum(sizes))
    times = np.concatenate([np.cumsum(random.uniform(0.1, 2.0, size)) for size in sizes])
    discounts = np.exp(-times * random.uniform(-0.01, 0.05, times.size))
    methods = random.integers(0, 3, 30).astype(np.int8)
    many = Curves(times, discounts, offsets, methods)
    which, when = random.integers(0, 30, 5000), random.uniform(0.0, 20.0, 5000)
    together = many.discount(when, which)
    assert len(many) == 30
    assert np.array_equal(together, many.discount(when, which, threads=3))
    for k in range(30):
        rows, mine = slice(offsets[k], offsets[k + 1]), which == k
        alone = Curves(times[rows], discounts[rows], interpolation=methods[k])
        assert np.array_equal(together[mine], alone.discount(when[mine]))


def test_builds_agree() -> None:
    """The compiled builds and the numpy twin differ by roundings only."""
    for method in Interpolation:
        results = []
        for name in path.paths():
            with path.using(name):
                results.append(Curves(TIMES, DISCOUNTS, interpolation=method).discount(GRID))
        for other in results[1:]:
            assert np.allclose(results[0], other, rtol=2e-15, atol=0.0)


@pytest.mark.parametrize(
    ("changed", "says", "reason"),
    [
        ({"times": [0.5, 0.5]}, "times[1] is 0.5: it must be later", Reason.NOT_ASCENDING),
        ({"times": [0.0, 0.5]}, "times[0] is 0.0: it must be a time", Reason.OUT_OF_RANGE),
        ({"times": [0.5, np.nan]}, "times[1] is nan", Reason.NOT_FINITE),
        ({"discounts": [1.0, 0.0]}, "discounts[1] is 0.0: it must be positive", Reason.OUT_OF_RANGE),
        ({"discounts": [-0.9, 0.9]}, "discounts[0] is -0.9", Reason.OUT_OF_RANGE),
        ({"interpolation": 3}, "interpolation[0] is 3: it must be 0 (log-linear)", Reason.NOT_A_CODE),
        ({"offsets": [0, 3]}, "offsets[1] is 3: the last row ends at the number", Reason.INCONSISTENT),
        ({"offsets": [1, 2]}, "offsets[0] is 1: the first row begins at 0", Reason.INCONSISTENT),
        ({"offsets": [0, 2, 2]}, "offsets[2] is 2: row 1 has 0 elements", Reason.TOO_FEW),
        ({"offsets": [0, 3, 2]}, "offsets[2] is 2: row 1 has -1 elements", Reason.NOT_ASCENDING),
    ],
)
def test_a_curve_that_is_none_is_refused(build: str, changed: dict[str, object], says: str, reason: Reason) -> None:
    """Knots ascend, discount factors are positive, rows cover all knots; the error names the first that does not."""
    fine = {"times": [0.5, 1.0], "discounts": [0.99, 0.98]}
    with pytest.raises(ArgumentError, match=re.escape(says)) as caught:
        Curves(**{**fine, **changed})
    assert caught.value.reason == reason


def test_a_refused_reading_is_named(build: str) -> None:
    """Times, periods and curves that cannot be are refused by argument and index."""
    curve = Curves([1.0], [0.97])
    with pytest.raises(ArgumentError, match=r"time\[1, 0\] is -1.0"):
        curve.discount(np.array([[0.0], [-1.0]]))
    with pytest.raises(ArgumentError, match=r"curve\[2\] is 1: it must be a curve's place, from 0 to 0"):
        curve.zero_rate(1.0, [0, 0, 1])
    with pytest.raises(ArgumentError, match=r"^end is 1.0: it must be later than start"):
        curve.forward_rate(1.0, 1.0)
    with pytest.raises(ArgumentError, match=r"^accrual is 0.0"):
        curve.simple_rate(1.0, 2.0, 0.0)
    with pytest.raises(ArgumentError, match=r"time\[1\] is 100.0: the discount factor there leaves 1e-60") as caught:
        Curves([0.01], [0.9]).discount([1.0, 100.0])
    assert caught.value.reason == Reason.NO_SOLUTION
    with pytest.raises(ShapeError, match="discounts has 1 elements, times has 2"):
        Curves([1.0, 2.0], [0.9])
    with pytest.raises(TypeError, match="time"):
        curve.discount("1Y")
