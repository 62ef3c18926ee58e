"""The market and how it is quoted."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.marketdata import ecb
from services.marketdata.domain import liquidity
from services.marketdata.domain.calibration import Calibration, calibrate
from services.marketdata.domain.seasonality import FLAT, Region, Seasonality
from services.marketdata.domain.simulation import ELAPSED_S_MAX, Market

HOUR_NS = 3_600 * 10**9
TUESDAY_9AM = int(dt.datetime(2026, 3, 3, 9, tzinfo=ZoneInfo("America/New_York")).timestamp()) * 10**9
SATURDAY_NOON = int(dt.datetime(2026, 3, 7, 12, tzinfo=ZoneInfo("America/New_York")).timestamp()) * 10**9


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    history = ecb.load()
    return calibrate(history, history.current(), window_days=780, half_life_days=120)


@pytest.fixture(scope="module")
def market(calibration: Calibration) -> Market:
    return Market(calibration, seed=4)


DAYS = 400_000


@pytest.fixture(scope="module")
def daily(market: Market) -> np.ndarray:
    """Returns of many days, one part each, from one seed."""
    return market.moves(np.random.default_rng(11), DAYS, DAYS, 1.0, FLAT)


def test_the_same_seed_gives_the_same_market(calibration: Calibration) -> None:
    """Paths are reproducible, and another seed gives another path."""
    ends = []
    for seed in (1, 1, 2):
        market = Market(calibration, seed)
        state = market.start()
        for _ in range(50):
            state, _ = market.path(state, 0.1, 3)
        ends.append(state.log_rates)
    assert (ends[0] == ends[1]).all()
    assert (ends[0] != ends[2]).all()


def test_a_path_continues_from_any_state(calibration: Calibration) -> None:
    """Another instance that takes over at step 20 draws what the first one would have drawn, at any hour."""
    first, second = Market(calibration, 9), Market(calibration, 9)
    busy, state = Seasonality(weekends=False).at(TUESDAY_9AM), first.start()
    for _ in range(20):
        state, _ = first.path(state, 0.1, 2, 1.0, busy)
    continued = second.path(state, 0.1, 5, 1.0, busy)
    assert continued[0].step == 21
    assert (continued[1] == first.path(state, 0.1, 5, 1.0, busy)[1]).all()


def test_a_step_is_its_parts(market: Market) -> None:
    """The state is the end of the last part, the numeraire's column stays 0, and without time nothing moves."""
    start = market.start()
    state, path = market.path(start, 1.0, 7)
    assert path.shape == (7, len(start.log_rates) + 1)
    assert (path[-1, :-1] == state.log_rates).all()
    assert (path[:, -1] == 0.0).all()
    assert len(np.unique(path[:, 0])) == 7
    still, path = market.path(start, 0.0, 2)
    assert still is start
    assert (path[1, :-1] == start.log_rates).all()


def test_a_day_has_the_covariance_of_the_history(calibration: Calibration, daily: np.ndarray) -> None:
    """Over 400,000 days volatilities are within 3 %, correlations within 0.03. Tails make the estimates no better."""
    assert daily.std(axis=0) == pytest.approx(calibration.daily_volatility, rel=0.03)
    assert np.abs(np.corrcoef(daily.T) - calibration.correlation).max() < 0.03


def test_a_day_has_the_tails_of_the_history(calibration: Calibration, market: Market, daily: np.ndarray) -> None:
    """The model's excess kurtosis is the history's within 1 %, and that of 400,000 simulated days within four of its
    standard errors, which come from 200 blocks of them."""
    wanted = calibration.excess_kurtosis
    assert wanted.max() > 20.0
    assert wanted.min() > 1.0
    assert market.jumps.excess_kurtosis == pytest.approx(wanted, rel=0.01)
    scaled = daily / calibration.daily_volatility
    error = (scaled**4).reshape(200, -1, len(wanted)).mean(axis=1).std(axis=0) / np.sqrt(200)
    found = (scaled**4).mean(axis=0) / (scaled**2).mean(axis=0) ** 2 - 3.0
    assert (np.abs(found - wanted) < 4.0 * error).all()
    assert (error < 0.15 * wanted).mean() > 0.9


def test_rates_are_martingales(market: Market) -> None:
    """exp of a move has a mean of 1 within four standard errors, at ten times the volatility too."""
    for multiplier in (1.0, 10.0):
        growth = np.expm1(market.moves(np.random.default_rng(3), 200_000, 200_000, multiplier, FLAT))
        error = growth.std(axis=0) / np.sqrt(len(growth))
        assert (np.abs(growth.mean(axis=0)) < 4.0 * error).all()


def test_pegs_hold_at_every_hour_and_in_every_jump(calibration: Calibration, market: Market) -> None:
    """USD/HKD moves at most twice as much, against EUR/USD, as in a day of the history, at any hour and in any news."""
    usd, hkd = (calibration.currencies.index(code) for code in ("USD", "HKD"))
    own, pegged = calibration.daily_volatility[[usd, hkd]]
    apart = np.sqrt(own**2 + pegged**2 - 2 * own * pegged * calibration.correlation[usd, hkd]) / own
    assert apart < 0.15
    season = Seasonality(weekends=False)
    for hour in range(24):
        moves = market.moves(np.random.default_rng(hour), 20_000, 20_000, 1.0, season.at(TUESDAY_9AM + hour * HOUR_NS))
        assert (moves[:, hkd] - moves[:, usd]).std() < 2 * apart * moves[:, usd].std()


def test_the_hours_are_in_the_moves(calibration: Calibration, market: Market) -> None:
    """EUR/USD moves at 09:00 in New York at least four times as much as at 23:00, in variance, and less than the table
    says of America alone, because news of other regions moves it too; a closed market does not move at all."""
    usd = calibration.currencies.index("USD")
    season = Seasonality(weekends=True)
    busy, quiet = season.at(TUESDAY_9AM), season.at(TUESDAY_9AM + 14 * HOUR_NS)
    variances = [
        market.moves(np.random.default_rng(8), 100_000, 100_000, 1.0, each)[:, usd].var() for each in (busy, quiet)
    ]
    expected = busy.variance[Region.AMERICA] / quiet.variance[Region.AMERICA]
    assert 4.0 < variances[0] / variances[1] < expected
    assert (market.moves(np.random.default_rng(8), 1.0, 10, 1.0, season.at(SATURDAY_NOON)) == 0.0).all()


def test_time_is_limited(market: Market) -> None:
    """A pause of a night moves the market no further than a minute does."""
    start = market.start()
    assert (market.path(start, 1e9)[0].log_rates == market.path(start, ELAPSED_S_MAX)[0].log_rates).all()
    assert (market.path(start, 30.0)[0].log_rates != market.path(start, ELAPSED_S_MAX)[0].log_rates).all()


def test_no_triangle_pays(calibration: Calibration) -> None:
    """Around any three currencies mids multiply to one, and dealing at bids never returns more than was put in."""
    market = Market(calibration, 1)
    state, _ = market.path(market.start(), 60.0)
    codes = ["EUR", *calibration.currencies]
    for a in codes[::3]:
        for b in codes[::4]:
            for c in codes[::5]:
                if len({a, b, c}) == 3:
                    legs = [(a, b), (b, c), (c, a)]
                    mids = [market.mid(state, *leg) for leg in legs]
                    bids = [
                        liquidity.two_sided(m, liquidity.terms(*leg).spread_bp, 1e8)[0]
                        for m, leg in zip(mids, legs, strict=True)
                    ]
                    assert np.prod(mids) == pytest.approx(1.0, rel=1e-12)
                    assert np.prod(bids) <= 1.0


@given(st.floats(1e-3, 1e5), st.floats(0.1, 500.0), st.integers(0, 7))
def test_a_quote_is_two_sided(mid: float, spread_bp: float, precision: int) -> None:
    """Bid below ask, both on the price grid and positive; the mid lies between unless it is below the grid itself."""
    bid, ask = liquidity.two_sided(mid, spread_bp, 10.0**precision)
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
    """Over 1,100 turns, pairs of weights 8, 2 and 1 come 800, 200 and 100 times, evenly: no ten turns have more than
    eight of the first or three of the second."""
    rotation = liquidity.Rotation({"A": 8, "B": 2, "C": 1})
    turns = [int(turn) for count in (1, 9, 90, 1_000) for turn in rotation.take(count)]
    assert [turns.count(index) for index in range(3)] == [800, 200, 100]
    for begin in range(1_090):
        part = turns[begin : begin + 10]
        assert part.count(0) <= 8
        assert part.count(1) <= 3
    assert not len(liquidity.Rotation({}).take(3))


@given(st.dictionaries(st.text("ABCDEFGH", min_size=1, max_size=2), st.integers(1, 12), min_size=1, max_size=12))
def test_the_gap_of_a_rotation_is_kept(weights: dict[str, int]) -> None:
    """No pair comes again within `gap` turns, over any border, and some pair comes right after them."""
    rotation = liquidity.Rotation(weights)
    turns = np.concatenate([rotation.take(7) for _ in range(60)])
    gaps = [np.diff(np.flatnonzero(turns == index)) for index in range(len(weights))]
    found = [gap.min() for gap in gaps if len(gap)]
    assert min(found, default=rotation.gap) >= rotation.gap
    assert len(turns) < 2 * sum(weights.values()) or min(found) == rotation.gap


def test_quiet_hours_widen_what_is_dealt_less() -> None:
    """Majors keep their spread, the others' grows as activity falls."""
    assert liquidity.quiet_spread("EUR", "USD", 0.3) == 1.0
    assert liquidity.quiet_spread("USD", "ZAR", 0.5) == pytest.approx(2**0.25)
    assert liquidity.quiet_spread("USD", "ZAR", 2.0) < 1.0 < liquidity.quiet_spread("EUR", "SEK", 0.3)
