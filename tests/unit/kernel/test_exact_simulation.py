"""Paths and estimates against the same schemes in fifty digits, from the same random numbers: the stated bounds."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from crossrate.kernel import correlation, heston, local_volatility, monte_carlo, normal, paths, random, sobol
from crossrate.kernel.monte_carlo import Product
from tests.unit.kernel.exact import relative

DIGITS = 50
TIMES = np.array([0.25, 0.5, 1.0])
WIDTHS = np.diff(TIMES, prepend=0.0)


def exactly(values: np.ndarray) -> list[list[mpf]]:
    """Rows of doubles as exact numbers."""
    return [[mpf(each) for each in row] for row in values.tolist()]


def test_geometric_brownian_motions_are_exact(build: str) -> None:
    """Two correlated levels are within 1e-13 of the exponential of their normals."""
    z = exactly(random.normals(40, 6, seed=5))
    rough = np.array([[1.0, 0.6], [0.6, 1.0]])
    found = paths.gbm([1.1, 150.0], [0.02, -0.01], [0.15, 0.3], TIMES, 40, seed=5, correlation=rough)
    with mpmath.workdps(DIGITS):
        for p in range(40):
            logs = [mpf(0), mpf(0)]
            for k, dt in enumerate(map(mpf, WIDTHS.tolist())):
                first, second = z[2 * k][p], z[2 * k + 1][p]
                moved = [first, mpf(0.6) * first + mpmath.sqrt(1 - mpf(0.6) ** 2) * second]
                for a, (mu, v, s) in enumerate(((0.02, 0.15, 1.1), (-0.01, 0.3, 150.0))):
                    logs[a] += (mpf(mu) - mpf(v) ** 2 / 2) * dt + mpf(v) * mpmath.sqrt(dt) * moved[a]
                    assert relative(found[k, a, p], mpf(s) * mpmath.exp(logs[a])) < 1e-13


def qe_step(x: mpf, v: mpf, z: tuple[mpf, mpf], u: mpf, dt: mpf, model: tuple[float, ...]) -> tuple[mpf, mpf]:
    """Andersen's step with martingale correction, as his sections 3.2.4 and 4.3.2 have it."""
    kappa, theta, eps, rho = map(mpf, model)
    decay = mpmath.exp(-kappa * dt)
    m = theta + (v - theta) * decay
    s2 = v * eps**2 * decay / kappa * (1 - decay) + theta * eps**2 / (2 * kappa) * (1 - decay) ** 2
    psi = s2 / m**2
    k1 = dt / 2 * (kappa * rho / eps - mpf(1) / 2) - rho / eps
    k2 = dt / 2 * (kappa * rho / eps - mpf(1) / 2) + rho / eps
    k3 = k4 = dt / 2 * (1 - rho**2)
    a_ = k2 + k4 / 2
    if psi <= 1.5:
        b2 = 2 / psi - 1 + mpmath.sqrt(2 / psi) * mpmath.sqrt(2 / psi - 1)
        a = m / (1 + b2)
        following = a * (mpmath.sqrt(b2) + z[0]) ** 2
        mean = a_ * b2 * a / (1 - 2 * a_ * a) - mpmath.log(1 - 2 * a_ * a) / 2
    else:
        p = (psi - 1) / (psi + 1)
        beta = (1 - p) / m
        following = mpmath.log((1 - p) / (1 - u)) / beta if u > p else mpf(0)
        mean = mpmath.log(p + beta * (1 - p) / (beta - a_))
    k0 = -mean - (k1 + k3 / 2) * v
    return x + k0 + k1 * v + k2 * following + mpmath.sqrt(k3 * v + k4 * following) * z[1], following


@pytest.mark.parametrize("model", [(0.5, 0.04, 1.0, -0.9), (1.5, 0.015, 0.3, 0.4)])
def test_hestons_paths_are_exact_for_their_scheme(build: str, model: tuple[float, ...]) -> None:
    """Over three steps levels and variances are within 1e-13 of Andersen's scheme; a variance below 1e-4, of 1e-4."""
    count = 60
    draws = exactly(np.vstack([random.normals(count, 4, seed=5, first_step=step) for step in (0, 6)]))
    uniform = exactly(np.vstack([random.uniforms(count, 2, seed=5, first_step=step) for step in (4, 10)]))
    found, variances = heston.paths(1.1, 0.02, 0.04, *model, TIMES, count, seed=5)
    with mpmath.workdps(DIGITS):
        for p in range(count):
            x, v = mpf(0), mpf(0.04)
            for k, dt in enumerate(map(mpf, WIDTHS.tolist())):
                row = 4 * (k // 2) + 2 * (k % 2)
                z = draws[row][p], draws[row + 1][p]
                x, v = qe_step(x, v, z, uniform[2 * (k // 2) + k % 2][p], dt, model)
                x += mpf(0.02) * dt
                assert relative(found[k, p], mpf(1.1) * mpmath.exp(x)) < 1e-13
                assert relative(variances[k, p], v, max(v, mpf(1e-4))) < 1e-13


def test_paths_under_local_volatility_are_exact_for_their_scheme(build: str) -> None:
    """Over three steps levels are within 1e-13 of the log-Euler scheme."""
    points = np.linspace(-1.0, 1.0, 9)
    skew = np.outer([1.0, 1.3], 0.15 - 0.05 * points + 0.1 * points**2)
    found = local_volatility.paths(1.1, 0.02, [0.25, 1.0], points, skew, TIMES, 40, seed=8)
    z = exactly(random.normals(40, 3, seed=8))
    g = exactly(skew)
    with mpmath.workdps(DIGITS):
        for p in range(40):
            y, grown, t = mpf(0), mpf(0), mpf(0)
            for k, dt in enumerate(map(mpf, WIDTHS.tolist())):
                middle = t + dt / 2
                share = min(max((middle - mpf(0.25)) / mpf(0.75), mpf(0)), mpf(1))
                row = [a + share * (b - a) for a, b in zip(*g, strict=True)]
                j = min(max(int(mpmath.floor((y + 1) * 4)), 0), 7)
                part = min(max((y - mpf(points[j])) / (mpf(points[j + 1]) - mpf(points[j])), mpf(0)), mpf(1))
                v = row[j] + part * (row[j + 1] - row[j])
                y += v * mpmath.sqrt(dt) * z[k][p] - v * v * dt / 2
                grown += mpf(0.02) * dt
                t += dt
                assert relative(found[k, p], mpf(1.1) * mpmath.exp(grown + y)) < 1e-13


@pytest.mark.parametrize("product", Product)
def test_simulated_prices_are_exact_for_their_paths(build: str, product: Product) -> None:
    """The plain price is within 1e-14 of the spot, its standard error within 1e-12 of itself."""
    samples = 200
    found = monte_carlo.price(product, 1, 1.1, 1.12, 0.15, 0.03, 0.01, TIMES, samples, seed=17, antithetic=False)
    z = exactly(random.normals(samples, 3, seed=17))
    with mpmath.workdps(DIGITS):
        paid = []
        for p in range(samples):
            x, logs = mpf(0), []
            for k, dt in enumerate(map(mpf, WIDTHS.tolist())):
                x += (mpf(0.03) - mpf(0.01) - mpf(0.15) ** 2 / 2) * dt + mpf(0.15) * mpmath.sqrt(dt) * z[k][p]
                logs.append(x)
            settled = mpmath.exp(logs[-1]), sum(map(mpmath.exp, logs)) / 3, mpmath.exp(sum(logs) / 3)
            paid.append(mpmath.exp(-mpf(0.03)) * max(mpf(1.1) * settled[product] - mpf(1.12), mpf(0)))
        mean = sum(paid) / samples
        error = mpmath.sqrt(sum((each - mean) ** 2 for each in paid) / (samples - 1) / samples)
        assert relative(found.plain_price, mean, 1.1) < 1e-14
        assert relative(found.plain_standard_error, error) < 1e-12


def test_quasi_random_normals_are_exact(build: str) -> None:
    """They are within 1e-15 of the normal quantiles of the points."""
    points, found = (draw(100, 3, scramble="matrix", seed=4) for draw in (sobol.points, sobol.normals))
    with mpmath.workdps(DIGITS):
        for u, z in zip(points.reshape(-1).tolist(), found.reshape(-1).tolist(), strict=True):
            assert relative(z, mpmath.sqrt(2) * mpmath.erfinv(2 * mpf(u) - 1)) < 1e-15


def test_bridges_are_exact(build: str) -> None:
    """A Brownian motion by bridges is within 1e-15 of the root of the last time of the textbook's conditional law."""
    times = np.array([0.1, 0.3, 0.55, 1.0, 2.5])
    z = normal.quantile(random.uniforms(20, 5, seed=1))
    motion = sobol.bridge(z, times)
    order, left, right, *_ = sobol.bridge_plan(times)
    with mpmath.workdps(DIGITS):
        t = [*map(mpf, times.tolist()), mpf(0)]  # at place -1 stands time zero
        for p in range(20):
            w: dict[int, mpf] = {-1: mpf(0)}
            for i, (row, a, b) in enumerate(zip(order.tolist(), left.tolist(), right.tolist(), strict=True)):
                before, after = t[row] - t[a], t[b] - t[row]
                mean, variance = w[a], before
                if b >= 0:
                    mean = (after * w[a] + before * w[b]) / (before + after)
                    variance = before * after / (before + after)
                w[row] = mean + mpmath.sqrt(variance) * mpf(float(z[i, p]))
            for row in range(5):
                assert relative(motion[row, p], w[row], mpmath.sqrt(t[4])) < 1e-15


def test_factors_reproduce_their_matrix(build: str) -> None:
    """L L' is the correlation matrix within size × 2**-50, in rational numbers."""
    mixed = np.random.default_rng(3).standard_normal((12, 20))
    covariance = mixed @ mixed.T
    scale = np.sqrt(np.diag(covariance))
    matrix = covariance / np.outer(scale, scale)
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1.0)
    found = [[Fraction(each) for each in row] for row in correlation.factor(matrix).tolist()]
    for i in range(12):
        for j in range(12):
            product = sum(a * b for a, b in zip(found[i], found[j], strict=True))
            assert abs(product - Fraction(float(matrix[i, j]))) < 12 * Fraction(1, 2**50)
