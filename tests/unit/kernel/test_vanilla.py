"""European vanilla options against 50 digits, QuantLib and the identities that hold for any model."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.kernel import Reason, path, vanilla
from tests.unit.kernel import exact

# The twin's logarithm and densities are the textbook's; the compiled paths keep more digits far from the money.
GREEKS_ERROR = {"numpy": 1e-12, "baseline": 1.5e-14}


def market(**changed: float) -> tuple[float, ...]:
    """One option's arguments."""
    fine = {"spot": 1.1, "strike": 1.15, "time": 0.5, "volatility": 0.12, "domestic": 0.04, "foreign": 0.02}
    return tuple({**fine, **changed}.values())


def everything(call: object, *numbers: object) -> dict[str, np.ndarray]:
    """Premium and all Greeks by name."""
    first = vanilla.greeks(call, *numbers)
    second = vanilla.further_greeks(call, *numbers)
    return {name: getattr(each, name) for each in (first, second) for name in each.__slots__}


def test_the_premium_is_within_its_stated_bound(build: str) -> None:
    """The error is below 6e-16 of the greater of spot and strike."""
    options = exact.grid(400)
    found = vanilla.price(*options)
    for i, row in enumerate(zip(*options, strict=True)):
        error = abs(float(found[i] - exact.vanilla(*row)["price"]))
        assert error <= 6e-16 * max(row[1], row[2]), (i, row)


def test_the_greeks_are_within_their_stated_bound(build: str) -> None:
    """Within four deviations the relative error is below 1e-14; that of a sum in relation to its greatest term.

    Without fused multiply-add it is below 1.5e-14.
    """
    options = exact.grid(400, seed=11)
    found = everything(*options)
    allowed = GREEKS_ERROR.get(build, 1e-14)
    for i, row in enumerate(zip(*options, strict=True)):
        true = exact.vanilla(*row)
        _, spot, strike, time, volatility, domestic, foreign = (float(each) for each in row)
        w = volatility * np.sqrt(time)
        d1 = (np.log(spot / strike) + (domestic - foreign) * time) / w + w / 2
        if max(abs(d1), abs(d1 - w)) > 4.0:
            continue
        vega, paid = float(true["vega"]), abs(float(true["delta"])) * spot
        peak = vega / np.sqrt(time)
        scale = {
            "theta": vega * volatility / time + paid * (abs(foreign) + abs(domestic)),
            "charm": (peak * (abs(domestic - foreign) / w + (1 + abs(d1)) / time / 2) + paid * abs(foreign)) / spot,
            "vanna": vega / (spot * w) * (1 + abs(d1)),
            "volga": vega / volatility * (1 + d1 * d1),
        }
        for name, value in true.items():
            bound = allowed * scale.get(name, abs(float(value)))
            if name != "price":
                assert abs(float(found[name][i] - value)) <= bound, (name, i, row)


def test_the_greeks_stay_within_it_where_rates_and_moneyness_cancel(build: str) -> None:
    """Of 20,000 options, the 300 that magnify rounding most are within 1e-14, without fused multiply-add 1.5e-14."""
    options = exact.grid(20_000, 99)
    _, spot, strike, time, volatility, domestic, foreign = options
    w, drift = volatility * np.sqrt(time), (domestic - foreign) * time
    d1 = (np.log(spot / strike) + drift) / w + w / 2
    far = np.maximum(np.abs(d1), np.abs(d1 - w))
    magnified = np.where(far < 4.0, far * (np.abs(np.log(spot / strike)) + np.abs(drift)) / w, 0.0)
    chosen = [each[np.argsort(magnified)[-300:]] for each in options]
    found = everything(*chosen)
    allowed = GREEKS_ERROR.get(build, 1e-14)
    for i, row in enumerate(zip(*chosen, strict=True)):
        true = exact.vanilla(*row)
        for name in ("delta", "gamma", "vega", "rho_domestic", "rho_foreign", "strike_delta"):
            assert abs(float(found[name][i] / true[name] - 1)) <= allowed, (name, row)


def test_quantlib_agrees(build: str) -> None:
    """QuantLib's closed formula gives the same premium, delta, gamma, vega, theta, rho, vanna and volga."""
    for row in zip(*exact.grid(100, seed=3), strict=True):
        call, spot, strike, time, volatility, domestic, foreign = (float(each) for each in row)
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if call else ql.Option.Put, strike)
        discount = float(np.exp(-domestic * time))
        forward = spot * float(np.exp(-foreign * time)) / discount
        peer = ql.BlackCalculator(payoff, forward, volatility * float(np.sqrt(time)), discount)
        ours = everything(int(call), spot, strike, time, volatility, domestic, foreign)
        scale = max(spot, strike)
        assert ours["price"] == pytest.approx(peer.value(), abs=1e-14 * scale)
        assert ours["delta"] == pytest.approx(peer.delta(spot), abs=1e-13)
        assert ours["gamma"] * spot == pytest.approx(peer.gamma(spot) * spot, rel=1e-10, abs=1e-12)
        assert ours["vega"] == pytest.approx(peer.vega(time), abs=1e-13 * scale)
        assert ours["rho_domestic"] == pytest.approx(peer.rho(time), abs=1e-12 * scale)
        assert ours["rho_foreign"] == pytest.approx(peer.dividendRho(time), abs=1e-12 * scale)
        assert ours["strike_delta"] == pytest.approx(peer.strikeSensitivity(), abs=1e-12)


def test_the_fused_premium_is_the_premium(build: str) -> None:
    """`greeks` and `price` give the same premium to the last bit."""
    options = exact.grid(1000)
    assert np.array_equal(vanilla.price(*options), vanilla.greeks(*options).price)


levels = st.floats(0.01, 1000.0)
rates = st.floats(-0.05, 0.2)


@settings(max_examples=60, deadline=None)
@given(levels, levels, st.floats(0.0, 10.0), st.floats(0.0, 1.0), rates, rates)
def test_put_call_parity_holds(
    spot: float, strike: float, time: float, volatility: float, domestic: float, foreign: float
) -> None:
    """Call less put is the discounted forward less the discounted strike, on every build."""
    forward = spot * np.exp(-foreign * time) - strike * np.exp(-domestic * time)
    for name in path.paths():
        with path.using(name):
            put, call = vanilla.price(np.array([0, 1]), spot, strike, time, volatility, domestic, foreign)
        assert call - put == pytest.approx(forward, abs=4e-15 * max(spot, strike))


@settings(max_examples=60, deadline=None)
@given(levels, levels, st.floats(0.0, 10.0), st.floats(0.0, 1.0), rates, rates)
def test_foreign_domestic_symmetry_holds(
    spot: float, strike: float, time: float, volatility: float, domestic: float, foreign: float
) -> None:
    """A call on the base currency is a put on the counter currency (Wystup): V_call(S, K) = S K V_put(1/S, 1/K)."""
    for name in path.paths():
        with path.using(name):
            call = vanilla.price(1, spot, strike, time, volatility, domestic, foreign)
            mirrored = vanilla.price(0, 1 / spot, 1 / strike, time, volatility, foreign, domestic) * spot * strike
        assert call == pytest.approx(mirrored, rel=1e-9, abs=1e-14 * max(spot, strike))


def test_the_premium_rises_with_volatility_and_stays_in_its_bounds(build: str) -> None:
    """No more volatility makes an option cheaper; none makes it dearer than the discounted spot or strike."""
    volatility = np.concatenate(([0.0], np.geomspace(1e-8, 50.0, 3000)))
    for call, most in ((1, 1.1 * np.exp(-0.01)), (0, 1.15 * np.exp(-0.02))):
        premium = vanilla.price(call, 1.1, 1.15, 0.5, volatility, 0.04, 0.02)
        assert np.all(np.diff(premium) >= -3e-16)
        assert np.all((premium >= 0.0) & (premium <= most + 3e-16))


@pytest.mark.parametrize("flat", [{"volatility": 0.0}, {"time": 0.0}])
def test_without_volatility_or_time_an_option_is_worth_its_discounted_intrinsic_value(build: str, flat: dict) -> None:
    """The limits are exact: premium, delta one or nothing, no gamma, no vega; never a NaN."""
    _, strike, time, _, domestic, foreign = market(**flat)
    for spot in (0.9, 1.5):
        at = market(spot=spot, **flat)
        for call, sign in ((1, 1.0), (0, -1.0)):
            given = everything(call, *at)
            worth = sign * (spot * np.exp(-foreign * time) - strike * np.exp(-domestic * time))
            assert given["price"] == pytest.approx(max(worth, 0.0), abs=1e-15)
            assert given["delta"] == pytest.approx(sign * np.exp(-foreign * time) if worth > 0 else 0.0, abs=1e-15)
            assert all(given[name] == 0.0 for name in ("gamma", "vega", "vanna", "volga"))
            assert all(np.isfinite(value) for value in given.values())


def test_at_the_kink_nothing_is_nan(build: str) -> None:
    """At the forward without volatility delta is one half and the premium nothing."""
    given = everything(1, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    assert given["price"] == 0.0
    assert given["delta"] == pytest.approx(0.5)
    assert not any(np.isnan(value) for value in given.values())


def test_the_corners_of_the_domain_give_numbers(build: str) -> None:
    """Every combination of greatest and least arguments gives a premium within its bounds."""
    corner = np.array(
        np.meshgrid([0, 1], [1e-60, 1e60], [1e-60, 1e60], [0, 1e-9, 100], [0, 1e-9, 100], [-5, 5], [-5, 5])
    )
    call, *numbers = corner.reshape(7, -1)
    premium = vanilla.price(call.astype(np.int8), *numbers)
    spot, strike, time, _, domestic, foreign = numbers
    most = np.where(
        call.ravel()[: len(premium)] == 1, spot * np.exp(-foreign * time), strike * np.exp(-domestic * time)
    )
    assert np.all((premium >= 0.0) & (premium <= most * (1 + 1e-12)))


def test_a_batch_with_status_goes_on(build: str) -> None:
    """Refused elements have a reason and NaN; their neighbours are what they are alone."""
    strike = np.linspace(1.0, 1.3, 300)
    strike[[7, 250]] = np.nan, -1.0
    premium, status = vanilla.price_with_status(1, 1.1, strike, 0.5, 0.1, 0.04, 0.02)
    assert {i: Reason(status[i]) for i in np.flatnonzero(status)} == {7: Reason.NOT_FINITE, 250: Reason.OUT_OF_RANGE}
    assert np.array_equal(np.flatnonzero(np.isnan(premium)), [7, 250])
    fine = status == 0
    assert np.array_equal(premium[fine], vanilla.price(1, 1.1, strike[fine], 0.5, 0.1, 0.04, 0.02))


def test_builds_of_one_class_give_the_same_bits() -> None:
    """Both builds with fused multiply-add agree to the last bit, the plain one to 5e-16 of the greater level."""
    options = exact.grid(5000, seed=5)
    found = {}
    for name in path.paths():
        with path.using(name):
            found[name] = vanilla.price(*options)
    if "avx512" in found:
        assert np.array_equal(found["avx2"], found["avx512"])
    for other in found.values():
        assert np.max(np.abs(other - found["baseline"]) / np.maximum(options[1], options[2])) <= 1e-15
