"""Volatilities and correlations: recovered from data whose truth is known, and repaired where data disagree."""

import numpy as np
import pytest

from services.marketdata import ecb
from services.marketdata.domain import calibration as cal
from services.marketdata.domain.history import History


def history_of(returns: np.ndarray, codes: list[str]) -> History:
    """A history whose log returns against EUR are those given, shape (days, n)."""
    rates = np.exp(np.vstack([np.zeros(returns.shape[1]), np.nancumsum(returns, axis=0)]))
    dates = np.datetime64("2020-01-01") + np.arange(len(rates))
    order = np.argsort([*codes, "EUR"])
    table = np.column_stack([rates, np.ones(len(rates))])[:, order]
    return History("EUR", tuple(np.array([*codes, "EUR"])[order]), dates, table, "test")


def test_known_volatilities_and_correlations_are_recovered() -> None:
    """From 20,000 days the estimate is within three standard errors of the truth."""
    truth = np.array([[1.0, 0.8, -0.3], [0.8, 1.0, 0.1], [-0.3, 0.1, 1.0]])
    volatility = np.array([0.004, 0.007, 0.001])
    draws = np.random.default_rng(7).standard_normal((20_000, 3)) @ np.linalg.cholesky(truth).T * volatility
    found = cal.calibrate(
        history_of(draws, ["AAA", "BBB", "CCC"]), ["AAA", "BBB", "CCC"], window_days=20_000, half_life_days=None
    )
    assert found.daily_volatility == pytest.approx(volatility, rel=3 / np.sqrt(2 * 20_000))
    assert np.abs(found.correlation - truth).max() < 3 / np.sqrt(20_000)


def test_recent_days_weigh_more_with_a_half_life() -> None:
    """After the volatility doubled, a short half-life sees the new one and equal weights a mixture."""
    draws = (
        np.random.default_rng(3).standard_normal((2_000, 1))
        * np.r_[np.full(1_000, 0.005), np.full(1_000, 0.01)][:, None]
    )
    history = history_of(draws, ["AAA"])
    recent = cal.calibrate(history, ["AAA"], window_days=2_000, half_life_days=100).daily_volatility[0]
    equal = cal.calibrate(history, ["AAA"], window_days=2_000, half_life_days=None).daily_volatility[0]
    assert recent == pytest.approx(0.01, rel=0.15)
    assert equal == pytest.approx(np.sqrt((0.005**2 + 0.01**2) / 2), rel=0.06)


def test_pairwise_estimates_equal_a_loop_over_common_days() -> None:
    """With holes anywhere, each entry is the weighted correlation over the days that both have."""
    rng = np.random.default_rng(11)
    returns = rng.standard_normal((300, 4))
    returns[rng.random((300, 4)) < 0.2] = np.nan
    weight = cal.weights(300, 50.0)
    deviation, correlation, count = cal.pairwise(returns, weight)
    for i in range(4):
        own = ~np.isnan(returns[:, i])
        assert deviation[i] == pytest.approx(np.sqrt(np.average(returns[own, i] ** 2, weights=weight[own])))
        for j in range(4):
            both = own & ~np.isnan(returns[:, j])
            x, y, w = returns[both, i], returns[both, j], weight[both]
            assert count[i, j] == both.sum()
            assert correlation[i, j] == pytest.approx(
                (w * x * y).sum() / np.sqrt((w * x * x).sum() * (w * y * y).sum())
            )


def test_no_return_is_taken_across_a_hole() -> None:
    """A missing day costs two returns, not one long one."""
    rates = np.array([[1.0], [1.1], [np.nan], [1.3], [1.4]])
    assert np.isnan(cal.log_returns(rates)[:, 0]).tolist() == [False, True, True, False]


def test_the_nearest_correlation_matrix_is_highams() -> None:
    """Higham's example (2002, section 4): 0.7607 and 0.1573 to four places."""
    found = cal.nearest_correlation(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]]))
    assert found[0, 1] == pytest.approx(0.7607, abs=5e-5)
    assert found[0, 2] == pytest.approx(0.1573, abs=5e-5)


def test_a_repaired_matrix_has_a_cholesky_factor() -> None:
    """Any symmetric matrix with a unit diagonal becomes a correlation matrix that is positive definite."""
    rng = np.random.default_rng(5)
    for size in (2, 5, 40):
        raw = rng.uniform(-1, 1, (size, size))
        raw = np.triu(raw, 1) + np.triu(raw, 1).T + np.eye(size)
        found = cal.nearest_correlation(raw)
        assert (np.diag(found) == 1.0).all()
        assert (found == found.T).all()
        assert np.abs(found).max() <= 1.0
        factor = np.linalg.cholesky(found)
        assert np.abs(factor @ factor.T - found).max() < 1e-12


def test_a_positive_definite_matrix_is_left_alone() -> None:
    """Repair changes nothing that is right."""
    good = np.array([[1.0, 0.3], [0.3, 1.0]])
    assert (cal.nearest_correlation(good) == good).all()


def test_the_banks_history_gives_what_markets_show() -> None:
    """The Danish krone is pegged to the euro, the Hong Kong dollar to the dollar."""
    history = ecb.load()
    found = cal.calibrate(history, history.current(), window_days=780, half_life_days=120)
    at = found.currencies.index
    assert len(found.currencies) == len(history.current()) - 1
    assert found.daily_volatility[at("DKK")] < 0.1 * found.daily_volatility[at("USD")]
    assert found.correlation[at("USD"), at("HKD")] > 0.95


def test_too_little_history_is_refused_by_name() -> None:
    """A currency that ended, is unknown or is too young is named."""
    history = ecb.load()
    with pytest.raises(cal.CalibrationError, match="SKK"):
        cal.calibrate(history, ["SKK", "USD"], window_days=780, half_life_days=None)
    with pytest.raises(cal.CalibrationError, match="XXX"):
        cal.calibrate(history, ["XXX"], window_days=780, half_life_days=None)
    with pytest.raises(cal.CalibrationError, match="USD: 30 returns"):
        cal.calibrate(history, ["USD"], window_days=30, half_life_days=None)
