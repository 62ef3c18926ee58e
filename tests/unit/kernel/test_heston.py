"""Paths of Heston's model."""

from __future__ import annotations

import math

import numpy as np
import pytest
import QuantLib as ql

from crossrate.kernel import ArgumentError, Reason, ShapeError, heston, path

# Variance, reversion, mean, vol of variance, correlation, years: cases I and II of Andersen (2008), table 1, and one
# with the positive correlation that exchange rates can have.
CASES = [
    (0.04, 0.5, 0.04, 1.0, -0.9, 10),
    (0.04, 0.3, 0.04, 0.9, -0.5, 15),
    (0.01, 1.5, 0.015, 0.3, 0.4, 2),
]
TIMES = np.array([0.1, 0.25, 0.5, 0.75, 1.0])
FINE = {
    "spot": 1.1,
    "drift": 0.02,
    "variance": 0.04,
    "reversion": 0.5,
    "mean": 0.04,
    "vol_of_variance": 1.0,
    "correlation": 0.3,
    "times": TIMES,
    "count": 5,
    "seed": 8,
}


def analytic(case: tuple[float, ...], strike: float) -> float:
    """QuantLib's call on a spot of 100 with rates of 3 and 2 percent, by the characteristic function."""
    variance, reversion, mean, vol, rho, years = case
    today = ql.Date(2, 1, 2023)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()
    curves = [ql.YieldTermStructureHandle(ql.FlatForward(today, rate, count)) for rate in (0.03, 0.02)]
    spot = ql.QuoteHandle(ql.SimpleQuote(100.0))
    process = ql.HestonProcess(*curves, spot, variance, reversion, mean, vol, rho)
    exercise = ql.EuropeanExercise(today + 365 * int(years))
    option = ql.VanillaOption(ql.PlainVanillaPayoff(ql.Option.Call, strike), exercise)
    option.setPricingEngine(ql.AnalyticHestonEngine(ql.HestonModel(process), 1e-10, 100_000))
    return option.NPV()


@pytest.mark.parametrize("case", CASES)
def test_options_have_the_analytic_price(build: str, case: tuple[float, ...]) -> None:
    """Calls at three strikes are within four standard errors of QuantLib's analytic engine, and so is the forward."""
    years = case[-1]
    times = np.arange(1, 8 * years + 1) / 8
    count = 6000 if build == "numpy" else 20_000
    levels, _ = heston.paths(100.0, 0.01, *case[:-1], times, count, seed=41, antithetic=True, terminal=True)
    for strike in (0.0, 70.0, 100.0, 140.0):
        payoff = math.exp(-0.03 * years) * np.maximum(levels - strike, 0.0).reshape(-1, 2).mean(axis=1)
        exact = analytic(case, strike) if strike else 100 * math.exp(-0.02 * years)
        assert abs(payoff.mean() - exact) <= 4 * payoff.std() / math.sqrt(count / 2)


def test_the_variance_has_its_first_two_moments(build: str) -> None:
    """Mean and variance of the variance are those of Cox, Ingersoll and Ross (1985), equation 19."""
    count = 10_000
    _, variance = heston.paths(1.0, 0.0, 0.09, 1.2, 0.04, 0.5, -0.4, TIMES, count, seed=6)
    decay = np.exp(-1.2 * TIMES)
    mean = 0.04 + 0.05 * decay
    spread = 0.09 * 0.25 / 1.2 * (decay - decay**2) + 0.04 * 0.25 / 2.4 * (1 - decay) ** 2
    assert np.all(variance >= 0.0)
    assert np.all(np.abs(variance.mean(axis=1) - mean) <= 4.5 * np.sqrt(spread / count))
    fourth = ((variance - mean[:, None]) ** 4).mean(axis=1)
    error = np.sqrt((fourth - spread**2) / count)
    assert np.all(np.abs(variance.var(axis=1) - spread) <= 4.5 * error)


@pytest.mark.parametrize("antithetic", [False, True])
def test_a_path_depends_on_its_number_alone(build: str, antithetic: bool) -> None:
    """Any window and any number of threads give the same bits, and the last row is the terminal one."""
    fine = {**FINE, "count": 9000, "antithetic": antithetic}
    whole = heston.paths(**fine)
    for each, again in zip(whole, heston.paths(**fine, threads=3), strict=True):
        assert np.array_equal(each, again)
    for each, last in zip(whole, heston.paths(**fine, terminal=True), strict=True):
        assert np.array_equal(each[-1], last)
    for first, count in ((0, 1), (511, 3), (255, 258), (8999, 1)):
        window = heston.paths(**{**fine, "count": count}, first_path=first)
        for each, part in zip(whole, window, strict=True):
            assert np.array_equal(each[:, first : first + count], part)


def test_builds_agree() -> None:
    """One rounding class gives one result; the numpy twin is within 1e-12."""
    found = {}
    for name in path.paths():
        with path.using(name):
            found[name] = heston.paths(**{**FINE, "count": 2000, "antithetic": True})
    for levels, variances in found.values():
        assert np.all(np.abs(levels / found["numpy"][0] - 1) <= 1e-12)
        assert np.all(np.abs(variances - found["numpy"][1]) <= 1e-12)
    if "avx512" in found:
        assert all(np.array_equal(*pair) for pair in zip(found["avx2"], found["avx512"], strict=True))


def test_a_step_too_wide_for_its_correlation_is_refused(build: str) -> None:
    """Where the martingale correction could be infinite the error names the time; a mesh in between is fine."""
    wide = {**FINE, "vol_of_variance": 2.0, "correlation": 0.9, "times": [0.1, 1.1]}
    with pytest.raises(ArgumentError, match=r"times\[1\] is 1.1: .* add times before it") as caught:
        heston.paths(**wide)
    assert caught.value.reason == Reason.INCONSISTENT
    assert np.all(np.isfinite(heston.paths(**{**wide, "times": np.arange(1, 12) / 10})[0]))


@pytest.mark.parametrize(
    ("argument", "value", "reason"),
    [
        ("spot", 0.0, Reason.OUT_OF_RANGE),
        ("variance", -0.1, Reason.OUT_OF_RANGE),
        ("reversion", 0.0, Reason.OUT_OF_RANGE),
        ("mean", 0.0, Reason.OUT_OF_RANGE),
        ("vol_of_variance", 0.0, Reason.OUT_OF_RANGE),
        ("correlation", -1.1, Reason.OUT_OF_RANGE),
        ("correlation", np.nan, Reason.NOT_FINITE),
        ("count", -1, Reason.OUT_OF_RANGE),
    ],
)
def test_bad_input_is_named(build: str, argument: str, value: float, reason: Reason) -> None:
    """The error names the argument and its range."""
    called = "paths" if argument == "count" else argument
    with pytest.raises(ArgumentError, match=f"{called} is {value}: it must be") as caught:
        heston.paths(**{**FINE, argument: value})
    assert caught.value.reason == reason


def test_a_parameter_is_one_number(build: str) -> None:
    """An array where one number belongs is refused by name."""
    with pytest.raises(ShapeError, match=r"mean has shape \(2,\)"):
        heston.paths(**{**FINE, "mean": [0.04, 0.05]})
    with pytest.raises(ShapeError, match=r"drift has shape \(2,\)"):
        heston.paths(**{**FINE, "drift": [0.04, 0.05]})


def test_edges_give_numbers(build: str) -> None:
    """No variance today, correlations of one and the ends of each range give finite levels."""
    for change in (
        {"variance": 0.0},
        {"correlation": -1.0},
        {"correlation": 1.0, "vol_of_variance": 0.1},
        {"vol_of_variance": 1e-4},
        {"mean": 1e-8, "variance": 0.0, "vol_of_variance": 2.0, "correlation": -0.5},
        {"reversion": 1e-6},
        {"reversion": 100.0},
    ):
        for table in heston.paths(**{**FINE, "count": 500, **change}):
            assert np.all(np.isfinite(table))
            assert np.all(table >= 0.0)
