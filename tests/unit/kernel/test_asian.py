"""Asian options: published tables, exact moments, identities, limits, refusals."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from crossrate.kernel import ArgumentError, asian, vanilla
from crossrate.kernel.faults import Reason

# E. G. Haug, "Option Pricing Formulas", 1998, pages 99 and 100 (Levy's approximation, continuous average), as
# QuantLib's test suite quotes it: spot 100, average so far 100, 270 days of a 360-day year, of which 0, 90, 180 are
# over, domestic 10 %, foreign 5 %. Four decimals. Rows: strike, volatility, the three prices.
LEVY = [
    (95.0, 0.15, 7.0544, 5.6731, 5.0806),
    (95.0, 0.35, 10.1213, 6.9705, 5.1411),
    (100.0, 0.15, 3.7845, 1.9964, 0.6722),
    (100.0, 0.35, 7.5038, 4.0687, 1.4222),
    (105.0, 0.15, 1.6729, 0.3565, 0.0004),
    (105.0, 0.35, 5.4071, 2.1359, 0.1552),
]
# The same author, 2nd edition 2007, table 4-28, page 201 (Turnbull and Wakeman, weekly fixings): spot 100, both rates
# chosen for no carry, 5 % domestic, 26 fixings to half a year, 20 %. Four decimals. Rows: strike, call, put.
WEEKLY = [(80.0, 19.5152, 0.0090), (90.0, 10.1437, 0.3906), (100.0, 3.2700, 3.2700), (110.0, 0.5515, 10.3046)]


def pairwise_moments(times: Any, carry: float, volatility: float) -> tuple[float, float]:
    """The average's first two moments over spot, by all pairs of fixings."""
    forward = np.exp(carry * times)
    joint = forward[:, None] * forward * np.exp(volatility**2 * np.minimum(times[:, None], times))
    return float(forward.mean()), float(joint.mean())


@pytest.mark.parametrize("row", LEVY)
def test_haug_1998_page_99(build: str, row: tuple[float, ...]) -> None:
    """A continuous average agrees with Haug's table at its start and under way."""
    over = np.array([0.0, 1 / 3, 2 / 3])
    found = asian.price(1, 100.0, row[0], 0.0, 0.75 * (1.0 - over), 0, over, 100.0, row[1], 0.1, 0.05)
    assert np.abs(found - row[2:]).max() < 1e-4


@pytest.mark.parametrize("row", WEEKLY)
def test_haug_2007_page_201(build: str, row: tuple[float, ...]) -> None:
    """Weekly fixings agree with Haug's table."""
    found = asian.price(np.array([1, 0]), 100.0, row[0], 1 / 52, 0.5, 26, 0.0, 100.0, 0.2, 0.05, 0.05)
    assert np.abs(found - row[1:]).max() < 1e-4


def test_the_moments_are_those_of_all_pairs(build: str) -> None:
    """The price is Black's with the mean and variance that the sum over all pairs of fixings gives."""
    cases = itertools.product((2, 12, 60), (0.0, 0.3), (0.01, 0.2, 1.0), (-0.05, 0.0, 0.08))
    for fixings, first, volatility, foreign in cases:
        times = np.linspace(first, 1.5, fixings)
        mean, second = pairwise_moments(times, 0.02 - foreign, volatility)
        forward, deviation = 1.1 * mean, np.sqrt(np.log(second / mean**2))
        black = vanilla.price(1, forward, 1.05, 1.0, deviation, 0.0, 0.0) * np.exp(-0.02 * 1.5)
        found = asian.price(1, 1.1, 1.05, first, 1.5, fixings, 0.0, 1.0, volatility, 0.02, foreign)
        assert found == pytest.approx(black, rel=1e-11)


def test_many_fixings_are_continuous(build: str) -> None:
    """The discrete price comes to the continuous one as one over the number of fixings, from above for a call."""
    market = (0.0, 1.0, np.array([0, 2500, 5000, 10000], float), 0.0, 1.0, 0.2, 0.03, 0.01)
    found = asian.price(1, 1.0, 1.0, *market)
    gaps = found[1:] - found[0]
    np.testing.assert_allclose(gaps[:-1] / gaps[1:], 2.0, rtol=1e-2)
    assert gaps[-1] < 1e-5


def test_one_fixing_is_the_vanilla(build: str) -> None:
    """An average of one fixing is the spot at expiry, also where a continuous average has no length."""
    strike, plain = np.linspace(0.8, 1.3, 11), (0.7, 0.15, 0.02, -0.01)
    wanted = vanilla.price(0, 1.0, strike, *plain)
    for first, fixings in ((0.0, 1), (0.7, 0), (0.7, 5)):
        found = asian.price(0, 1.0, strike, first, 0.7, fixings, 0.0, 1.0, *plain[1:])
        np.testing.assert_allclose(found, wanted, atol=2e-15)


def test_call_and_put_differ_by_the_forward_on_the_average(build: str) -> None:
    """Call minus put is the discounted mean of the average minus the strike, also when part of it is fixed."""
    times = np.linspace(0.1, 1.0, 10)
    for weight, average in ((0.0, 1.0), (0.4, 1.2), (0.9, 2.0), (1.0, 1.3)):
        call, put = asian.price(np.array([1, 0]), 1.1, 1.15, 0.1, 1.0, 10, weight, average, 0.2, 0.03, -0.02)
        mean = weight * average + (1 - weight) * 1.1 * np.exp(0.05 * times).mean()
        assert call - put == pytest.approx((mean - 1.15) * np.exp(-0.03), abs=1e-15)
        assert call >= 0 <= put


def test_limits(build: str) -> None:
    """Without volatility only the forwards count, without time the spot; a huge volatility gives what a call can be."""
    mean = np.exp(0.02 * np.linspace(0.25, 1.0, 4)).mean()
    found = asian.price(1, 1.0, 1.0, 0.25, 1.0, 4, 0.0, 1.0, 0.0, 0.02, 0.0)
    assert found == pytest.approx((mean - 1) * np.exp(-0.02), rel=1e-14)
    assert asian.price(1, 1.3, 1.0, 0.0, 0.0, 0, 0.0, 1.0, 0.2, 0.02, 0.0) == pytest.approx(0.3)
    for fixings in (0, 12):
        huge = asian.price(np.array([1, 0]), 1.0, 1.0, 0.0, 1.0, fixings, 0.0, 1.0, 50.0, 0.0, 0.0)
        np.testing.assert_allclose(huge, 1.0, rtol=1e-12)


def test_what_is_refused(build: str) -> None:
    """A part of a fixing and a first fixing after the last are named."""
    with pytest.raises(ArgumentError, match=r"fixings is 2.5: it must be a whole number"):
        asian.price(1, 1.0, 1.0, 0.0, 1.0, 2.5, 0.0, 1.0, 0.1, 0.0, 0.0)
    first = np.array([0.1, 1.1])
    with pytest.raises(ArgumentError, match=r"first_fixing\[1\] is 1.1: it is after time, which is 1.0") as caught:
        asian.price(1, 1.0, 1.0, first, 1.0, 2, 0.0, 1.0, 0.1, 0.0, 0.0)
    assert caught.value.reason == Reason.INCONSISTENT
