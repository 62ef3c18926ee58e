"""Volatilities and correlations, estimated and given."""

from __future__ import annotations

import numpy as np
import pytest

from crossrate.kernel import series
from services.risk.domain.covariance import Estimator, Model, given
from services.risk.domain.refusal import Refused
from services.risk.domain.simulation import Draws, moves

NAMES = ("GBP", "JPY", "USD")
RETURNS = (
    np.random.default_rng(4).multivariate_normal([0, 0, 0], 1e-5 * np.array([[3, 1, 1], [1, 5, 2], [1, 2, 4]]), 400).T
)


def estimator(model: Model, decay: float | None = None) -> Estimator:
    """An estimator of a message called `estimated`."""
    return Estimator(model, decay, "estimated")


def test_a_sample_is_the_mean_of_products() -> None:
    """Around a mean of zero, of all days the same."""
    found = estimator(Model.SAMPLE).estimate(NAMES, RETURNS)
    assert np.allclose(found.matrix(), RETURNS @ RETURNS.T / 400, rtol=1e-12)


def test_exponential_weights_are_the_recursion_s() -> None:
    """The variance of each day is that of RiskMetrics' recursion from zero, over the weights that it has so far."""
    found = estimator(Model.EXPONENTIALLY_WEIGHTED, 0.9).estimate(NAMES, RETURNS, history=True)
    variance, every = 0.0, []
    for i, move in enumerate(RETURNS[1]):
        variance = 0.9 * variance + 0.1 * move * move
        every.append(np.sqrt(variance / (1 - 0.9 ** (i + 1))))
    assert np.allclose(found.history[1], every[:-1], rtol=1e-12)
    assert found.volatility[1] == pytest.approx(every[-1], rel=1e-12)
    assert estimator(Model.EXPONENTIALLY_WEIGHTED).decay_used == 0.94


def test_garch_is_the_kernel_s_with_constant_correlations() -> None:
    """Each row has its own model; correlations are those of moves over their volatilities."""
    found = estimator(Model.GARCH).estimate(NAMES, RETURNS, history=True)
    fits = [series.fit_garch(row) for row in RETURNS]
    filtered = [
        series.garch(row, fit.omega, fit.alpha, fit.beta, fit.initial) for row, fit in zip(RETURNS, fits, strict=True)
    ]
    assert np.allclose(found.volatility**2, [each.following[0] for each in filtered], rtol=1e-12)
    assert np.allclose(found.history[2] ** 2, filtered[2].variance[1:], rtol=1e-12)
    standard = [row / np.sqrt(each.variance) for row, each in zip(RETURNS, filtered, strict=True)]
    product = np.array(standard) @ np.array(standard).T
    scale = np.sqrt(np.diagonal(product))
    assert np.allclose(found.correlation, product / np.outer(scale, scale), rtol=0, atol=1e-12)
    assert (found.garch[1].alpha, found.garch[1].beta) == (fits[1].alpha[0], fits[1].beta[0])


@pytest.mark.parametrize("model", list(Model))
def test_a_currency_that_never_moved_has_no_risk(model: Model) -> None:
    """Its volatility and its correlations are zero, in every model; the others are what they are without it."""
    still = np.concatenate([np.zeros((1, 400)), RETURNS])
    found = estimator(model).estimate(("BGN", *NAMES), still)
    alone = estimator(model).estimate(NAMES, RETURNS)
    assert found.volatility[0] == 0.0
    assert np.array_equal(found.correlation[0], [1, 0, 0, 0])
    assert np.array_equal(found.of(NAMES).matrix(), alone.matrix())


def test_what_a_model_does_not_take_is_refused() -> None:
    """A decay without weights, a GARCH of few days, and one that cannot be fitted, by name."""
    with pytest.raises(Refused, match=r"estimated.decay: has a meaning with COVARIANCE_MODEL_EXPONENTIALLY"):
        estimator(Model.SAMPLE, 0.9).check(100, "days")
    with pytest.raises(Refused, match="days: is 49: COVARIANCE_MODEL_GARCH needs at least 50"):
        estimator(Model.GARCH).check(49, "days")
    dead = RETURNS.copy()
    dead[1] = 1e-60
    with pytest.raises(Refused, match=r"estimated.model: a GARCH\(1,1\) could not be fitted to JPY"):
        estimator(Model.GARCH).estimate(NAMES, dead)


def test_a_matrix_that_no_moves_have_is_refused_or_brought_near() -> None:
    """Two currencies that go with a third and against each other: refused by name, or the nearest that is possible."""
    impossible = np.array([1, 0.9, 0.9, 0.9, 1, -0.9, 0.9, -0.9, 1])
    volatility = np.full(3, 0.01)
    with pytest.raises(Refused, match=r"c.correlation: is not positive semi-definite .*nearest_correlation"):
        given(NAMES, volatility, impossible, "c", nearest=False)
    found = given(NAMES, volatility, impossible, "c", nearest=True)
    assert np.linalg.eigvalsh(found.correlation).min() > -1e-9
    assert np.abs(found.correlation - impossible.reshape(3, 3)).max() < 0.5
    with pytest.raises(Refused, match=r"c.correlation\[1\]: is 0.5: the element across"):
        given(NAMES, volatility, np.array([1, 0.5, 0, 0.4, 1, 0, 0, 0, 1]), "c", nearest=False)
    with pytest.raises(Refused, match=r"c.volatility: has 2 elements; 3 currencies need 3"):
        given(NAMES, volatility[:2], impossible, "c", nearest=True)


def test_draws_have_the_covariance_and_are_a_function_of_their_seed() -> None:
    """Of a hundred thousand, each product's mean is within five standard errors; fewer are a beginning of more."""
    covariance = estimator(Model.SAMPLE).estimate(NAMES, RETURNS)
    draws = Draws(100_000, 11, False, "s")
    drawn = moves(covariance, draws.normals(3))
    matrix = covariance.matrix()
    error = np.sqrt((matrix**2 + np.outer(np.diagonal(matrix), np.diagonal(matrix))) / 100_000)
    assert np.all(np.abs(drawn @ drawn.T / 100_000 - matrix) < 5 * error)
    assert np.array_equal(moves(covariance, Draws(500, 11, False, "s").normals(3)), drawn[:, :500])
    assert not np.array_equal(Draws(500, 12, False, "s").normals(3), draws.normals(3)[:, :500])


def test_antithetic_draws_stand_side_by_side() -> None:
    """Each is followed by its opposite; their normals are those of half as many."""
    found = Draws(200, 3, True, "s").normals(2)
    assert np.array_equal(found[:, 1::2], -found[:, ::2])
    assert np.array_equal(found[:, ::2], Draws(100, 3, False, "s").normals(2))
    with pytest.raises(Refused, match=r"s.count: is 201: antithetic"):
        Draws(201, 3, True, "s").check(1)
    with pytest.raises(Refused, match=r"s.count: is 200000: with 200 markets at most 20000"):
        Draws(200_000, 3, True, "s").check(200)
