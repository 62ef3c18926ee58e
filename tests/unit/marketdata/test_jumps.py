"""Jumps that have the tails of a history."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.marketdata.domain.calibration import excess_kurtosis
from services.marketdata.domain.jumps import PER_DAY_MAX, SHARE_MAX, fit, least_squares


def correlation(count: int, seed: int) -> np.ndarray:
    """A random one, positive definite."""
    factors = np.random.default_rng(seed).standard_normal((count, count + 2))
    covariance = factors @ factors.T
    scale = np.sqrt(np.diag(covariance))
    return covariance / np.outer(scale, scale)


def test_least_squares_finds_what_is_there() -> None:
    """A solution without negative parts is found, and where the free one is negative the bound holds."""
    draws = np.random.default_rng(5)
    matrix, x = draws.standard_normal((12, 6)), np.array([0.0, 1.0, 2.0, 0.0, 0.5, 3.0])
    assert least_squares(matrix, matrix @ x) == pytest.approx(x, abs=1e-6)
    assert (least_squares(np.eye(3), np.array([1.0, -2.0, 3.0])) == [1.0, 0.0, 3.0]).all()
    assert (least_squares(np.zeros((2, 2)), np.ones(2)) == 0.0).all()


@settings(deadline=None)
@given(st.integers(1, 8), st.integers(0, 10_000), st.lists(st.floats(-1.0, 200.0), min_size=8, max_size=8))
def test_diffusion_is_what_jumps_leave(count: int, seed: int, tails: list[float]) -> None:
    """Diffusion and jumps together are the correlation; the diffusion is positive definite and keeps its share in every
    direction, whatever tails are asked for."""
    matrix = correlation(count, seed)
    found = fit(matrix, np.array(tails[:count]))
    jumped = (found.loading * found.per_day[:, None]).T @ found.loading
    assert found.diffusion + jumped == pytest.approx(matrix, abs=1e-12)
    half = np.linalg.inv(np.linalg.cholesky(matrix))
    assert np.linalg.eigvalsh(half @ found.diffusion @ half.T)[0] >= 1.0 - SHARE_MAX - 1e-6
    assert (found.per_day <= PER_DAY_MAX).all()
    assert 3.0 * (found.loading**4).T @ found.per_day == pytest.approx(found.excess_kurtosis, rel=1e-9, abs=1e-12)


def test_unrelated_currencies_have_exactly_their_tails() -> None:
    """Without correlation every kurtosis is met; none makes no jumps."""
    wanted = np.array([0.5, 3.0, 40.0])
    assert fit(np.eye(3), wanted).excess_kurtosis == pytest.approx(wanted, rel=1e-6)
    none = fit(np.eye(3), np.zeros(3))
    assert len(none.per_day) == 0
    assert (none.diffusion == np.eye(3)).all()


def test_pegged_currencies_jump_together() -> None:
    """At a correlation of 0.999 every jump moves both alike, but for what is left of 4.5 %."""
    matrix = np.array([[1.0, 0.999], [0.999, 1.0]])
    found = fit(matrix, np.array([5.0, 5.0]))
    assert found.excess_kurtosis == pytest.approx([5.0, 5.0], rel=0.01)
    apart = np.abs(found.loading[:, 0] - found.loading[:, 1])
    assert (found.per_day @ apart**2) < 0.01 * (found.per_day @ found.loading[:, 0] ** 2)


def test_kurtosis_of_known_laws() -> None:
    """0 of a normal law, 3 of a Laplace law, holes left out; 0 where nothing moves."""
    draws = np.random.default_rng(2)
    returns = np.column_stack([draws.standard_normal(400_000), draws.laplace(size=400_000), np.zeros(400_000)])
    returns[::7] = np.nan
    assert excess_kurtosis(returns) == pytest.approx([0.0, 3.0, 0.0], abs=0.15)
