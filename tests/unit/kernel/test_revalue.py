"""Full revaluation against pricing every position in every scenario by itself."""

from __future__ import annotations

import re

import numpy as np
import pytest

from crossrate.kernel import ArgumentError, ShapeError, path, revalue, vanilla
from crossrate.kernel.revalue import FORWARD, Markets, Positions, Scenarios

MARKETS = Markets(spot=np.array([1.1, 150.0]), conversion=np.array([1.0, 1 / 150.0]))


def book(count: int = 40) -> Positions:
    """Puts, calls and forwards on two pairs, bought and sold."""
    rng = np.random.default_rng(4)
    market = rng.integers(0, 2, count)
    return Positions(
        kind=rng.integers(0, 3, count),
        market=market,
        strike=np.where(market == 0, 1.1, 150.0) * rng.uniform(0.85, 1.15, count),
        time=rng.uniform(0.0, 3.0, count),
        volatility=rng.uniform(0.04, 0.3, count),
        domestic_rate=rng.uniform(-0.01, 0.06, count),
        foreign_rate=rng.uniform(-0.01, 0.06, count),
        notional=rng.normal(0.0, 1e6, count),
    )


def scenarios(count: int = 700, *, parts: int = 5) -> Scenarios:
    """Shifts of the first `parts` kinds."""
    rng = np.random.default_rng(5)
    scales = (0.03, 0.05, 0.005, 0.005, 0.02)
    return Scenarios(*(rng.normal(0.0, scale, (2, count)) for scale in scales[:parts]))


def by_hand(positions: Positions, shifts: Scenarios) -> np.ndarray:
    """Each position's profit in each scenario, from the pricing function."""
    none = np.zeros_like(shifts.spot_return)
    moved = [none if each is None else each for each in (getattr(shifts, name) for name in Scenarios.__slots__)]
    rows = []
    for i, k in enumerate(positions.market):
        returns, vol, domestic, foreign, conversion = (each[k] for each in moved)

        def worth(spot: object, vol: object, rd: object, rf: object, i: int = i) -> object:
            strike, time = positions.strike[i], positions.time[i]
            if positions.kind[i] == FORWARD:
                return spot * np.exp(-rf * time) - strike * np.exp(-rd * time)
            return vanilla.price(int(positions.kind[i]), spot, strike, time, np.maximum(vol, 0.0), rd, rf)

        base = (positions.volatility[i], positions.domestic_rate[i], positions.foreign_rate[i])
        today = MARKETS.conversion[k] * worth(MARKETS.spot[k], *base)
        spot = MARKETS.spot[k] * np.exp(returns)
        then = worth(spot, base[0] + vol, base[1] + domestic, base[2] + foreign)
        rows.append(positions.notional[i] * (MARKETS.conversion[k] * np.exp(conversion) * then - today))
    return np.array(rows)


@pytest.mark.parametrize("parts", [1, 2, 3, 4, 5])
def test_the_profit_is_what_pricing_each_cell_gives(build: str, parts: int) -> None:
    """Every position's part, and their sum, is the change of its price in the scenario, in the reporting currency."""
    positions, shifts = book(), scenarios(parts=parts)
    total, contributions = revalue.profit(positions, MARKETS, shifts, contributions=True)
    expected = by_hand(positions, shifts)
    # One unit in the last place of a price of 150, on notionals of millions.
    assert np.allclose(contributions, expected, rtol=0.0, atol=1e-15 * 4 * 5e6)
    assert np.allclose(total, expected.sum(axis=0), rtol=0.0, atol=1e-13 * 5e6)
    assert np.array_equal(total, revalue.profit(positions, MARKETS, shifts))


def test_threads_change_no_bit(build: str) -> None:
    """The sum over positions has one order, however the scenarios are shared."""
    positions, shifts = book(), scenarios(1500)
    once = revalue.profit(positions, MARKETS, shifts, contributions=True)
    shared = revalue.profit(positions, MARKETS, shifts, contributions=True, threads=3)
    assert all(np.array_equal(a, b) for a, b in zip(once, shared, strict=True))


def test_no_shift_is_no_profit(build: str) -> None:
    """In the scenario of today a book gains nothing."""
    profit = revalue.profit(book(), MARKETS, Scenarios(np.zeros((2, 5))))
    assert np.all(np.abs(profit) <= 1e-8)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"market": np.array([0, 2, 5])}, "market[1] is 2: there are 2 markets"),
        ({"kind": np.array([0, 1, 3])}, "kind[2] is 3: it must be 0 for a put"),
        ({"strike": np.array([1.0, np.nan, 1.0])}, "strike[1] is nan: it must be positive"),
        ({"notional": np.array([np.inf, 1.0, 1.0])}, "notional[0] is inf"),
    ],
)
def test_a_refused_position_is_named(build: str, changed: dict, message: str) -> None:
    """The error names field and position."""
    fine = dict.fromkeys(Positions.__slots__, 1.0) | {"kind": 1, "market": 0, "volatility": 0.1, "strike": np.ones(3)}
    with pytest.raises(ArgumentError, match=re.escape(message)):
        revalue.profit(Positions(**{**fine, **changed}), MARKETS, Scenarios(np.zeros((2, 5))))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_refused_scenario_is_named(build: str, threads: int) -> None:
    """The error names the shift, the market and the scenario, also where threads share the work."""
    shift = np.zeros((2, 700))
    shift[1, 600] = np.nan
    with pytest.raises(ArgumentError, match=re.escape("volatility_shift[1, 600] is nan")):
        revalue.profit(book(), MARKETS, Scenarios(np.zeros((2, 700)), shift), threads=threads)


def test_shapes_that_do_not_fit_are_refused(build: str) -> None:
    """One row a market is needed, and one shape."""
    with pytest.raises(ShapeError, match="for 2 markets"):
        revalue.profit(book(), MARKETS, Scenarios(np.zeros((3, 5))))
    with pytest.raises(ShapeError, match="volatility_shift has shape"):
        revalue.profit(book(), MARKETS, Scenarios(np.zeros((2, 5)), np.zeros((2, 6))))


def test_builds_agree() -> None:
    """All builds give the same profit up to the rounding of prices."""
    found = []
    for name in path.paths():
        with path.using(name):
            found.append(revalue.profit(book(), MARKETS, scenarios()))
    assert all(np.allclose(each, found[0], rtol=0.0, atol=1e-7) for each in found)
