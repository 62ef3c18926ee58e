"""What holds for any model: monotonicity, convexity, and the limits without volatility and without time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.kernel import american, asian, barrier, digital, path, touch, vanilla


def number(low: float, high: float) -> st.SearchStrategy[float]:
    """Floats of a range, without those that no market has."""
    return st.floats(low, high, allow_subnormal=False)


CODE = st.integers(0, 1)
MARKET = st.fixed_dictionaries(
    {
        "time": number(0.003, 5.0),
        "volatility": number(0.01, 1.0),
        "domestic_rate": number(-0.05, 0.2),
        "foreign_rate": number(-0.05, 0.2),
    }
)
SPOT = number(0.01, 1000.0)
FAST = settings(max_examples=40, deadline=None)


def on_every_build() -> Iterator[str]:
    """Each build in turn, as the current one."""
    for name in path.paths():
        with path.using(name):
            yield name


@FAST
@given(SPOT, number(-1.5, 1.5), MARKET, CODE)
def test_a_vanilla_is_monotone_and_convex(spot: float, moved: float, market: dict[str, float], call: int) -> None:
    """A call rises with the spot and falls with the strike, at most as discounted, bent upwards; a put reversed."""
    strikes = spot * np.exp(moved) * np.linspace(0.9, 1.1, 21)
    spots = spot * np.linspace(0.9, 1.1, 21)
    sign = 2 * call - 1
    for _ in on_every_build():
        by_strike = vanilla.price(call, spot, strikes, **market)
        fuzz = 2e-15 * max(spot, strikes[-1]) * np.exp(0.05 * market["time"])
        steps = -sign * np.diff(by_strike)
        assert (steps >= -fuzz).all()
        assert (steps <= np.diff(strikes) * np.exp(-market["domestic_rate"] * market["time"]) + fuzz).all()
        assert (np.diff(by_strike, 2) >= -2.0 * fuzz).all()
        by_spot = vanilla.price(call, spots, strikes[0], **market)
        assert (sign * np.diff(by_spot) >= -fuzz).all()
        assert (np.diff(by_spot, 2) >= -2.0 * fuzz).all()


@FAST
@given(SPOT, number(-1.5, 1.5), MARKET, CODE)
def test_what_is_optional_gains_with_volatility(spot: float, moved: float, market: dict[str, float], call: int) -> None:
    """Vanillas, American options and averages do not fall as the volatility rises."""
    strike, rest = spot * np.exp(moved), {**market, "volatility": np.geomspace(0.01, 1.0, 15)}
    last = [rest[name] for name in ("volatility", "domestic_rate", "foreign_rate")]
    scale = max(spot, strike) * np.exp(0.05 * market["time"])
    for _ in on_every_build():
        assert (np.diff(vanilla.price(call, spot, strike, **rest)) >= -2e-15 * scale).all()
        # The boundary of exercise is found to 1e-7 of the strike, trees end within 3e-6.
        assert (np.diff(american.price(call, spot, strike, **rest)) >= -6e-6 * scale).all()
        average = asian.price(call, spot, strike, 0.0, market["time"], 5, 0.0, 1.0, *last)
        assert (np.diff(average) >= -4e-15 * scale).all()


@FAST
@given(SPOT, number(0.02, 1.5), MARKET, CODE, CODE, st.integers(0, 2))
def test_a_farther_barrier_is_touched_less(
    spot: float, away: float, market: dict[str, float], up: int, payout: int, kind: int
) -> None:
    """A no-touch gains and a one-touch loses as its barrier moves away, where touching pays the counter currency."""
    distance = away * np.linspace(0.5, 1.5, 11)
    level = spot * np.exp((2 * up - 1) * distance)
    for _ in on_every_build():
        steps = np.diff(touch.price(kind, up, 0, spot, level, **market))
        rising = 1.0 if kind == 0 else -1.0
        if kind == 2 and market["domestic_rate"] < 0.0:
            continue  # paid later is worth more
        assert (rising * steps >= -1e-14 * np.exp(0.05 * market["time"])).all()


@FAST
@given(SPOT, number(-1.0, 1.0), MARKET, CODE)
def test_an_american_option_is_worth_what_it_may_become(
    spot: float, moved: float, market: dict[str, float], call: int
) -> None:
    """It is worth its payoff and its European twin at least, and the discounted best of both levels at most."""
    strike = spot * np.exp(moved)
    for _ in on_every_build():
        found = float(american.price(call, spot, strike, **market))
        european = float(vanilla.price(call, spot, strike, **market))
        payoff = max((2 * call - 1) * (spot - strike), 0.0)
        assert found >= max(european, payoff) - 1e-14 * max(spot, strike)
        most = spot * np.exp(max(0.0, -market["foreign_rate"]) * market["time"])
        if not call:
            most = strike * np.exp(max(0.0, -market["domestic_rate"]) * market["time"])
        assert found <= most * (1.0 + 1e-4)


@FAST
@given(SPOT, number(-1.5, 1.5), MARKET, CODE)
def test_without_volatility_the_forward_decides(spot: float, moved: float, market: dict[str, float], call: int) -> None:
    """At no volatility, and in the limit towards it, vanillas and digitals are worth what the forward ends as."""
    time, domestic, foreign = (market[name] for name in ("time", "domestic_rate", "foreign_rate"))
    strike = spot * np.exp((domestic - foreign) * time + np.copysign(max(abs(moved), 1e-3), moved))
    ds, dk = spot * np.exp(-foreign * time), strike * np.exp(-domestic * time)
    sign = 2 * call - 1
    ends_inside = sign * (ds - dk) > 0.0
    for _ in on_every_build():
        for volatility in (0.0, 1e-12, 1e-6):
            flat = {**market, "volatility": volatility}
            worth = float(vanilla.price(call, spot, strike, **flat))
            assert abs(worth - max(sign * (ds - dk), 0.0)) <= 4e-15 * max(ds, dk)
            for payout, amount in ((0, np.exp(-domestic * time)), (1, ds)):
                paid = float(digital.price(call, payout, spot, strike, **flat))
                assert abs(paid - (amount if ends_inside else 0.0)) <= 4e-15 * amount


@FAST
@given(SPOT, number(0.01, 1.5), MARKET, CODE, CODE)
def test_without_time_the_payoff_is_all(spot: float, away: float, market: dict[str, float], call: int, up: int) -> None:
    """At no time, and a hundred-millionth of a second before, options are worth their payoff, nothing is touched."""
    strike, sign = spot * np.exp((2 * up - 1) * away), 2 * call - 1
    payoff = max(sign * (spot - strike), 0.0)
    pays = float(sign * (spot - strike) > 0.0)
    beyond = strike if up else spot * 0.5
    for _ in on_every_build():
        for time in (0.0, 3e-16):
            last = {**market, "time": time}
            rest = [last[name] for name in ("volatility", "domestic_rate", "foreign_rate")]
            found = {
                "vanilla": vanilla.price(call, spot, strike, **last),
                "american": american.price(call, spot, strike, **last),
                "asian": asian.price(call, spot, strike, time, time, 1, 0.0, 1.0, *rest),
                "knock-out": barrier.price(call, 2 * up, spot, strike, 2.0 * beyond if up else beyond, 0.0, **last),
            }
            for name, worth in found.items():
                assert abs(float(worth) - payoff) <= 1e-12 * max(spot, strike), (name, time)
            assert abs(float(digital.price(call, 0, spot, strike, **last)) - pays) <= 1e-12
            knocked_in = barrier.price(call, 2 * up + 1, spot, strike, 2.0 * beyond if up else beyond, 0.0, **last)
            assert float(knocked_in) <= 1e-12 * spot
            touched = [float(touch.price(kind, up, 0, spot, strike, **last)) for kind in (0, 1, 2)]
            assert np.allclose(touched, [1.0, 0.0, 0.0], atol=1e-12)
