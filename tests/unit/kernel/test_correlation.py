"""Factors of correlation matrices, and the nearest one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.kernel import ArgumentError, Reason, ShapeError, correlation, path


def sample(size: int, observations: int, seed: int) -> np.ndarray:
    """A correlation matrix of so many observations; singular if they are fewer than the variables."""
    rows = np.random.default_rng(seed).standard_normal((size, observations))
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    matrix = rows @ rows.T
    np.fill_diagonal(matrix, 1.0)
    return np.clip(0.5 * (matrix + matrix.T), -1, 1)


@given(size=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_the_factor_reproduces_the_matrix_on_all_builds(size: int, seed: int) -> None:
    """L is lower triangular, not negative on its diagonal, L L' is C, and builds agree."""
    matrix = sample(size, 40, seed)
    found = []
    for build in path.paths():
        with path.using(build):
            found.append(correlation.factor(matrix))
    for each in found:
        assert np.array_equal(each, np.tril(each))
        assert np.all(np.diag(each) >= 0.0)
        assert np.max(np.abs(each @ each.T - matrix)) <= size * 2.0**-50
        assert np.max(np.abs(each - found[0])) <= 1e-13


def test_a_semi_definite_matrix_has_a_factor(build: str) -> None:
    """Twins, opposites and fewer observations than variables are accepted and reproduced."""
    twins = np.array([[1.0, 1.0, 0.3], [1.0, 1.0, 0.3], [0.3, 0.3, 1.0]])
    opposites = np.array([[1.0, -1.0], [-1.0, 1.0]])
    for matrix in (twins, opposites, np.ones((5, 5))):
        found = correlation.factor(matrix)
        assert np.max(np.abs(found @ found.T - matrix)) <= 1e-15
    matrix = sample(8, 4, 11)
    found = correlation.factor(matrix)
    assert np.max(np.abs(found @ found.T - matrix)) <= 1e-7


@pytest.mark.parametrize(
    ("matrix", "row"),
    [
        ([[1, 1, 0], [1, 1, 1], [0, 1, 1]], 2),
        ([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]], 2),
        ([[1, 0.5, 0.5, 0], [0.5, 1, 0.9, 0.9], [0.5, 0.9, 1, -0.9], [0, 0.9, -0.9, 1]], 3),
    ],
)
def test_an_indefinite_matrix_is_refused_with_its_row(build: str, matrix: list[list[float]], row: int) -> None:
    """The error names the first row whose leading minor is negative, and the remedy."""
    minors = [np.linalg.det(np.array(matrix, float)[: k + 1, : k + 1]) for k in range(len(matrix))]
    assert row == next((k for k, minor in enumerate(minors) if minor < -1e-12), None)
    with pytest.raises(ArgumentError, match=rf"correlation\[{row}\].*correlation.nearest") as caught:
        correlation.factor(np.array(matrix, float))
    assert caught.value.reason == Reason.NOT_PSD


@pytest.mark.parametrize(
    ("matrix", "index", "reason"),
    [
        ([[1.0, np.nan], [np.nan, 1.0]], (0, 1), Reason.NOT_FINITE),
        ([[1.0, 1.2], [1.2, 1.0]], (0, 1), Reason.OUT_OF_RANGE),
        ([[1.0, 0.2], [0.3, 1.0]], (0, 1), Reason.INCONSISTENT),
        ([[1.0, 0.2], [0.2, 0.9]], (1, 1), Reason.INCONSISTENT),
    ],
)
def test_what_is_no_correlation_is_refused(build: str, matrix: object, index: tuple, reason: Reason) -> None:
    """The error names row and column."""
    with pytest.raises(ArgumentError) as caught:
        correlation.factor(np.array(matrix))
    assert (caught.value.index, caught.value.reason) == (index, reason)


def test_a_matrix_is_square(build: str) -> None:
    """Another shape is refused by name."""
    with pytest.raises(ShapeError, match=r"correlation has shape \(2, 3\)"):
        correlation.factor(np.ones((2, 3)))


def test_the_nearest_matrix_of_highams_example(build: str) -> None:
    """Higham (2002), section 4, prints the answer for tridiag(1, 1, 1) of order 3 to four digits."""
    found = correlation.nearest(np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]]), tolerance=1e-13, iterations=5000)
    expected = np.array([[1, 0.7607, 0.1573], [0.7607, 1, 0.7607], [0.1573, 0.7607, 1]])
    assert np.max(np.abs(found - expected)) <= 5.1e-5


def test_the_nearest_matrix_meets_the_conditions_of_the_optimum(build: str) -> None:
    """The residual less a diagonal is semi-definite and orthogonal to the result (Higham 2002, theorem 2.4)."""
    rng = np.random.default_rng(3)
    matrix = rng.uniform(-1, 1, (9, 9))
    matrix = 0.5 * (matrix + matrix.T)
    np.fill_diagonal(matrix, 1.0)
    found = correlation.nearest(matrix, tolerance=1e-13, iterations=20_000)
    assert np.array_equal(np.diag(found), np.ones(9))
    assert np.array_equal(found, found.T)
    assert np.linalg.eigvalsh(found).min() >= -1e-13
    residual = found - matrix
    residual -= np.diag(np.sum(residual * found, axis=1))
    assert np.linalg.eigvalsh(residual).min() >= -1e-9
    assert abs(np.sum(residual * found)) <= 1e-9
    correlation.factor(found)


def test_a_correlation_matrix_is_its_own_nearest(build: str) -> None:
    """What is fine stays as it is."""
    matrix = sample(7, 30, 5)
    assert np.max(np.abs(correlation.nearest(matrix) - matrix)) <= 1e-13


def test_too_few_iterations_are_said(build: str) -> None:
    """An iteration that has not converged gives an error, not a matrix."""
    with pytest.raises(ArgumentError, match="iterations is 2") as caught:
        correlation.nearest(np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]]), iterations=2)
    assert caught.value.reason == Reason.NOT_CONVERGED
