"""Prices by simulation."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import QuantLib as ql

from crossrate.kernel import ArgumentError, Reason, monte_carlo, path, paths, vanilla
from crossrate.kernel.monte_carlo import Product

MONTHS = np.arange(1, 13) / 12
MARKET = {"spot": 1.1, "strike": 1.12, "volatility": 0.15, "domestic_rate": 0.03, "foreign_rate": 0.01}


def estimate(product: Product, side: int, samples: int = 20_000, **more: object) -> monte_carlo.Estimate:
    """One option on the market above."""
    return monte_carlo.price(product, side, **{**MARKET, "times": MONTHS, "samples": samples, "seed": 17, **more})


def geometric_asian(side: int) -> float:
    """QuantLib's analytic price of the discrete geometric average option on the market above."""
    today = ql.Date(2, 1, 2023)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()
    days = [today + 30 * each for each in range(1, 13)]
    curve = [ql.YieldTermStructureHandle(ql.FlatForward(today, rate, count)) for rate in (0.01, 0.03)]
    vol = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.15, count))
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(1.1)), *curve, vol)
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if side else ql.Option.Put, 1.12)
    option = ql.DiscreteAveragingAsianOption(ql.Average.Geometric, 1.0, 0, days, payoff, ql.EuropeanExercise(days[-1]))
    option.setPricingEngine(ql.AnalyticDiscreteGeometricAveragePriceAsianEngine(process))
    return option.NPV()


@pytest.mark.parametrize("product", list(Product))
@pytest.mark.parametrize("antithetic", [False, True])
def test_threads_change_no_bit_and_builds_agree(product: Product, antithetic: bool) -> None:
    """The estimate is the same for any number of threads; one rounding class has one result, all agree to 1e-11."""
    found = {}
    for name in path.paths():
        with path.using(name):
            found[name] = estimate(product, 1, 9000, antithetic=antithetic)
            assert found[name] == estimate(product, 1, 9000, antithetic=antithetic, threads=3)
    if "avx512" in found:
        assert found["avx2"] == found["avx512"]
    for each in found.values():
        pairs = zip(dataclasses.astuple(each), dataclasses.astuple(found["numpy"]), strict=True)
        assert all(math.isclose(left, right, rel_tol=1e-11) for left, right in pairs)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("antithetic", [False, True])
def test_a_european_option_is_within_its_error(build: str, side: int, antithetic: bool) -> None:
    """Plain and controlled price are within four standard errors of Garman and Kohlhagen's; the control helps."""
    found = estimate(Product.EUROPEAN, side, antithetic=antithetic)
    market = {name: value for name, value in MARKET.items() if name != "volatility"}
    exact = float(vanilla.price(side, **market, time=1.0, volatility=0.15))
    assert abs(found.price - exact) <= 4 * found.standard_error
    assert abs(found.plain_price - exact) <= 4 * found.plain_standard_error
    assert found.standard_error < 0.75 * found.plain_standard_error
    assert found.samples == 20_000


@pytest.mark.parametrize("side", [0, 1])
def test_a_geometric_asian_option_is_within_its_error(build: str, side: int) -> None:
    """The price is within four standard errors of QuantLib's analytic engine."""
    days = np.arange(30, 361, 30) / 365
    found = estimate(Product.GEOMETRIC_ASIAN, side, times=days)
    assert abs(found.price - geometric_asian(side)) <= 4 * found.standard_error


@pytest.mark.parametrize("side", [0, 1])
def test_an_arithmetic_asian_option_is_the_mean_of_its_paths(build: str, side: int) -> None:
    """Without control the price is what the paths of the same seed give; the control takes 95 % of the error."""
    found = estimate(Product.ARITHMETIC_ASIAN, side, 5000, antithetic=False)
    table = paths.gbm(1.1, 0.02, 0.15, MONTHS, 5000, seed=17)
    payoff = np.maximum((1 if side else -1) * (table.mean(axis=0) - 1.12), 0.0) * math.exp(-0.03)
    assert math.isclose(found.plain_price, payoff.mean(), rel_tol=1e-12)
    assert math.isclose(found.plain_standard_error, payoff.std(ddof=1) / math.sqrt(5000), rel_tol=1e-10)
    assert found.standard_error < 0.05 * found.plain_standard_error
    assert abs(found.price - found.plain_price) <= 4 * found.plain_standard_error


def test_the_control_has_its_exact_expectation(build: str) -> None:
    """With one fixing, arithmetic and geometric average are the last level, and the controlled price is exact."""
    market = {name: value for name, value in MARKET.items() if name != "volatility"}
    for side in (0, 1):
        exact = float(vanilla.price(side, **market, time=1.0, volatility=0.15))
        found = estimate(Product.ARITHMETIC_ASIAN, side, 3000, times=[1.0])
        assert math.isclose(found.price, exact, rel_tol=1e-12)
        late = estimate(Product.ARITHMETIC_ASIAN, side, 3000, weights=np.eye(12)[11])
        assert math.isclose(late.price, exact, rel_tol=1e-12)


def test_parity_holds_for_averages(build: str) -> None:
    """Call less put on an arithmetic average is the discounted mean of the forwards less the strike."""
    call, put = (estimate(Product.ARITHMETIC_ASIAN, side) for side in (1, 0))
    forward = float(np.mean(1.1 * np.exp(0.02 * MONTHS)))
    expected = math.exp(-0.03) * (forward - 1.12)
    assert abs(call.price - put.price - expected) <= 4 * (call.standard_error + put.standard_error)


def test_a_far_strike_loses_no_variance(build: str) -> None:
    """Means far from zero do not cancel the variance: levels of 1e8 give 1e8 times the error of levels of 1."""
    small = estimate(Product.EUROPEAN, 1, strike=0.011, antithetic=False)
    large = estimate(Product.EUROPEAN, 1, spot=1.1e8, strike=0.011e8, antithetic=False)
    assert math.isclose(large.plain_standard_error, 1e8 * small.plain_standard_error, rel_tol=1e-9)


@pytest.mark.parametrize(
    ("change", "says", "reason"),
    [
        ({"samples": 2}, "samples is 2", Reason.OUT_OF_RANGE),
        ({"strike": 0.0}, "strike is 0.0", Reason.OUT_OF_RANGE),
        ({"domestic_rate": np.nan}, "domestic_rate is nan", Reason.NOT_FINITE),
        ({"put_or_call": 2}, "put_or_call is 2", Reason.NOT_A_CODE),
        ({"product": 3}, "product is 3", Reason.OUT_OF_RANGE),
        ({"weights": np.full(12, 0.1)}, "weights is 1.2.*: the sum must be 1", Reason.INCONSISTENT),
        ({"weights": np.full(12, np.nan)}, r"weights\[0\] is nan", Reason.OUT_OF_RANGE),
        ({"times": [1.0, 0.5]}, r"times\[1\] is 0.5", Reason.NOT_ASCENDING),
    ],
)
def test_bad_input_is_named(build: str, change: dict, says: str, reason: Reason) -> None:
    """The error names the argument, the value and the reason."""
    fine = {"product": Product.EUROPEAN, "put_or_call": 1, **MARKET, "times": MONTHS, "samples": 10, "seed": 1}
    with pytest.raises(ArgumentError, match=says) as caught:
        monte_carlo.price(**{**fine, **change})
    assert caught.value.reason == reason
