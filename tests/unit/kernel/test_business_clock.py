"""Business time and total variance along it."""

from __future__ import annotations

import numpy as np
import pytest

from crossrate.kernel import ArgumentError, Reason, ShapeError, business_clock

FRIDAY = "2026-11-20"


def test_weights_of_days(build: str) -> None:
    """Weekends and holidays weigh less, an event has its own weight whatever the day."""
    weights = business_clock.day_weights(
        FRIDAY, 8, weekend=0.1, holidays=["2026-11-26"], holiday=0.5, events={"2026-11-25": 3.0, "2026-11-21": 0.7}
    )
    assert weights.tolist() == [1.0, 0.7, 0.1, 1.0, 1.0, 3.0, 0.5, 1.0]


def test_time_runs_at_the_weights(build: str) -> None:
    """From Friday noon to Monday noon passes half a day and half a day, and the weekend's weights."""
    weights = business_clock.day_weights(FRIDAY, 7, weekend=0.1)
    moments = np.array([[0.0, 0.5], [3.5, 7.0]])
    found = business_clock.business_time(weights, moments, year=252.0)
    assert found == pytest.approx(np.array([[0.0, 0.5], [1.7, 5.2]]) / 252.0, rel=1e-15)


def test_variance_is_linear_in_business_time(build: str) -> None:
    """Knots are met exactly, forward variance is flat between and beyond them, and it is zero at time zero."""
    knot_time, knot_variance = np.array([0.1, 0.3, 1.0]), np.array([0.001, 0.004, 0.011])
    moments = np.array([0.0, 0.05, 0.1, 0.2, 0.3, 1.0, 1.5])
    found = business_clock.total_variance(knot_time, knot_variance, moments)
    assert found == pytest.approx([0.0, 0.0005, 0.001, 0.0025, 0.004, 0.011, 0.016], rel=1e-14)
    assert (found[[2, 4, 5]] == knot_variance).all()
    assert business_clock.total_variance(knot_time[:1].copy(), knot_variance[:1].copy(), 0.2) == pytest.approx(0.002)


def test_volatility_falls_over_a_weekend(build: str) -> None:
    """No variance is earned over a weekend that weighs nothing, so that the volatility per calendar time falls."""
    weights = business_clock.day_weights(FRIDAY, 30)
    days = np.array([1.0, 3.0])
    clock = business_clock.business_time(weights, np.append(days, 30.0), year=260.0)
    variance = business_clock.total_variance(clock[2:], np.array([0.01]), clock[:2])
    assert variance[0] == variance[1]
    volatility = np.sqrt(variance / (days / 365.0))
    assert volatility[1] == pytest.approx(volatility[0] / np.sqrt(3.0))


@pytest.mark.parametrize(
    ("knots", "variances", "time", "said", "reason"),
    [
        ([0.1, 0.1], [0.1, 0.2], [0.1], r"knot_time\[1\] is 0.1", Reason.NOT_ASCENDING),
        ([0.1, 0.2], [0.2, 0.1], [0.1], r"knot_variance\[1\] is 0.1", Reason.NOT_ASCENDING),
        ([0.0, 0.2], [0.1, 0.2], [0.1], r"knot_time\[0\] is 0.0", Reason.OUT_OF_RANGE),
        ([5e-324, 0.2], [0.1, 0.2], [0.1], r"knot_time\[0\] is 5e-324", Reason.OUT_OF_RANGE),
        ([0.1, 0.2], [0.1, np.nan], [0.1], r"knot_variance\[1\] is nan", Reason.NOT_FINITE),
        ([0.1, 0.2], [0.1, 0.2], [0.1, -0.1], r"time\[1\] is -0.1", Reason.OUT_OF_RANGE),
    ],
)
def test_knots_are_checked(
    build: str, knots: list[float], variances: list[float], time: list[float], said: str, reason: Reason
) -> None:
    """Knots ascend, variance does not descend, and times are not before the valuation."""
    with pytest.raises(ArgumentError, match=said) as caught:
        business_clock.total_variance(np.array(knots), np.array(variances), np.array(time))
    assert caught.value.reason == reason


def test_clocks_are_checked(build: str) -> None:
    """Weights are not negative, moments do not lie beyond the weighted days, and a year has a weight."""
    weights = np.ones(5)
    with pytest.raises(ArgumentError, match=r"day\[1\] is 5.1: it must be from 0 to 5"):
        business_clock.business_time(weights, np.array([5.0, 5.1]), year=252.0)
    with pytest.raises(ArgumentError, match=r"weights\[2\] is -1.0"):
        business_clock.business_time(np.array([1.0, 1.0, -1.0]), 1.0, year=252.0)
    with pytest.raises(ArgumentError, match=r"year is 0\.0"):
        business_clock.business_time(weights, 1.0, year=0.0)
    with pytest.raises(ArgumentError, match="days is 0"):
        business_clock.day_weights(FRIDAY, 0)
    with pytest.raises(ShapeError, match="knot_variance has shape"):
        business_clock.total_variance(np.ones(2), np.ones(3), 1.0)
