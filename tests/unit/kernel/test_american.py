"""American options: agreement with QuantLib, identities, limits, regimes of rates, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql

from crossrate.kernel import ArgumentError, american, vanilla
from crossrate.kernel.faults import Reason

GRID = [
    (call, moneyness, days, volatility, domestic, foreign)
    for call in (0, 1)
    for moneyness, days, volatility in ((0.9, 30, 0.1), (1.0, 365, 0.1), (1.1, 365, 0.3), (1.0, 1095, 0.15))
    for domestic, foreign in ((0.05, 0.02), (0.02, 0.05), (0.03, 0.03), (0.03, 0.0), (0.005, 0.004))
]
# QuantLib's finite differences with 1000 and 2000 steps on four times as many levels, extrapolated: put or call, spot,
# strike, time, volatility, domestic, foreign.
NEGATIVE = {
    (0, 1.0, 1.0, 1.0, 0.1, -0.0075, -0.02): 0.0352574,
    (1, 0.95, 1.0, 2.0, 0.08, -0.02, -0.005): 0.0166010,
    (0, 0.9, 1.0, 3.0, 0.2, 0.01, -0.02): 0.1529516,
    (0, 1.05, 1.0, 1.0, 0.15, 0.0, -0.01): 0.0363331,
    (1, 1.0, 1.0, 10.0, 0.2, -0.01, 0.02): 0.1536524,
}


def quantlib(call: int, spot: float, days: int, volatility: float, domestic: float, foreign: float) -> float:
    """QuantLib's own fixed point for the boundary in its high precision scheme, strike one."""
    today, count = ql.Date(2, 1, 2025), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today

    def curve(rate: float) -> ql.YieldTermStructureHandle:
        return ql.YieldTermStructureHandle(ql.FlatForward(today, rate, count))

    flat = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), volatility, count))
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), curve(foreign), curve(domestic), flat)
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if call else ql.Option.Put, 1.0)
    option = ql.VanillaOption(payoff, ql.AmericanExercise(today, today + days))
    option.setPricingEngine(ql.QdFpAmericanEngine(process, ql.QdFpAmericanEngine.highPrecisionScheme()))
    return float(option.NPV())


@pytest.fixture(scope="module")
def oracle() -> list[float]:
    """QuantLib's prices of the grid."""
    return [quantlib(*row) for row in GRID]


def test_quantlib_agrees(build: str, oracle: list[float]) -> None:
    """Where there is one boundary and no negative rate, QuantLib's price is within 5e-9 of the strike."""
    call, spot, days, *market = (np.array(column) for column in zip(*GRID, strict=True))
    found = american.price(call, spot, 1.0, days / 365, *market)
    assert np.abs(found - oracle).max() < 5e-9


def test_negative_rates_agree_with_fine_finite_differences(build: str) -> None:
    """With two boundaries, and with negative carry, prices are within 1e-6 of the strike of theirs."""
    for row, value in NEGATIVE.items():
        assert american.price(*row) == pytest.approx(value, abs=1e-6)
        assert american.price(*row) > vanilla.price(*row)


@pytest.mark.parametrize(("domestic", "foreign"), [(-0.01, 0.02), (-0.02, -0.01), (0.0, 0.0), (-0.01, -0.01)])
def test_a_put_that_nobody_exercises_early(build: str, domestic: float, foreign: float) -> None:
    """If the strike earns nothing and the spot no less, the American put is the European one."""
    spot = np.linspace(0.7, 1.4, 15)
    european = vanilla.price(0, spot, 1.0, 1.0, 0.1, domestic, foreign)
    np.testing.assert_allclose(american.price(0, spot, 1.0, 1.0, 0.1, domestic, foreign), european, atol=5e-16)


def test_early_exercise_is_never_worth_less(build: str) -> None:
    """An American option is worth its European twin and its payoff at least, over rates of any sign."""
    rng = np.random.default_rng(4)
    count = 60
    spot, time = np.exp(rng.normal(0.0, 0.3, count)), rng.choice([0.0, 1e-4, 0.1, 1.0, 10.0], count)
    volatility = rng.choice([0.0, 1e-4, 0.02, 0.1, 0.4, 2.0], count)
    domestic, foreign = (rng.choice([-0.5, -0.02, 0.0, 0.01, 0.1, 1.0], count) for _ in range(2))
    for call in (0, 1):
        found = american.price(call, spot, 1.0, time, volatility, domestic, foreign)
        european = vanilla.price(call, spot, 1.0, time, volatility, domestic, foreign)
        payoff = np.maximum((2 * call - 1) * (spot - 1.0), 0.0)
        assert (found >= european - 1e-15 * np.maximum(1.0, european)).all()
        assert (found >= payoff - 1e-15).all()


def test_currencies_may_be_exchanged(build: str) -> None:
    """A call on base is a put on the counter currency: spot and strike inverted, rates exchanged."""
    strike = np.linspace(1.0, 1.5, 6)
    one = american.price(1, 1.25, strike, 1.5, 0.2, 0.01, 0.04)
    other = american.price(0, 1 / 1.25, 1 / strike, 1.5, 0.2, 0.04, 0.01)
    np.testing.assert_allclose(one, 1.25 * strike * other, atol=1e-13)


def test_prices_are_monotone_and_convex(build: str) -> None:
    """A put falls and bends upwards with the spot, through its boundary, and gains with time."""
    spot = np.linspace(0.6, 1.4, 81)
    found = american.price(0, spot, 1.0, 1.0, 0.2, 0.05, 0.01)
    assert (np.diff(found) < 0.0).all()
    assert (np.diff(found, 2) > -1e-8).all()
    np.testing.assert_array_equal(found[spot < 0.7], 1.0 - spot[spot < 0.7])
    later = american.price(0, 1.0, 1.0, np.linspace(0.01, 3.0, 20), 0.2, 0.05, 0.01)
    assert (np.diff(later) > 0.0).all()


def test_a_long_life_is_forever(build: str) -> None:
    """A hundred years make the put Merton's perpetual one (1973, section 8), but for 1e-5, and never dearer."""
    rate, volatility, spot = 0.05, 0.2, np.array([0.9, 1.0, 1.3])
    power = -2.0 * rate / volatility**2
    edge = power / (power - 1.0)
    wanted = (1.0 - edge) * (spot / edge) ** power
    found = american.price(0, spot, 1.0, 100.0, volatility, rate, 0.0)
    assert (found < wanted).all()
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_without_volatility_the_best_moment_counts(build: str) -> None:
    """A certain put is exercised at once or at the end, whichever pays more."""
    found = american.price(0, np.array([0.9, 0.9]), 1.0, 1.0, 0.0, np.array([0.05, 0.0]), np.array([0.0, 0.1]))
    np.testing.assert_allclose(found, [0.1, 1.0 - 0.9 * np.exp(-0.1)], rtol=1e-12)


def test_what_is_refused(build: str) -> None:
    """Where neither method serves, volatility is named and the reason is that nothing converged."""
    with pytest.raises(ArgumentError, match=r"volatility\[1\] is 50.0: no exercise boundary was found") as caught:
        american.price(0, 1.0, 1.0, 1.0, np.array([0.1, 50.0]), -0.02, -0.05)
    assert caught.value.reason == Reason.NOT_CONVERGED
