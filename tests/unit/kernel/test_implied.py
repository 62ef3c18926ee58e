"""Implied volatility against 50 digits and against the premium that it came from."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from crossrate.kernel import ArgumentError, Reason, implied, vanilla
from tests.unit.kernel import exact

# The twin takes differences of tails that the compiled paths avoid.
ERROR = {"numpy": 1e-11}


def refined(call: int, price: float, numbers: tuple[float, ...], start: float) -> mpmath.mpf:
    """The exact solution for these doubles: Newton's method in 50 digits from a volatility that is nearly right."""
    volatility = mpmath.mpf(start)
    with mpmath.workdps(50):
        for _ in range(4):
            s, k, t, rd, rf = (mpmath.mpf(float(each)) for each in numbers)
            w = volatility * mpmath.sqrt(t)
            d1 = (mpmath.log(s / k) + (rd - rf) * t) / w + w / 2
            sign = 1 if call else -1
            ds, dk = s * mpmath.exp(-rf * t), k * mpmath.exp(-rd * t)
            miss = sign * (ds * mpmath.ncdf(sign * d1) - dk * mpmath.ncdf(sign * (d1 - w))) - mpmath.mpf(price)
            volatility -= miss / (ds * mpmath.npdf(d1) * mpmath.sqrt(t))
    return volatility


def out_of_the_money(count: int, seed: int) -> tuple[np.ndarray, ...]:
    """The grid's options, each as the side that is out of the money at the forward."""
    _, spot, strike, time, volatility, domestic, foreign = exact.grid(count, seed)
    call = (strike > spot * np.exp((domestic - foreign) * time)).astype(np.int8)
    return call, spot, strike, time, volatility, domestic, foreign


def test_the_solution_is_within_its_stated_bound(build: str) -> None:
    """From out-of-the-money premiums the relative error is below 1e-13."""
    call, spot, strike, time, volatility, domestic, foreign = out_of_the_money(150, 21)
    price = vanilla.price(call, spot, strike, time, volatility, domestic, foreign)
    found = implied.volatility(call, price, spot, strike, time, domestic, foreign)
    for i in range(len(price)):
        numbers = (spot[i], strike[i], time[i], domestic[i], foreign[i])
        true = refined(int(call[i]), float(price[i]), numbers, float(volatility[i]))
        assert abs(float(found[i] / true - 1)) <= ERROR.get(build, 1e-13), i


def test_the_volatility_comes_back_over_the_whole_range(build: str) -> None:
    """From 0.0001 to 300 % and from minutes to thirty years, at the money and far away, the premium is met again."""
    time, volatility, deviations = (
        each.ravel()
        for each in np.meshgrid([1e-5, 0.01, 0.5, 3.0, 30.0], np.geomspace(1e-6, 3.0, 13), np.linspace(-6, 6, 25))
    )
    strike = np.exp(deviations * volatility * np.sqrt(time))
    call = (deviations > 0).astype(np.int8)
    price = vanilla.price(call, 1.0, strike, time, volatility, 0.0, 0.0)
    found = implied.volatility(call, price, 1.0, strike, time, 0.0, 0.0)
    again = vanilla.price(call, 1.0, strike, time, found, 0.0, 0.0)
    assert np.all(np.abs(again - price) <= 2e-14 * price + 4e-16 * strike)


def test_in_the_money_premiums_are_solved_as_well_as_they_can_be(build: str) -> None:
    """The error is what one bit of the premium is worth in volatility."""
    call, spot, strike, time, volatility, domestic, foreign = out_of_the_money(500, 22)
    greeks = vanilla.greeks(1 - call, spot, strike, time, volatility, domestic, foreign)
    found = implied.volatility(1 - call, greeks.price, spot, strike, time, domestic, foreign)
    worth = np.maximum(spot, strike) / greeks.vega
    assert np.all(np.abs(found - volatility) <= 2e-15 * worth + 1e-11 * volatility)


@pytest.mark.parametrize(
    ("call", "price", "time"),
    [(1, 0.2 * (1 - 1e-9), 1.0), (1, 1.2, 1.0), (0, 1.0, 1.0), (1, 0.2, 0.0)],
    ids=["below intrinsic", "as dear as the spot", "as dear as the strike", "no time"],
)
def test_a_premium_that_no_volatility_gives_is_refused(build: str, call: int, price: float, time: float) -> None:
    """The error names the premium and says that nothing solves it; the batch with status says it for the element."""
    with pytest.raises(ArgumentError, match=r"price is .*no number solves") as caught:
        implied.volatility(call, price, 1.2, 1.0, time, 0.0, 0.0)
    assert caught.value.reason == Reason.NO_SOLUTION
    prices = np.array([0.25, price])
    found, status = implied.volatility_with_status(call, prices, 1.2, 1.0, np.array([1.0, time]), 0.0, 0.0)
    assert list(status) == [Reason.OK, Reason.NO_SOLUTION]
    assert np.isfinite(found[0])
    assert np.isnan(found[1])


def test_the_intrinsic_value_is_volatility_zero(build: str) -> None:
    """A premium without time value implies no volatility."""
    assert implied.volatility(1, 1.2 - 1.0, 1.2, 1.0, 1.0, 0.0, 0.0) == 0.0
    assert implied.volatility(1, 0.0, 1.0, 1.2, 1.0, 0.0, 0.0) == 0.0


def test_an_element_does_not_depend_on_its_neighbours(build: str) -> None:
    """Alone, among others and in threads a premium gives the same bits."""
    call, spot, strike, time, volatility, domestic, foreign = out_of_the_money(300, 23)
    price = vanilla.price(call, spot, strike, time, volatility, domestic, foreign)
    arrays = (call, price, spot, strike, time, domestic, foreign)
    together = implied.volatility(*arrays)
    assert np.array_equal(together, implied.volatility(*arrays, threads=2))
    assert np.array_equal(together[::-1], implied.volatility(*(each[::-1] for each in arrays)))
    for i in (0, 17, 299):
        assert together[i] == implied.volatility(*(each[i].item() for each in arrays))
