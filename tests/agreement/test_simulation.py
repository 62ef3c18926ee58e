"""Simulated prices against QuantLib's analytic ones, over a grid of markets; the worst case is printed.

A deviation is counted in standard errors. Seeds are fixed, so that the same deviations come out each time; of a hundred
independent ones the largest is expected near 2.6, and 4.5 would be one in a thousand such runs.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import QuantLib as ql

from crossrate.kernel import heston, monte_carlo
from crossrate.kernel.monte_carlo import Product

TODAY = ql.Date(2, 1, 2023)
COUNT = ql.Actual365Fixed()
WORST = 4.5


def curve(rate: float) -> ql.YieldTermStructureHandle:
    """A flat, continuously compounded curve."""
    return ql.YieldTermStructureHandle(ql.FlatForward(TODAY, rate, COUNT))


def report(deviations: dict[str, float]) -> None:
    """Prints the worst deviation and fails beyond the bound; their spread must be that of standard errors."""
    name = max(deviations, key=lambda each: abs(deviations[each]))
    spread = math.sqrt(np.mean(np.square(list(deviations.values()))))
    print(f"{len(deviations)} cases, worst {deviations[name]:.2f} errors at {name}, root mean square {spread:.2f}")
    assert abs(deviations[name]) <= WORST
    assert 0.5 <= spread <= 1.6


def test_heston_agrees_over_markets() -> None:
    """Calls under 16 parameter sets at seven strikes, two years in steps of an eighth, meet the analytic engine."""
    ql.Settings.instance().evaluationDate = TODAY
    times, pairs = np.arange(1, 17) / 8, 2**14
    deviations = {}
    grid = itertools.product((0.5, 2.0), (0.01, 0.04), (0.2, 0.6), (-0.6, 0.4))
    for seed, (reversion, mean, vol, rho) in enumerate(grid):
        model = (1.3 * mean, reversion, mean, vol, rho)
        process = ql.HestonProcess(curve(0.03), curve(0.01), ql.QuoteHandle(ql.SimpleQuote(1.1)), *model)
        engine = ql.AnalyticHestonEngine(ql.HestonModel(process), 192)
        levels, _ = heston.paths(1.1, 0.02, *model, times, 2 * pairs, seed=seed, antithetic=True, terminal=True)
        for strike in (0.9, 0.98, 1.05, 1.1, 1.16, 1.25, 1.35):
            payoff = ql.PlainVanillaPayoff(ql.Option.Call, strike)
            option = ql.VanillaOption(payoff, ql.EuropeanExercise(TODAY + 730))
            option.setPricingEngine(engine)
            paid = math.exp(-0.06) * np.maximum(levels - strike, 0.0).reshape(-1, 2).mean(axis=1)
            error = paid.std() / math.sqrt(pairs)
            deviations[f"{model} strike {strike}"] = (paid.mean() - option.NPV()) / error
    report(deviations)


def test_averages_agree_over_markets() -> None:
    """Geometric Asian and European options, calls and puts, meet QuantLib's analytic engines."""
    ql.Settings.instance().evaluationDate = TODAY
    days = [TODAY + 30 * each for each in range(1, 13)]
    times = np.arange(30, 361, 30) / 365
    deviations = {}
    grid = itertools.product((0, 1), (0.06, 0.2), (0.0, 0.05), (-0.01, 0.03), (-0.8, 0.0, 0.8))
    for seed, (side, vol, domestic, foreign, away) in enumerate(grid):
        strike = 1.1 * math.exp(away * vol)
        black = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(TODAY, ql.NullCalendar(), vol, COUNT))
        process = ql.BlackScholesMertonProcess(
            ql.QuoteHandle(ql.SimpleQuote(1.1)), curve(foreign), curve(domestic), black
        )
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if side else ql.Option.Put, strike)
        exercise = ql.EuropeanExercise(days[-1])
        average = ql.DiscreteAveragingAsianOption(ql.Average.Geometric, 1.0, 0, days, payoff, exercise)
        average.setPricingEngine(ql.AnalyticDiscreteGeometricAveragePriceAsianEngine(process))
        vanilla = ql.VanillaOption(payoff, exercise)
        vanilla.setPricingEngine(ql.AnalyticEuropeanEngine(process))
        for product, option in ((Product.GEOMETRIC_ASIAN, average), (Product.EUROPEAN, vanilla)):
            found = monte_carlo.price(
                product, side, 1.1, strike, vol, domestic, foreign, times, 2**14, seed=seed, antithetic=False
            )
            gap = found.price - option.NPV()
            deviations[f"{product.name} {side} {vol} {domestic} {foreign} {strike:.4f}"] = gap / found.standard_error
    report(deviations)
