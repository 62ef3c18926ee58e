"""The market and how it is quoted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.marketdata import ecb
from services.marketdata.domain import liquidity
from services.marketdata.domain.calibration import Calibration, calibrate
from services.marketdata.domain.simulation import ELAPSED_S_MAX, Market


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    history = ecb.load()
    return calibrate(history, history.current(), window_days=780, half_life_days=120)


def test_the_same_seed_gives_the_same_market(calibration: Calibration) -> None:
    """Paths are reproducible, and another seed gives another path."""
    ends = []
    for seed in (1, 1, 2):
        market = Market(calibration, seed)
        state = market.start()
        for _ in range(50):
            state = market.step(state, 0.1)
        ends.append(state.log_rates)
    assert (ends[0] == ends[1]).all()
    assert (ends[0] != ends[2]).all()


def test_a_path_continues_from_any_state(calibration: Calibration) -> None:
    """Another instance that takes over at step 20 draws what the first one would have drawn."""
    first, second = Market(calibration, 9), Market(calibration, 9)
    state = first.start()
    for _ in range(20):
        state = first.step(state, 0.1)
    assert (second.step(state, 0.1).log_rates == first.step(state, 0.1).log_rates).all()


def test_moves_have_the_calibrated_covariance(calibration: Calibration) -> None:
    """Over 4,000 steps of a second, volatilities are within 5 % and correlations within 0.08 of the calibration's."""
    market = Market(calibration, 4)
    states = [market.start()]
    for _ in range(4_000):
        states.append(market.step(states[-1], 1.0))
    moves = np.diff([s.log_rates for s in states], axis=0)
    assert moves.std(axis=0) == pytest.approx(calibration.volatility_per_sqrt_second, rel=0.05)
    assert np.abs(np.corrcoef(moves.T) - calibration.correlation).max() < 0.08


def test_time_scales_moves_by_its_root(calibration: Calibration) -> None:
    """The same draw over four times the time moves twice as far, and no longer than the limit."""
    market = Market(calibration, 4)
    start = market.start()
    drift = 0.5 * calibration.volatility_per_sqrt_second**2
    move = {s: market.step(start, s).log_rates - start.log_rates + drift * min(s, 60) for s in (1.0, 4.0, 60.0, 1e9)}
    assert move[4.0] == pytest.approx(2 * move[1.0], rel=1e-6)
    assert (move[1e9] == move[ELAPSED_S_MAX]).all()
    assert market.step(start, 0.0) is start


def test_no_triangle_pays(calibration: Calibration) -> None:
    """Around any three currencies mids multiply to one, and dealing at bids never returns more than was put in."""
    market = Market(calibration, 1)
    state = market.step(market.start(), 60.0)
    codes = ["EUR", *calibration.currencies]
    for a in codes[::3]:
        for b in codes[::4]:
            for c in codes[::5]:
                if len({a, b, c}) == 3:
                    legs = [(a, b), (b, c), (c, a)]
                    mids = [market.mid(state, *leg) for leg in legs]
                    bids = [
                        liquidity.two_sided(m, liquidity.terms(*leg).spread_bp, 8)[0]
                        for m, leg in zip(mids, legs, strict=True)
                    ]
                    assert np.prod(mids) == pytest.approx(1.0, rel=1e-12)
                    assert np.prod(bids) <= 1.0


@given(st.floats(1e-3, 1e5), st.floats(0.1, 500.0), st.integers(0, 7))
def test_a_quote_is_two_sided(mid: float, spread_bp: float, precision: int) -> None:
    """Bid below ask, both on the price grid and positive; the mid lies between unless it is below the grid itself."""
    bid, ask = liquidity.two_sided(mid, spread_bp, precision)
    assert 0 < bid < ask
    assert bid == round(bid, precision)
    assert ask == round(ask, precision)
    if mid * (1 - spread_bp * 0.5e-4) * 10**precision >= 1:
        assert bid <= mid <= ask


def test_spreads_follow_liquidity() -> None:
    """EUR/USD is tighter than EUR/SEK, which is tighter than USD/TRY; direction does not matter."""
    spreads = [liquidity.terms(*p).spread_bp for p in (("EUR", "USD"), ("EUR", "SEK"), ("USD", "TRY"))]
    assert spreads == sorted(spreads)
    assert liquidity.terms("USD", "TRY") == liquidity.terms("TRY", "USD")


@pytest.mark.parametrize(("raw", "said"), [(11_172_000, 1e7), (0.3, 1.0), (1_756_800_000, 2e9), (45.0, 4e1)])
def test_sizes_are_round(raw: float, said: float) -> None:
    """One significant digit, at least 1."""
    assert liquidity.round_size(raw) == said


def test_the_rotation_serves_each_pair_by_its_weight() -> None:
    """Over 1,100 turns, pairs of weights 8, 2 and 1 come 800, 200 and 100 times, never twice in one taking."""
    rotation = liquidity.Rotation({"A": 8, "B": 2, "C": 1})
    turns = [name for _ in range(1_100) for name in rotation.take(1)]
    assert {n: turns.count(n) for n in "ABC"} == {"A": 800, "B": 200, "C": 100}
    assert sorted(rotation.take(10)) == ["A", "B", "C"]
    assert liquidity.Rotation({}).take(3) == []
