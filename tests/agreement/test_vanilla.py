"""Vanilla options and implied volatilities against QuantLib over thousands of generated cases."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
import QuantLib as ql

from crossrate.kernel import implied, vanilla
from tests.unit.kernel import exact

CASES = 12_000
# Against 50 digits ours are within 1e-14; what is left is QuantLib's own rounding, which a small deviation magnifies.
LIMITS = {
    "price": 5e-15,
    "delta": 1e-12,
    "gamma": 1e-9,
    "vega": 1e-13,
    "theta": 1e-14,
    "rho_domestic": 1e-13,
    "rho_foreign": 1e-13,
    "strike_delta": 1e-12,
    "forward_delta": 1e-12,
}


def differences(name: str, row: tuple[float, ...], ours: float, peer: float) -> float:
    """A difference in units that compare: of the greater level where the figure is money, of one elsewhere."""
    _, spot, strike, *_ = row
    scale = 1.0 if "delta" in name else max(spot, strike)
    return abs(ours - peer) / (1.0 / scale if name == "gamma" else scale)


def test_quantlib_gives_the_same_premiums_and_greeks(capsys: pytest.CaptureFixture[str]) -> None:
    """Premium, deltas, gamma, vega, theta, both rhos and the strike's derivative agree case by case."""
    grid = exact.grid(CASES, seed=2026)
    first, second = vanilla.greeks(*grid), vanilla.further_greeks(*grid)
    worst: dict[str, tuple[float, int]] = defaultdict(lambda: (0.0, -1))
    for i, row in enumerate(zip(*(each.tolist() for each in grid), strict=True)):
        call, spot, strike, time, volatility, domestic, foreign = row
        discount = np.exp(-domestic * time)
        forward = spot * np.exp(-foreign * time) / discount
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if call else ql.Option.Put, strike)
        peer = ql.BlackCalculator(payoff, forward, volatility * time**0.5, discount)
        found = {
            "price": (first.price[i], peer.value()),
            "delta": (first.delta[i], peer.delta(spot)),
            "gamma": (first.gamma[i], peer.gamma(spot)),
            "vega": (first.vega[i], peer.vega(time)),
            "theta": (first.theta[i] / 365.0, peer.thetaPerDay(spot, time)),
            "rho_domestic": (first.rho_domestic[i], peer.rho(time)),
            "rho_foreign": (first.rho_foreign[i], peer.dividendRho(time)),
            "strike_delta": (second.strike_delta[i], peer.strikeSensitivity()),
            "forward_delta": (second.forward_delta[i] * np.exp(-domestic * time), peer.deltaForward()),
        }
        for name, (ours, theirs) in found.items():
            worst[name] = max(worst[name], (differences(name, row, ours, theirs), i))
    with capsys.disabled():
        print(
            f"\n{CASES} vanilla options, worst differences", {k: f"{v[0]:.1e} (case {v[1]})" for k, v in worst.items()}
        )
    for name, (difference, i) in worst.items():
        assert difference <= LIMITS[name], (name, i, [each[i] for each in grid])


def test_quantlib_gives_the_same_implied_volatilities(capsys: pytest.CaptureFixture[str]) -> None:
    """From out-of-the-money premiums QuantLib's solver ends where ours does, to its own accuracy."""
    count = CASES // 2
    _, spot, strike, time, volatility, domestic, foreign = exact.grid(count, seed=2027)
    discount = np.exp(-domestic * time)
    forward = spot * np.exp(-foreign * time) / discount
    call = (strike > forward).astype(np.int8)
    price = vanilla.price(call, spot, strike, time, volatility, domestic, foreign)
    found = implied.volatility(call, price, spot, strike, time, domestic, foreign)
    worst = (0.0, -1)
    for i in range(count):
        kind = ql.Option.Call if call[i] else ql.Option.Put
        deviation = ql.blackFormulaImpliedStdDev(
            *(kind, strike[i], forward[i], price[i], discount[i], 0.0, volatility[i] * time[i] ** 0.5, 1e-14, 1000)
        )
        worst = max(worst, (abs(deviation / time[i] ** 0.5 / found[i] - 1.0), i))
    with capsys.disabled():
        print(f"\n{count} implied volatilities, worst relative difference {worst[0]:.1e} (case {worst[1]})")
    assert worst[0] <= 1e-7
