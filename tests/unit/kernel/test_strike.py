"""Strikes and deltas in the four conventions, against exact arithmetic, QuantLib and published figures."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import QuantLib as ql

from crossrate.kernel import ArgumentError, Reason, path, strike
from crossrate.kernel.strike import AtmConvention, DeltaConvention

NEUTRAL = {"spot": 1.1, "time": 1.0, "volatility": 0.1, "domestic_rate": 0.02, "foreign_rate": 0.01}
QUANTLIB = [ql.DeltaVolQuote.Spot, ql.DeltaVolQuote.Fwd, ql.DeltaVolQuote.PaSpot, ql.DeltaVolQuote.PaFwd]


def markets(count: int, seed: int = 5) -> dict[str, np.ndarray]:
    """Markets as they occur, from a week to ten years."""
    draw = np.random.default_rng(seed)
    return {
        "spot": draw.uniform(0.5, 150.0, count),
        "time": np.exp(draw.uniform(np.log(0.02), np.log(10.0), count)),
        "volatility": draw.uniform(0.03, 0.4, count),
        "domestic_rate": draw.uniform(-0.02, 0.08, count),
        "foreign_rate": draw.uniform(-0.02, 0.08, count),
    }


def exact_delta(call: int, convention: int, spot: float, level: float, *rest: float) -> mpmath.mpf:
    """The definition of the delta in forty digits."""
    with mpmath.workdps(40):
        time, volatility, domestic, foreign = (mpmath.mpf(each) for each in rest)
        sign = 1 if call else -1
        deviation = volatility * mpmath.sqrt(time)
        forward = spot * mpmath.exp((domestic - foreign) * time)
        d1 = mpmath.log(forward / level) / deviation + deviation / 2
        factor = 1 if convention & 1 else mpmath.exp(-foreign * time)
        if convention & 2:
            return sign * factor * level / forward * mpmath.ncdf(sign * (d1 - deviation))
        return sign * factor * mpmath.ncdf(sign * d1)


@pytest.mark.parametrize("convention", DeltaConvention)
@pytest.mark.parametrize("call", [0, 1])
def test_delta_is_the_definition(build: str, call: int, convention: int) -> None:
    """A delta is within 4e-14 in relative terms of its definition in exact arithmetic, deep wings included."""
    market = markets(25)
    level = market["spot"] * np.exp(np.linspace(-4.0, 4.0, 25) * market["volatility"] * np.sqrt(market["time"]))
    found = strike.delta(call, convention, strike=level, **market)
    rows = zip(market["spot"], level, *list(market.values())[1:], strict=True)
    exact = [exact_delta(call, convention, *map(float, row)) for row in rows]
    errors = [abs(float(one / two - 1)) for one, two in zip(found.tolist(), exact, strict=True)]
    assert max(errors) < 4e-14


@pytest.mark.parametrize("convention", DeltaConvention)
def test_a_strike_from_a_delta_has_that_delta(build: str, convention: int) -> None:
    """From delta to strike and back is exact within 3e-13 of the delta, for deltas from 1e-9 to 0.4."""
    market = markets(400)
    for call in (0, 1):
        wanted = (1 if call else -1) * np.exp(np.random.default_rng(7).uniform(np.log(1e-9), np.log(0.4), 400))
        level, status = strike.from_delta(call, convention, delta=wanted, with_status=True, **market)
        assert (status == Reason.OK).mean() > 0.9
        solved = {name: column[status == 0] for name, column in market.items()}
        back = strike.delta(call, convention, strike=level[status == 0], **solved)
        assert np.max(np.abs(back / wanted[status == 0] - 1.0)) < 3e-13
        assert np.isnan(level[status > 0]).all()
        assert set(status[status > 0]) <= {Reason.NO_SOLUTION}


@pytest.mark.parametrize("convention", [0, 1, 2, 3])
def test_quantlib_agrees(build: str, convention: int) -> None:
    """QuantLib's calculator gives these deltas, these strikes and these straddle strikes in every convention."""
    count = 60
    market = markets(count, 11)
    call = np.arange(count) % 2
    wanted = np.where(call, 1, -1) * np.random.default_rng(3).uniform(0.05, 0.35, count)
    level, status = strike.from_delta(call, convention, delta=wanted, with_status=True, **market)
    neutral = strike.atm(AtmConvention.DELTA_NEUTRAL, convention, **market)
    forward = strike.atm(AtmConvention.FORWARD, convention, **market)
    for i in range(count):
        spot, time, volatility, domestic, foreign = (float(column[i]) for column in market.values())
        calculator = ql.BlackDeltaCalculator(
            ql.Option.Call if call[i] else ql.Option.Put,
            QUANTLIB[convention],
            spot,
            float(np.exp(-domestic * time)),
            float(np.exp(-foreign * time)),
            volatility * time**0.5,
        )
        assert calculator.atmStrike(ql.DeltaVolQuote.AtmDeltaNeutral) == pytest.approx(neutral[i], rel=1e-13)
        assert calculator.atmStrike(ql.DeltaVolQuote.AtmFwd) == pytest.approx(forward[i], rel=1e-13)
        if status[i] == Reason.OK:
            assert calculator.strikeFromDelta(float(wanted[i])) == pytest.approx(level[i], rel=1e-7)
            assert calculator.deltaFromStrike(float(level[i])) == pytest.approx(wanted[i], rel=1e-11)


def test_a_published_example(build: str) -> None:
    """Castagna and Mercurio (2005), "Consistent pricing of FX options", prints four decimals of these strikes.

    EURUSD, 94 days, spot 1.205; discount factors 0.9902752 (USD) and 0.9945049 (EUR).
    """
    time = 94 / 365
    rates = {"domestic_rate": -np.log(0.9902752) / time, "foreign_rate": -np.log(0.9945049) / time}
    wings = strike.from_delta([0, 1], 0, 1.205, [-0.25, 0.25], time, [0.0943, 0.0893], **rates)
    assert np.round(wings, 4).tolist() == [1.1733, 1.2487]


def test_the_call_is_right_of_the_maximum_of_its_delta(build: str) -> None:
    """A premium-adjusted call delta is had by two strikes; the one that is given lies where the delta falls."""
    market = markets(300, 2)
    for convention in (2, 3):
        level, status = strike.from_delta(1, convention, delta=np.full(300, 0.3), with_status=True, **market)
        fine = status == 0
        solved = {name: column[fine] for name, column in market.items()}
        above = strike.delta(1, convention, strike=level[fine] * (1 + 1e-6), **solved)
        assert fine.sum() > 250
        assert (above < 0.3).all()


def test_a_delta_beyond_the_maximum_has_no_strike(build: str) -> None:
    """The greatest delta that has a strike is the greatest that any strike has, within 1e-9."""
    levels = 1.1 * np.exp(np.linspace(-1.5, 0.5, 200_001))
    deltas = strike.delta(1, 3, strike=levels, **{**NEUTRAL, "volatility": 0.3})
    best = int(np.argmax(deltas))
    arguments = {**NEUTRAL, "volatility": 0.3}
    found = strike.from_delta(1, 3, delta=deltas[best] * (1 - 1e-12), **arguments)
    assert found == pytest.approx(levels[best], rel=1e-4)
    with pytest.raises(ArgumentError, match=r"delta is .*no number solves this") as caught:
        strike.from_delta(1, 3, delta=deltas[best] * (1 + 1e-9), **arguments)
    assert caught.value.reason == Reason.NO_SOLUTION


@pytest.mark.parametrize(
    ("call", "convention", "delta"),
    [(1, 0, -0.25), (0, 1, 0.25), (1, 0, 0.0), (1, 1, 1.0), (0, 0, -0.9901), (1, 2, 0.95), (0, 3, 0.0)],
)
def test_what_no_strike_has_is_refused(build: str, call: int, convention: int, delta: float) -> None:
    """A delta of the wrong sign, none, or more than the greatest has no strike, and the element is named."""
    wanted = np.array([0.2 if call else -0.2, delta])
    with pytest.raises(ArgumentError, match=r"delta\[1\]") as caught:
        strike.from_delta(call, convention, 1.1, wanted, 1.0, 0.1, 0.02, 0.01)
    assert caught.value.reason == Reason.NO_SOLUTION


def test_without_variance_a_delta_has_no_strike(build: str) -> None:
    """At expiry, or without volatility, a delta is a step, which no strike but the forward could have."""
    for change in ({"time": 0.0}, {"volatility": 0.0}):
        with pytest.raises(ArgumentError, match="no number solves this"):
            strike.from_delta(1, 1, delta=0.25, **{**NEUTRAL, **change})


def test_a_premium_adjusted_put_may_have_any_delta(build: str) -> None:
    """Far in the money a put's premium is worth more than its notional, and its strike is found all the same."""
    wanted = -np.array([0.25, 0.9, 1.0, 1.5, 40.0, 1e6])
    level = strike.from_delta(0, 2, delta=wanted, **NEUTRAL)
    assert strike.delta(0, 2, strike=level, **NEUTRAL) == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize("convention", DeltaConvention)
def test_the_straddle_at_the_money_has_no_delta(build: str, convention: int) -> None:
    """Call and put at the delta-neutral strike cancel; at spot and forward the strike is the spot and the forward."""
    market = markets(100)
    level = strike.atm(AtmConvention.DELTA_NEUTRAL, convention, **market)
    both = [strike.delta(call, convention, strike=level, **market) for call in (0, 1)]
    assert np.max(np.abs(both[0] + both[1])) < 1e-14
    assert (strike.atm(AtmConvention.SPOT, convention, **market) == market["spot"]).all()
    carry = np.exp((market["domestic_rate"] - market["foreign_rate"]) * market["time"])
    assert strike.atm(AtmConvention.FORWARD, convention, **market) == pytest.approx(market["spot"] * carry, rel=1e-15)


def test_the_twin_says_the_same_of_extremes() -> None:
    """Compiled builds and the numpy twin find the same strikes, and refuse the same deltas, far beyond any market."""
    draw = np.random.default_rng(17)
    count = 2000
    call = draw.integers(0, 2, count)
    convention = draw.integers(0, 4, count)
    delta = np.where(call, 1, -1) * np.exp(draw.uniform(-600, 3, count))
    market = (
        np.exp(draw.uniform(-3, 3, count)),
        np.exp(draw.uniform(-9, 4, count)),
        np.exp(draw.uniform(-6, 2, count)),
    )
    arguments = (call, convention, market[0], delta, market[1], market[2], 0.01, 0.02)
    found = {}
    for name in path.paths():
        with path.using(name):
            found[name] = strike.from_delta(*arguments, with_status=True)
    level, status = found["baseline"]
    assert 20 < (status == Reason.NO_SOLUTION).sum() < 1000
    for other, said in found.values():
        assert (said == status).all()
        assert np.nanmax(np.abs(np.log(other / level)) / (1.0 + np.abs(np.log(level / market[0])))) < 1e-12


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("delta_convention", (1, 4, 1.1, 1.1, 1.0, 0.1, 0.0, 0.0)),
        ("put_or_call", (2, 0, 1.1, 1.1, 1.0, 0.1, 0.0, 0.0)),
        ("strike", (1, 0, 1.1, -1.1, 1.0, 0.1, 0.0, 0.0)),
        ("time", (1, 0, 1.1, 1.1, -1.0, 0.1, 0.0, 0.0)),
        ("foreign_rate", (1, 0, 1.1, 1.1, 1.0, 0.1, 0.0, float("nan"))),
    ],
)
def test_bad_arguments_are_named(build: str, name: str, arguments: tuple[float, ...]) -> None:
    """The argument that cannot be meant is named."""
    with pytest.raises(ArgumentError, match=f"^{name} is") as caught:
        strike.delta(*arguments)
    assert caught.value.argument == name


def test_a_delta_that_is_no_number_is_refused(build: str) -> None:
    """A premium-adjusted delta beyond all bounds is refused rather than infinite."""
    with pytest.raises(ArgumentError, match=r"^strike is"):
        strike.delta(0, 2, 1e-60, 1e60, 1.0, 0.1, 0.0, 0.0)
    with pytest.raises(ArgumentError, match=r"^volatility is"):
        strike.atm(1, 0, 1.1, 100.0, 100.0, 0.0, 0.0)
