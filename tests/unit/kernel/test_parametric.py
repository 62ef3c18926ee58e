"""Parametric value at risk against mpmath, scipy, simulated quadratic forms, and Maillard's range."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy import integrate, stats

from crossrate.kernel import ArgumentError, Reason, ShapeError, parametric, path


def market(factors: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Deltas, symmetric gammas of three portfolios, and a covariance."""
    random = np.random.default_rng(seed)
    root = random.standard_normal((factors, factors)) * 0.01
    bends = random.standard_normal((3, factors, factors)) * 4e4
    return random.standard_normal((3, factors)) * 1e3, bends + np.swapaxes(bends, 1, 2), root @ root.T


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.975, 0.99, 0.999, 0.9999, 0.999999])
def test_the_normal_case_is_mpmaths(build: str, confidence: float) -> None:
    """Without skewness and kurtosis: the normal quantile and tail mean, to 1e-13 of the deviation."""
    with mpmath.workdps(40):
        tail = 1 - mpmath.mpf(confidence)
        z = mpmath.sqrt(2) * mpmath.erfinv(1 - 2 * tail)
        es = mpmath.npdf(z) / tail
    found = parametric.cornish_fisher(0.0, 1.0, 0.0, 0.0, confidence)
    assert found[0] == pytest.approx(float(z), rel=2e-14, abs=1e-15)
    assert found[1] == pytest.approx(float(es), rel=2e-14, abs=1e-15)


def test_moments_are_those_of_the_eigenvalues(build: str) -> None:
    """A quadratic form is a sum of independent shifted chi-squares, whose cumulants are known one by one."""
    delta, gamma, covariance = market(6, 1)
    found = parametric.moments(delta, covariance, gamma, drift=np.array([5.0, -3.0, 0.0]))
    root = np.linalg.cholesky(covariance)
    for row in range(3):
        values, vectors = np.linalg.eigh(root.T @ gamma[row] @ root)
        slopes = vectors.T @ root.T @ delta[row]
        k1 = [5.0, -3.0, 0.0][row] + values.sum() / 2
        k2 = np.sum(slopes**2 + values**2 / 2)
        k3 = np.sum(3 * slopes**2 * values + values**3)
        k4 = np.sum(12 * slopes**2 * values**2 + 3 * values**4)
        assert found.mean[row] == pytest.approx(k1, rel=1e-10)
        assert found.deviation[row] == pytest.approx(np.sqrt(k2), rel=1e-10)
        assert found.skewness[row] == pytest.approx(k3 / k2**1.5, rel=1e-9)
        assert found.kurtosis[row] == pytest.approx(k4 / k2**2, rel=1e-9)


def test_a_square_of_a_normal_is_chi_square(build: str) -> None:
    """½ × 2 × x² with unit variance has the moments of scipy's chi-square of one degree."""
    found = parametric.moments(np.zeros(1), np.ones((1, 1)), np.full((1, 1), 2.0))
    mean, variance, skewness, kurtosis = stats.chi2(1).stats("mvsk")
    assert (found.mean, found.deviation**2) == pytest.approx((mean, variance))
    assert (found.skewness, found.kurtosis) == pytest.approx((skewness, kurtosis))


def test_the_expansion_is_close_to_a_simulated_book_inside_of_its_range(build: str) -> None:
    """A book of 30 factors with gammas: both measures within two percent of a quarter million draws."""
    random = np.random.default_rng(2)
    covariance = np.diag(random.uniform(0.5, 1.5, 30)) * 1e-4
    delta, gamma = random.standard_normal((1, 30)) * 1e4, np.diag(random.uniform(-1e6, 2e5, 30))[None]
    found = parametric.moments(delta, covariance, gamma)
    assert parametric.is_valid(found.skewness, found.kurtosis).all()
    assert -1.0 < found.skewness[0] < -0.2
    moves = random.standard_normal((125_000, 30)) * np.sqrt(np.diag(covariance))
    moves = np.concatenate([moves, -moves])
    pnl = moves @ delta[0] + 0.5 * moves**2 @ np.diag(gamma[0])
    var, es = parametric.cornish_fisher(*found, 0.99)
    losses = np.sort(-pnl)[-len(pnl) // 100 :]
    assert var[0] == pytest.approx(losses[0], rel=0.02)
    assert es[0] == pytest.approx(losses.mean(), rel=0.02)
    normal = parametric.normal(delta, covariance)[0]
    assert abs(var[0] - losses[0]) < 0.3 * abs(normal[0] - losses[0])


@pytest.mark.parametrize(("skewness", "kurtosis"), [(0.0, 0.0), (-0.5, 1.0), (0.3, 2.0), (-1.0, 3.0), (0.0, 7.9)])
def test_expected_shortfall_is_the_mean_of_the_expansion_beyond_the_quantile(
    build: str, skewness: float, kurtosis: float
) -> None:
    """The closed form is the integral of value at risk over higher confidences."""

    def loss(q: float) -> float:
        s, k = skewness, kurtosis
        z = q + (q * q - 1) * s / 6 + (q**3 - 3 * q) * k / 24 - (2 * q**3 - 5 * q) * s * s / 36
        return -z * stats.norm.pdf(q)

    wanted = integrate.quad(loss, -40.0, stats.norm.ppf(0.025), epsabs=1e-13)[0] / 0.025
    found = parametric.cornish_fisher(0.0, 1.0, skewness, kurtosis, 0.975)
    assert found[1] == pytest.approx(wanted, rel=1e-9)
    assert found[0] == pytest.approx(loss(stats.norm.ppf(0.025)) / stats.norm.pdf(stats.norm.ppf(0.025)), rel=1e-12)


def test_the_range_is_where_the_expansion_ascends(build: str) -> None:
    """On a grid of moments validity is what a fine derivative shows; at no skewness it ends at a kurtosis of 8."""
    z = np.linspace(-60.0, 60.0, 24_001)
    for skewness in np.linspace(-3.0, 3.0, 25):
        kurtosis = np.linspace(-1.03, 15.0, 33)[:, None]
        slope = 1 + z * skewness / 3 + (z * z - 1) * kurtosis / 8 - (6 * z * z - 5) * skewness**2 / 36
        assert np.array_equal(parametric.is_valid(skewness, kurtosis[:, 0]), (slope >= 0.0).all(axis=1))
    assert parametric.is_valid(0.0, [0.0, 8.0 - 1e-9, 8.0 + 1e-9, -1e-9]).tolist() == [True, True, False, False]


def test_moments_outside_of_the_range_are_refused_or_marked(build: str) -> None:
    """By default an error that names the element; on request a reason, NaN, and the others computed."""
    kurtosis = np.array([1.0, 1.0, 9.0])
    with pytest.raises(
        ArgumentError, match=r"kurtosis\[2\] is 9.0: with this skewness the Cornish-Fisher expansion is"
    ):
        parametric.cornish_fisher(0.0, 1.0, 0.0, kurtosis, 0.99)
    var, es, status = parametric.cornish_fisher(0.0, 1.0, 0.0, kurtosis, 0.99, with_status=True)
    assert status.tolist() == [0, 0, Reason.NO_SOLUTION]
    assert np.isnan([var[2], es[2]]).all()
    assert np.isfinite([var[:2], es[:2]]).all()


def test_matched_parameters_give_the_moments(build: str) -> None:
    """The expansion at the matched parameters has the wanted moments: by quadrature, in and out of the plain range."""
    skewness, kurtosis = np.array([0.0, -0.5, 0.8, -1.2, 0.0, 2.0]), np.array([0.0, 1.0, 2.0, 4.0, 20.0, 9.0])
    s, k, scale = parametric.matched(skewness, kurtosis)
    assert parametric.is_valid(s, k).all()
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    z, weights = nodes[:, None], weights[:, None] / weights.sum()
    w = scale * (z + (z * z - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s * s / 36)
    assert (w * weights).sum(axis=0) == pytest.approx(0.0, abs=1e-10)
    assert (w**2 * weights).sum(axis=0) == pytest.approx(1.0, rel=1e-10)
    assert (w**3 * weights).sum(axis=0) == pytest.approx(skewness, abs=1e-9)
    assert (w**4 * weights).sum(axis=0) - 3.0 == pytest.approx(kurtosis, abs=1e-9)
    assert (s[0], k[0], scale[0]) == (0.0, 0.0, 1.0)
    with pytest.raises(ArgumentError, match=r"kurtosis\[1\] is 0.0: with this skewness"):
        parametric.matched([0.0, 1.0], [0.0, 0.0])
    assert parametric.matched(1.0, 0.0, with_status=True)[3] == Reason.NO_SOLUTION


@pytest.mark.parametrize("loss", [stats.lognorm(0.3), stats.lognorm(0.5), stats.t(6), stats.t(5), stats.logistic()])
def test_matching_is_closer_for_a_fat_tail(build: str, loss: stats.rv_continuous) -> None:
    """For losses of known distributions the matched expansion is a third as far from the quantile as the plain."""
    mean, variance, skewness, kurtosis = (float(each) for each in loss.stats("mvsk"))
    s, k, scale = parametric.matched(-skewness, kurtosis)
    truth = (loss.ppf(0.99) - mean) / np.sqrt(variance)
    plain = parametric.cornish_fisher(0.0, 1.0, -skewness, kurtosis, 0.99)[0]
    better = parametric.cornish_fisher(0.0, scale, s, k, 0.99)[0]
    assert abs(better - truth) < abs(plain - truth) / 3.0
    assert better == pytest.approx(truth, rel=0.1)


def test_a_singular_covariance_is_fine_and_an_indefinite_one_is_not(build: str) -> None:
    """Fewer returns than factors give a singular matrix; one that no returns can have is refused where it shows."""
    few = np.random.default_rng(3).standard_normal((4, 9)) * 0.01
    covariance = few.T @ few / 4
    delta = np.ones(9)
    assert parametric.moments(delta, covariance).deviation == pytest.approx(np.sqrt(delta @ covariance @ delta))
    assert parametric.moments(np.ones(2), np.zeros((2, 2))).deviation == 0.0
    with pytest.raises(ArgumentError, match=r"covariance\[1, 1\] is 1.0: the matrix is not positive semi-definite"):
        parametric.moments(np.ones(2), np.array([[1.0, 1.1], [1.1, 1.0]]))
    with pytest.raises(ArgumentError, match=r"covariance\[1, 0\] is 0.5: the matrix is not positive semi-definite"):
        parametric.moments(np.ones(2), np.array([[0.0, 0.5], [0.5, 1.0]]))
    with pytest.raises(ArgumentError, match=r"covariance\[1, 0\] is 0.2: a covariance matrix must be symmetric"):
        parametric.moments(np.ones(2), np.array([[1.0, 0.1], [0.2, 1.0]]))
    with pytest.raises(ArgumentError, match=r"gamma\[0, 1, 0\] is 3.0: a matrix of second derivatives"):
        parametric.moments(np.ones((1, 2)), np.eye(2), np.array([[[1.0, 2.0], [3.0, 1.0]]]))


def test_no_size_makes_a_nan(build: str) -> None:
    """At the limits of every argument the moments are finite; where there is hardly any risk they are zero."""
    for size, spread in ((1e30, 1e20), (1e-30, 1e-20), (1e30, 1e-300), (0.0, 0.0)):
        found = parametric.moments(np.full(3, size), np.eye(3) * spread, np.eye(3) * size)
        assert np.isfinite(np.array(found)).all()


def test_builds_agree() -> None:
    """Every build gives what the numpy twins give, to 1e-11."""
    delta, gamma, covariance = market(12, 4)
    results = []
    for name in path.paths():
        with path.using(name):
            found = parametric.moments(delta, covariance, gamma)
            measured = parametric.cornish_fisher(10.0, 2.0, -0.3, [0.5, 1.0, 2.0], [0.9, 0.99, 0.9999])
        results.append(np.array([*found, *measured]))
    for each in results[:-1]:
        assert each == pytest.approx(results[-1], rel=1e-11)


def test_what_is_refused_is_named(build: str) -> None:
    """The error names the argument, where it is, and what it must be."""
    with pytest.raises(ArgumentError, match=r"gamma\[0, 1\] is 1e\+31: a second derivative must be"):
        parametric.moments(np.ones(2), np.eye(2), np.array([[0.0, 1e31], [1e31, 0.0]]))
    with pytest.raises(ArgumentError, match=r"delta\[1\] is nan"):
        parametric.moments(np.array([1.0, np.nan]), np.eye(2))
    with pytest.raises(ArgumentError, match=r"deviation is -1.0: it must be a standard deviation"):
        parametric.cornish_fisher(0.0, -1.0, 0.0, 0.0, 0.99)
    with pytest.raises(ShapeError, match=r"covariance has shape \(3, 3\); the deltas ask for \(2, 2\)"):
        parametric.moments(np.ones(2), np.eye(3))
    with pytest.raises(ShapeError, match=r"gamma has shape \(2, 2\); the deltas ask for \(1, 2, 2\)"):
        parametric.moments(np.ones((1, 2)), np.eye(2), np.eye(2))
