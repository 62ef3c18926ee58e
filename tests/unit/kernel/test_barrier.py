"""Options with one and two barriers: exact values, published tables, identities, limits, refusals."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

from crossrate.kernel import ArgumentError, barrier, path, touch, vanilla
from crossrate.kernel.barrier import BarrierType, Knock
from crossrate.kernel.faults import Reason
from tests.unit.kernel.barrier_oracle import Exact

CASES = 48

# E. G. Haug, "Option Pricing Formulas", McGraw-Hill 1998, page 72, as QuantLib's test suite quotes it: spot 100,
# rebate 3, half a year, domestic 8 %, foreign 4 %. The book rounds to four decimals, and its normal distribution moves
# the last by up to one. Rows: put or call, type, barrier; then strikes 90, 100, 110 at 25 % and the same at 30 %.
SINGLE = [
    (1, 0, 95.0, 9.0246, 6.7924, 4.8759, 8.8334, 7.0285, 5.4137),
    (1, 0, 100.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0),
    (1, 2, 105.0, 2.6789, 2.3580, 2.3453, 2.6341, 2.4389, 2.4315),
    (1, 1, 95.0, 7.7627, 4.0109, 2.0576, 9.0093, 5.1370, 2.8517),
    (1, 1, 100.0, 13.8333, 7.8494, 3.9795, 14.8816, 9.2045, 5.3043),
    (1, 3, 105.0, 14.1112, 8.4482, 4.5910, 15.2098, 9.7278, 5.8350),
    (0, 0, 95.0, 2.2798, 2.2947, 2.6252, 2.4170, 2.4258, 2.6246),
    (0, 0, 100.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0),
    (0, 2, 105.0, 3.7760, 5.4932, 7.5187, 4.2293, 5.8032, 7.5649),
    (0, 1, 95.0, 2.9586, 6.5677, 11.9752, 3.8769, 7.7989, 13.3078),
    (0, 1, 100.0, 2.2845, 5.9085, 11.6465, 3.3328, 7.2636, 12.9713),
    (0, 3, 105.0, 1.4653, 3.3721, 7.0846, 2.0658, 4.4226, 8.3686),
]
# The same author, "The Complete Guide to Option Pricing Formulas", 2nd edition 2007, page 156 and following, as quoted
# there: spot and strike 100, domestic 10 %, foreign 0. Four decimals, as above. Rows: put or call, knock, lower, upper;
# then volatilities 15, 25, 35 % at a quarter and the same at half a year.
DOUBLE = [
    (1, 0, 50.0, 150.0, 4.3515, 6.1644, 7.0373, 6.9853, 7.9336, 6.5088),
    (1, 0, 70.0, 130.0, 4.3139, 4.8293, 3.7765, 5.9697, 4.0004, 2.2563),
    (1, 0, 80.0, 120.0, 3.7516, 2.6387, 1.4903, 3.5805, 1.5098, 0.5635),
    (1, 0, 90.0, 110.0, 1.2055, 0.3098, 0.0477, 0.5537, 0.0441, 0.0011),
    (0, 0, 60.0, 140.0, 1.8825, 3.7845, 5.6060, 2.1374, 4.6236, 6.1062),
    (0, 0, 80.0, 120.0, 1.8600, 2.6866, 2.0719, 1.8883, 1.7851, 0.8244),
    (0, 0, 90.0, 110.0, 0.9473, 0.3449, 0.0578, 0.4555, 0.0491, 0.0013),
    (1, 1, 50.0, 150.0, 0.0000, 0.0900, 1.1537, 0.0292, 1.6487, 5.7321),
    (1, 1, 70.0, 130.0, 0.0376, 1.4252, 4.4145, 1.0447, 5.5818, 9.9846),
    (1, 1, 90.0, 110.0, 3.1460, 5.9447, 8.1432, 6.4608, 9.5382, 12.2398),
]

number = st.floats
MARKET = st.fixed_dictionaries(
    {
        "spot": number(0.5, 200.0),
        "time": number(0.0, 10.0),
        "volatility": number(0.0, 2.0),
        "domestic_rate": number(-0.3, 0.3),
        "foreign_rate": number(-0.3, 0.3),
    }
)
WIDTH = number(1e-4, 3.0)
CODE = st.integers(0, 1)
FEW = settings(max_examples=30, deadline=None)


@cache
def sample() -> dict[str, Any]:
    """Markets as they are, strikes and barriers around the spot, in many widths of the deviation."""
    rng = np.random.default_rng(20)
    spot, time = np.exp(rng.normal(0.0, 1.0, CASES)), rng.choice([0.003, 0.1, 1.0, 5.0], CASES)
    volatility = rng.choice([0.01, 0.05, 0.1, 0.2, 0.5, 2.0], CASES)
    deviation = volatility * np.sqrt(time)
    strike, single = (spot * np.exp(deviation * rng.normal(0.0, 1.0, CASES)) for _ in range(2))
    lower, upper = (spot * np.exp(sign * deviation * abs(rng.normal(0.0, 1.5, CASES))) for sign in (-1, 1))
    domestic, foreign = (rng.choice([-0.2, -0.05, -0.005, 0.0, 0.01, 0.05, 0.2], CASES) for _ in range(2))
    domestic[:8] = foreign[:8] = -0.05  # a first passage whose root is imaginary, unless volatility is high
    market = {"time": time, "volatility": volatility, "domestic_rate": domestic, "foreign_rate": foreign}
    call, into = (rng.integers(0, 2, CASES).astype(np.int8) for _ in range(2))
    return {"spot": spot, "strike": strike, "barrier": single, "lower": lower, "upper": upper, "market": market} | {
        "call": call,
        "into": into,
        "up": (single > spot).astype(np.int8),
    }


def exact_market(case: dict[str, Any], at: int) -> Exact:
    """One market of the sample."""
    return Exact(float(case["spot"][at]), *(float(each[at]) for each in case["market"].values()))


@cache
def exact() -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Single, double, rebate at hit of both, in 40 digits."""
    case = sample()
    single, double, rebate, both = [], [], [], []
    with mp.workdps(40):
        for at in range(CASES):
            market, strike, call = exact_market(case, at), float(case["strike"][at]), bool(case["call"][at])
            plain, level, into = market.vanilla(call, strike), float(case["barrier"][at]), bool(case["into"][at])
            lower, upper = float(case["lower"][at]), float(case["upper"][at])
            knocked = market.knock_in(call, bool(case["up"][at]), strike, level)
            single.append(knocked if into else plain - knocked)
            out = market.double_knock_out(call, strike, lower, upper)
            double.append(plain - out if into else out)
            rebate.append(market.at_hit(level))
            both.append(market.first_at_hit(upper, lower) + market.first_at_hit(lower, upper))
    return single, double, rebate, both


def worst(found: Any, wanted: list[Any], scale: Any) -> float:
    """The largest error over a scale."""
    return max(float(abs(mp.mpf(float(f)) - w) / float(s)) for f, w, s in zip(found, wanted, scale, strict=True))


def scale_of(case: dict[str, Any]) -> Any:
    """The larger of discounted spot and strike."""
    market = case["market"]
    spot = case["spot"] * np.exp(-market["foreign_rate"] * market["time"])
    return np.maximum(spot, case["strike"] * np.exp(-market["domestic_rate"] * market["time"]))


def test_single_barriers_are_exact(build: str) -> None:
    """All eight types agree with the printed formulas in 40 digits, to 2e-15 of the larger discounted leg."""
    case = sample()
    kind = 2 * case["up"] + case["into"]
    found = barrier.price(case["call"], kind, case["spot"], case["strike"], case["barrier"], 0.0, **case["market"])
    assert worst(found, exact()[0], scale_of(case)) < 2e-15


def test_double_barriers_are_exact(build: str) -> None:
    """Both series agree with many images in 40 digits, on both sides of the border between them."""
    case = sample()
    levels = (case["spot"], case["strike"], case["lower"], case["upper"])
    found = barrier.double_price(case["call"], case["into"], *levels, 0.0, **case["market"])
    narrow = np.log(case["upper"] / case["lower"]) / (case["market"]["volatility"] * np.sqrt(case["market"]["time"]))
    assert 10 < (narrow < 1.29).sum() < CASES - 10
    assert worst(found, exact()[1], scale_of(case)) < 2e-15


def test_rebates_at_hit_are_exact(build: str) -> None:
    """A rebate adds the first passage's value to a knock-out, also where a negative rate makes the root imaginary."""
    case = sample()
    market = case["market"]
    drift = market["domestic_rate"] - market["foreign_rate"] - market["volatility"] ** 2 / 2
    assert (drift**2 + 2 * market["domestic_rate"] * market["volatility"] ** 2 < 0).sum() > 5
    put = (0, 2 * case["up"], case["spot"], 1e-60, case["barrier"])
    scale = np.maximum(1.0, np.exp(-market["domestic_rate"] * market["time"]))
    assert worst(barrier.price(*put, 1.0, **market), exact()[2], scale) < 2e-15
    pair = (0, 0, case["spot"], 1e-60, case["lower"], case["upper"])
    assert worst(barrier.double_price(*pair, 1.0, **market), exact()[3], scale) < 2e-15


@pytest.mark.parametrize("row", SINGLE)
def test_haug_1998_page_72(build: str, row: tuple[Any, ...]) -> None:
    """Single barriers with a rebate agree with Haug's table to its four decimals, of which the last is off by one."""
    strikes, volatilities = np.tile([90.0, 100.0, 110.0], 2), np.repeat([0.25, 0.30], 3)
    found = barrier.price(row[0], row[1], 100.0, strikes, row[2], 3.0, 0.5, volatilities, 0.08, 0.04)
    assert np.abs(found - row[3:]).max() < 7e-5


@pytest.mark.parametrize("row", DOUBLE)
def test_haug_2007_page_156(build: str, row: tuple[Any, ...]) -> None:
    """Double barriers agree with Haug's table to its four decimals, of which the last is off by one."""
    volatilities, times = np.tile([0.15, 0.25, 0.35], 2), np.repeat([0.25, 0.5], 3)
    found = barrier.double_price(row[0], row[1], 100.0, 100.0, row[2], row[3], 0.0, times, volatilities, 0.1, 0.0)
    assert np.abs(found - row[4:]).max() < 7e-5


@FEW
@given(market=MARKET, moved=number(-2.0, 2.0), at=number(-2.0, 2.0), call=CODE, up=CODE)
def test_in_and_out_are_the_vanilla(market: dict[str, float], moved: float, at: float, call: int, up: int) -> None:
    """Without rebate a knock-in and its knock-out are together the vanilla option, neither negative nor dearer."""
    strike, level = market["spot"] * np.exp(moved), market["spot"] * np.exp(at)
    spot = market["spot"]
    rest = {name: value for name, value in market.items() if name != "spot"}
    for name in path.paths():
        with path.using(name):
            plain = vanilla.price(call, spot, strike, **rest)
            out, into = barrier.price(call, np.array([2 * up, 2 * up + 1]), spot, strike, level, 0.0, **rest)
            slack = 1e-14 * max(spot, strike) * np.exp(3.0)
            assert out + into == pytest.approx(plain, abs=slack)
            assert -slack <= out <= plain + slack
            assert -slack <= into <= plain + slack


@FEW
@given(market=MARKET, moved=number(-2.0, 2.0), below=WIDTH, above=WIDTH, call=CODE)
def test_double_in_and_out_are_the_vanilla(
    market: dict[str, float], moved: float, below: float, above: float, call: int
) -> None:
    """The same with two barriers, and a second barrier never makes a knock-out dearer."""
    spot = market["spot"]
    strike, lower, upper = spot * np.exp(moved), spot * np.exp(-below), spot * np.exp(above)
    rest = {name: value for name, value in market.items() if name != "spot"}
    for name in path.paths():
        with path.using(name):
            plain = vanilla.price(call, spot, strike, **rest)
            out, into = barrier.double_price(call, np.array([0, 1]), spot, strike, lower, upper, 0.0, **rest)
            slack = 1e-14 * max(spot, strike) * np.exp(3.0)
            assert out + into == pytest.approx(plain, abs=slack)
            kinds, levels = np.array([BarrierType.DOWN_AND_OUT, BarrierType.UP_AND_OUT]), np.array([lower, upper])
            singles = barrier.price(call, kinds, spot, strike, levels, 0.0, **rest)
            assert -slack <= out <= singles.min() + slack


def test_far_barriers_are_not_there(build: str) -> None:
    """With one barrier far away a double is the single of the other one; with both far away it is the vanilla."""
    strike, market = np.linspace(80.0, 120.0, 9), (1.0, 0.1, 0.03, 0.01)
    plain = vanilla.price(1, 100.0, strike, *market)
    np.testing.assert_allclose(
        barrier.double_price(1, Knock.OUT, 100.0, strike, 1.0, 1e4, 0.0, *market), plain, atol=2e-13
    )
    single = barrier.price(1, BarrierType.UP_AND_OUT, 100.0, strike, 115.0, 2.0, *market)
    double = barrier.double_price(1, Knock.OUT, 100.0, strike, 1.0, 115.0, 2.0, *market)
    np.testing.assert_allclose(double, single, atol=2e-13)


def test_the_two_series_meet(build: str) -> None:
    """Nothing happens at the border between images and sines."""
    width = np.sqrt(1.0 / 0.6) * np.array([1.0 - 1e-13, 1.0 + 1e-13]) * 0.2
    for knock in Knock:
        pair = barrier.double_price(
            1, knock, 1.0, 1.02, np.exp(-0.4 * width), np.exp(0.6 * width), 0.0, 1.0, 0.2, 0.03, 0.01
        )
        assert pair[0] == pytest.approx(pair[1], abs=1e-14)
    width = np.array([1.0 - 1e-13, 1.0 + 1e-13]) / 1.2 * 0.2
    hit = touch.double_price(2, 0, 1.0, np.exp(-0.4 * width), np.exp(0.6 * width), 1.0, 0.2, -0.03, 0.01)
    assert hit[0] == pytest.approx(hit[1], abs=1e-14)


def test_currencies_may_be_exchanged(build: str) -> None:
    """A call on base is a put on the counter currency: strike, barrier and spot inverted, rates exchanged."""
    spot, strike, level = 1.25, np.array([1.1, 1.3, 1.5]), np.array([1.05, 1.4, 1.2])
    for kind in BarrierType:
        mirrored = BarrierType(kind ^ 2)
        one = barrier.price(1, kind, spot, strike, level, 0.0, 1.5, 0.2, 0.03, -0.01)
        other = barrier.price(0, mirrored, 1 / spot, 1 / strike, 1 / level, 0.0, 1.5, 0.2, -0.01, 0.03)
        np.testing.assert_allclose(one, spot * strike * other, atol=1e-14)
    one = barrier.double_price(1, 0, spot, strike, 1.0, 1.6, 0.0, 1.5, 0.2, 0.03, -0.01)
    other = barrier.double_price(0, 0, 1 / spot, 1 / strike, 1 / 1.6, 1.0, 0.0, 1.5, 0.2, -0.01, 0.03)
    np.testing.assert_allclose(one, spot * strike * other, atol=1e-14)


def test_touched_is_knocked(build: str) -> None:
    """A spot at or beyond a barrier: the knock-out is its rebate, the knock-in the vanilla option."""
    spot, market = np.array([0.9, 1.0, 1.1]), (1.0, 0.1, 0.02, 0.01)
    plain = vanilla.price(1, spot, 1.0, *market)
    at_or_above = barrier.price(
        1, np.array([2, 3])[:, None] * np.ones((1, 3), int), spot * np.ones((2, 1)), 1.0, 1.0, 0.3, *market
    )
    np.testing.assert_array_equal(at_or_above[0, 1:], 0.3)
    np.testing.assert_allclose(at_or_above[1, 1:], plain[1:], atol=1e-15)
    assert barrier.price(1, 0, 0.9, 1.0, 0.9, 0.3, *market) == 0.3
    outside = barrier.double_price(1, np.array([0, 0, 1]), np.array([0.9, 1.2, 1.2]), 1.0, 0.9, 1.1, 0.3, *market)
    np.testing.assert_allclose(outside, [0.3, 0.3, vanilla.price(1, 1.2, 1.0, *market)], atol=1e-15)


def test_without_time_or_volatility(build: str) -> None:
    """With no time left an untouched knock-out is its payoff, a knock-in its rebate.

    Without volatility the spot goes straight to its forward, and touches what lies between.
    """
    assert barrier.price(1, 0, 1.2, 1.1, 1.0, 0.3, 0.0, 0.2, 0.05, 0.0) == pytest.approx(0.1, abs=1e-15)
    assert barrier.price(1, 1, 1.2, 1.1, 1.0, 0.3, 0.0, 0.2, 0.05, 0.0) == 0.3
    forward = np.exp(0.05)
    out, into = barrier.price(1, np.array([2, 3]), 1.0, 0.9, np.array([1.1, 1.02]), 0.0, 1.0, 0.0, 0.05, 0.0)
    assert out == pytest.approx(into, abs=1e-15)
    assert out == pytest.approx((forward - 0.9) / forward, abs=1e-15)
    hit = barrier.price(1, 2, 1.0, 0.9, 1.02, 0.5, 1.0, 0.0, 0.05, 0.0)
    assert hit == pytest.approx(0.5 / 1.02, abs=1e-15)
    assert barrier.double_price(1, 0, 1.0, 0.9, 0.8, 1.02, 0.5, 1.0, 0.0, 0.05, 0.0) == pytest.approx(0.5 / 1.02)


def test_prices_are_monotone_in_the_barrier(build: str) -> None:
    """A barrier further away makes a knock-out dearer, and the knock-in cheaper."""
    level = np.linspace(1.01, 2.0, 200)
    for call in (0, 1):
        assert (np.diff(barrier.price(call, 2, 1.0, 1.05, level, 0.0, 1.0, 0.2, -0.02, 0.03)) > -1e-16).all()
        assert (np.diff(barrier.price(call, 3, 1.0, 1.05, level, 0.0, 1.0, 0.2, -0.02, 0.03)) < 1e-16).all()
        wider = barrier.double_price(call, 0, 1.0, 1.05, 1 / level, level, 0.0, 1.0, 0.2, -0.02, 0.03)
        assert (np.diff(wider) > -1e-16).all()


def test_what_is_refused(build: str) -> None:
    """A code that is none, a negative rebate, barriers out of order, a payment that outgrows survival: each is told."""
    fine = (1, 0, 1.0, 1.0, 0.9, 1.1, 0.0, 1.0, 0.1, 0.0, 0.0)
    with pytest.raises(
        ArgumentError, match=r"upper_barrier is 0.9: it must be above lower_barrier, which is 0.9"
    ) as caught:
        barrier.double_price(*fine[:5], 0.9, *fine[6:])
    assert caught.value.reason == Reason.INCONSISTENT
    with pytest.raises(ArgumentError, match=r"^rebate\[1\] is -0.1"):
        barrier.double_price(*fine[:6], np.array([0.0, -0.1]), *fine[7:])
    with pytest.raises(ArgumentError, match=r"barrier_type is 4: it must be 0 down and out"):
        barrier.price(1, 4, 1.0, 1.0, 0.9, 0.0, 1.0, 0.1, 0.0, 0.0)
    with pytest.raises(ArgumentError, match=r"knock is 2"):
        barrier.double_price(1, 2, *fine[2:])
    late = (1, 0, 1.0, 1.0, 0.5, 2.0, 1.0, 4.0, 1.0, -5.0, -5.0)
    with pytest.raises(ArgumentError, match=r"domestic_rate is -5.0: a payment at hit has no result here") as caught:
        barrier.double_price(*late)
    assert caught.value.reason == Reason.NOT_CONVERGED
    assert np.isfinite(barrier.double_price(*late[:6], 0.0, *late[7:]))
