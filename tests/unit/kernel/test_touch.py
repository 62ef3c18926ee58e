"""Touch options and digitals: exact values, published tables, identities, limits, refusals."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from mpmath import mp

from crossrate.kernel import ArgumentError, digital, touch, vanilla
from crossrate.kernel.digital import PayoutCurrency
from crossrate.kernel.faults import Reason
from crossrate.kernel.reference.scaled_erfc import erfcx, faddeeva_real
from crossrate.kernel.touch import Direction, TouchType
from tests.unit.kernel.barrier_oracle import Exact

CASES = 48

# E. G. Haug, "The Complete Guide to Option Pricing Formulas", 2nd edition 2007, page 181, as QuantLib's test suite
# quotes it: double no-touch paying 10, spot 100, a quarter, domestic 5 %, foreign 2 %; volatilities 10, 20, 30, 50 %.
# Four decimals.
DOUBLE_NO_TOUCH = [
    (80.0, 120.0, 9.8716, 8.9307, 6.3272, 1.9094),
    (85.0, 115.0, 9.7961, 7.2300, 3.7100, 0.4271),
    (90.0, 110.0, 8.9054, 3.6752, 0.7960, 0.0059),
    (95.0, 105.0, 3.6323, 0.0911, 0.0002, 0.0000),
]


@cache
def sample() -> tuple[Any, ...]:
    """Spot, barrier, lower and upper barrier, and the market's four numbers."""
    rng = np.random.default_rng(21)
    spot, time = np.exp(rng.normal(0.0, 1.0, CASES)), rng.choice([0.003, 0.1, 1.0, 5.0], CASES)
    volatility = rng.choice([0.01, 0.05, 0.1, 0.2, 0.5, 2.0], CASES)
    deviation = volatility * np.sqrt(time)
    level = spot * np.exp(deviation * rng.normal(0.0, 1.0, CASES))
    lower, upper = (spot * np.exp(sign * deviation * abs(rng.normal(0.0, 1.5, CASES))) for sign in (-1, 1))
    rates = (rng.choice([-0.2, -0.05, -0.005, 0.0, 0.01, 0.05, 0.2], CASES) for _ in range(2))
    return spot, level, lower, upper, time, volatility, *rates


@cache
def exact() -> dict[str, list[Any]]:
    """No-touch and one-touch at hit, single and double, in both payout currencies, in 40 digits."""
    values: dict[str, list[Any]] = {}
    with mp.workdps(40):
        for spot, level, lower, upper, *rest in zip(*(each.tolist() for each in sample()), strict=True):
            market = Exact(spot, *rest)
            at_lower, at_upper = market.first_at_hit(lower, upper), market.first_at_hit(upper, lower)
            rows = {
                "never": market.counter * market.survival(level > spot, level),
                "hit": market.at_hit(level),
                "double never counter": market.counter * market.corridor(False, lower, upper, lower, upper),
                "double never base": market.base * market.corridor(True, lower, upper, lower, upper),
                "double hit counter": at_lower + at_upper,
                "double hit base": lower * at_lower + upper * at_upper,
            }
            for name, value in rows.items():
                values.setdefault(name, []).append(value)
    return values


def error(found: Any, name: str, scale: Any) -> float:
    """The largest error over a scale."""
    pairs = zip(found, exact()[name], np.broadcast_to(scale, found.shape), strict=True)
    return max(float(abs(mp.mpf(float(f)) - w) / float(s)) for f, w, s in pairs)


def test_touches_are_exact(build: str) -> None:
    """No-touches and one-touches at hit are within 2e-15 of the payout's value, at rates from -20 % to 20 %."""
    spot, level, lower, upper, time, volatility, domestic, foreign = sample()
    market = (time, volatility, domestic, foreign)
    counter, base = np.exp(-domestic * time), spot * np.exp(-foreign * time)
    up = (level > spot).astype(np.int8)
    assert error(touch.price(0, up, 0, spot, level, *market), "never", counter) < 2e-15
    assert error(touch.price(2, up, 0, spot, level, *market), "hit", np.maximum(1.0, counter)) < 2e-15
    assert error(touch.double_price(0, 0, spot, lower, upper, *market), "double never counter", counter) < 2e-15
    assert error(touch.double_price(0, 1, spot, lower, upper, *market), "double never base", base) < 2e-15
    hit = np.maximum(1.0, counter)
    assert error(touch.double_price(2, 0, spot, lower, upper, *market), "double hit counter", hit) < 2e-15
    assert error(touch.double_price(2, 1, spot, lower, upper, *market), "double hit base", upper * hit) < 2e-15


@pytest.mark.parametrize("row", DOUBLE_NO_TOUCH)
def test_haug_2007_page_181(build: str, row: tuple[float, ...]) -> None:
    """Double no-touches agree with Haug's table to its four decimals."""
    found = touch.double_price(0, 0, 100.0, row[0], row[1], 0.25, np.array([0.1, 0.2, 0.3, 0.5]), 0.05, 0.02)
    assert np.abs(10.0 * found - row[2:]).max() < 5.1e-5


def test_haug_1998_page_95(build: str) -> None:
    """One-touches agree with Haug's examples: paying 15 (counter) or the asset (base), at 100 from 105 and from 95.

    The book prints 9.7264 and 11.6553 at hit, 9.3604 and 11.2223 at expiry, 64.8426 and 77.7017 for the asset then,
    4.9081, 3.0461, 40.1574 and 17.2983 for the options that pay if nothing is touched; as quoted by QuantLib's tests.
    """
    spot, direction = np.array([105.0, 95.0]), np.array([0, 1])
    market = (spot, 100.0, 0.5, 0.2, 0.1, 0.0)

    def of(kind: TouchType, payout: PayoutCurrency) -> Any:
        return touch.price(kind, direction, payout, *market)

    assert np.abs(15 * of(TouchType.ONE_TOUCH_AT_HIT, PayoutCurrency.COUNTER) - [9.7264, 11.6553]).max() < 1e-4
    assert np.abs(15 * of(TouchType.ONE_TOUCH_AT_EXPIRY, PayoutCurrency.COUNTER) - [9.3604, 11.2223]).max() < 1e-4
    assert np.abs(of(TouchType.ONE_TOUCH_AT_EXPIRY, PayoutCurrency.BASE) - [64.8426, 77.7017]).max() < 1e-4
    assert np.abs(15 * of(TouchType.NO_TOUCH, PayoutCurrency.COUNTER) - [4.9081, 3.0461]).max() < 1e-4
    assert np.abs(of(TouchType.NO_TOUCH, PayoutCurrency.BASE) - [40.1574, 17.2983]).max() < 1e-4


@pytest.mark.parametrize("payout", list(PayoutCurrency))
def test_touched_or_not_is_the_payout(build: str, payout: PayoutCurrency) -> None:
    """No-touch and one-touch at expiry are together the discounted payout, with one barrier and with two."""
    spot, level, lower, upper, time, volatility, domestic, foreign = sample()
    market = (time, volatility, domestic, foreign)
    unit = np.exp(-domestic * time) if payout == PayoutCurrency.COUNTER else spot * np.exp(-foreign * time)
    up = (level > spot).astype(np.int8)
    single = [touch.price(kind, up, payout, spot, level, *market) for kind in (0, 1)]
    double = [touch.double_price(kind, payout, spot, lower, upper, *market) for kind in (0, 1)]
    for never, once in (single, double):
        np.testing.assert_allclose(never + once, unit, rtol=1e-15 * 4)
        assert ((never >= 0) & (once >= 0)).all()


def test_without_rates_hit_and_expiry_are_one(build: str) -> None:
    """At a domestic rate of zero it makes no difference when the counter currency is paid."""
    level = np.linspace(0.5, 0.99, 50)
    at_hit, at_expiry = (touch.price(kind, 0, 0, 1.0, level, 2.0, 0.15, 0.0, 0.04) for kind in (2, 1))
    np.testing.assert_allclose(at_hit, at_expiry, rtol=1e-14)
    at_hit, at_expiry = (touch.double_price(kind, 0, 1.0, level, 1.1, 2.0, 0.15, 0.0, 0.04) for kind in (2, 1))
    np.testing.assert_allclose(at_hit, at_expiry, rtol=1e-14)


def test_payouts_may_be_exchanged(build: str) -> None:
    """What pays base seen from the counter side is what pays counter seen from the base side: all inverted."""
    level = np.array([0.8, 0.9, 1.3, 1.5])
    up = (level > 1.1).astype(np.int8)
    for kind in TouchType:
        one = touch.price(kind, up, 1, 1.1, level, 1.5, 0.2, 0.03, -0.02)
        other = touch.price(kind, 1 - up, 0, 1 / 1.1, 1 / level, 1.5, 0.2, -0.02, 0.03)
        np.testing.assert_allclose(one, 1.1 * other, rtol=1e-14)
        one = touch.double_price(kind, 1, 1.1, 0.9, level[2:], 1.5, 0.2, 0.03, -0.02)
        other = touch.double_price(kind, 0, 1 / 1.1, 1 / level[2:], 1 / 0.9, 1.5, 0.2, -0.02, 0.03)
        np.testing.assert_allclose(one, 1.1 * other, rtol=1e-14)


def test_touched_is_touched(build: str) -> None:
    """A spot at or beyond its barrier has touched it: payment at hit is due now, at expiry it is discounted."""
    market = (1.0, 0.1, 0.05, 0.02)
    for payout, unit, now in ((0, np.exp(-0.05), 1.0), (1, 1.2 * np.exp(-0.02), 1.2)):
        found = touch.price(np.array([0, 1, 2]), Direction.UP, payout, 1.2, np.array([1.2, 1.1, 1.2]), *market)
        np.testing.assert_allclose(found, [0.0, unit, now], rtol=1e-15)
        found = touch.double_price(np.array([0, 1, 2]), payout, 1.2, 0.9, 1.2, *market)
        np.testing.assert_allclose(found, [0.0, unit, now], rtol=1e-15)


def test_without_time_or_volatility_nothing_is_touched_by_chance(build: str) -> None:
    """With no time an untouched barrier stays so; without volatility the forward decides, and when."""
    assert touch.price(np.array([0, 1, 2]), 1, 0, 1.0, 1.1, 0.0, 0.3, 0.05, 0.0) == pytest.approx([1.0, 0.0, 0.0])
    hit = touch.price(2, 1, 0, 1.0, np.array([1.05, 1.2]), 2.0, 0.0, 0.05, 0.0)
    np.testing.assert_allclose(hit, [1 / 1.05, 0.0], rtol=1e-15)
    assert touch.double_price(np.array([0, 2]), 0, 1.0, 0.9, 1.05, 2.0, 0.0, 0.05, 0.0) == pytest.approx([0, 1 / 1.05])


def test_a_far_second_barrier_is_not_there(build: str) -> None:
    """A double touch whose other barrier is far away is the single one."""
    for kind in TouchType:
        for payout in PayoutCurrency:
            single = touch.price(kind, 0, payout, 1.0, 0.95, 1.0, 0.1, -0.02, 0.01)
            assert touch.double_price(kind, payout, 1.0, 0.95, 50.0, 1.0, 0.1, -0.02, 0.01) == pytest.approx(
                single, 1e-14
            )


def test_the_scaled_error_functions() -> None:
    """exp(z²) erfc(z) is within 2e-15 of mpmath's, on the real axis, near poles of the rule and far out."""
    points = np.array([0.0, 1e-9, 0.3, 0.5116, 1.0, 2.55, 5.0, 6.13, 6.15, 9.0, 50.0, 1e8])
    with mp.workdps(40):
        for y, found in zip(points.tolist(), erfcx(points).tolist(), strict=True):
            wanted = mp.exp(mp.mpf(y) ** 2) * mp.erfc(mp.mpf(y)) if y < 1e6 else 1 / (mp.sqrt(mp.pi) * mp.mpf(y))
            assert abs(found - wanted) < 2e-15 * wanted
        for x in (0.0, 0.25, 0.5116633539732442, 0.7675, 3.0, 10.0):
            for y in (1e-3, 0.2, 1.0, 6.0, 7.0, 30.0):
                z = mp.mpc(x, y)
                wanted = mp.exp(-z * z) * mp.erfc(mp.mpc(y, -x))
                found = faddeeva_real(np.array([x]), np.array([y]))[0]
                assert abs(found - wanted.real) < 2e-15 * abs(wanted)


def test_digitals_are_derivatives_of_vanillas(build: str) -> None:
    """Put and call digital are the discounted payout, asset minus strike times cash is the vanilla.

    Each Greek is the central difference of what it differentiates.
    """
    strike, market = np.linspace(0.7, 1.5, 17), (1.5, 0.2, 0.03, -0.01)
    for payout, unit in ((0, np.exp(-0.045)), (1, 1.1 * np.exp(0.015))):
        both = sum(digital.price(call, payout, 1.1, strike, *market) for call in (0, 1))
        np.testing.assert_allclose(both, unit, rtol=1e-15)
    for call in (0, 1):
        cash, asset = (digital.price(call, payout, 1.1, strike, *market) for payout in (0, 1))
        sign = 2 * call - 1
        np.testing.assert_allclose(
            sign * (asset - strike * cash), vanilla.price(call, 1.1, strike, *market), atol=4e-16
        )
        for payout in (0, 1):
            found = digital.greeks(call, payout, 1.1, strike, *market)
            h = 1e-5
            up, down = (digital.greeks(call, payout, 1.1 + side * h, strike, *market) for side in (1, -1))
            np.testing.assert_allclose(found.delta, (up.price - down.price) / (2 * h), atol=2e-9)
            np.testing.assert_allclose(found.gamma, (up.delta - down.delta) / (2 * h), atol=2e-8)
            up, down = (digital.price(call, payout, 1.1, strike, 1.5, 0.2 + side * h, 0.03, -0.01) for side in (1, -1))
            np.testing.assert_allclose(found.vega, (up - down) / (2 * h), atol=2e-8)


def test_a_certain_digital(build: str) -> None:
    """Without time or volatility a digital pays or not, half exactly at its strike, and its Greeks are finite."""
    found = digital.greeks(1, 0, np.array([0.9, 1.0, 1.1]), 1.0, 0.0, 0.2, 0.05, 0.0)
    np.testing.assert_array_equal(found.price, [0.0, 0.5, 1.0])
    np.testing.assert_array_equal(found.delta[[0, 2]], 0.0)
    certain = digital.greeks(1, 1, np.array([0.9, 1.1]), 1.0, 1.0, 0.0, 0.0, 0.0)
    np.testing.assert_array_equal(certain.price, [0.0, 1.1])
    np.testing.assert_array_equal(certain.delta, [0.0, 1.0])
    assert all(np.isfinite(each).all() for each in (*found, *certain))


def test_what_is_refused(build: str) -> None:
    """Codes that are none and barriers out of order are named."""
    with pytest.raises(ArgumentError, match=r"touch_type is 3: it must be 0 for no touch"):
        touch.price(3, 0, 0, 1.0, 1.1, 1.0, 0.1, 0.0, 0.0)
    with pytest.raises(ArgumentError, match=r"direction\[1\] is 2: it must be 0 for a barrier below"):
        touch.price(0, np.array([1, 2]), 0, 1.0, 1.1, 1.0, 0.1, 0.0, 0.0)
    with pytest.raises(ArgumentError, match=r"payout_currency is 2: it must be 0 for the counter currency"):
        digital.price(1, 2, 1.0, 1.0, 1.0, 0.1, 0.0, 0.0)
    upper = np.array([1.1, 0.9])
    with pytest.raises(ArgumentError, match=r"upper_barrier\[1\] is 0.9: it must be above lower_barrier") as caught:
        touch.double_price(0, 0, 1.0, 0.9, upper, 1.0, 0.1, 0.0, 0.0)
    assert caught.value.reason == Reason.INCONSISTENT
    with pytest.raises(ArgumentError, match=r"domestic_rate is -5.0: a payment at hit") as caught:
        touch.double_price(2, 0, 1.0, 0.5, 2.0, 4.0, 1.0, -5.0, -5.0)
    assert caught.value.reason == Reason.NOT_CONVERGED
