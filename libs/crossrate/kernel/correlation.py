"""Correlation matrices: triangular factors for simulation, and the nearest one to a matrix that is none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.draws import whole
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError
from crossrate.kernel.front import numbers, pointer
from crossrate.kernel.reference import correlation as reference

Matrix = NDArray[np.float64]
SIZE_MAX = 4096
ALIKE = 1e-12
ITERATIONS_MAX = 100_000
REPAIR = "the matrix is not positive semi-definite at this row; correlation.nearest gives the closest one that is"


def factor(correlation: Any) -> Matrix:
    """The lower triangular factor L with L L' = C, also for a matrix C that is only semi-definite.

    A pivot within n 2**-40 of zero counts as zero; then what remains of its column, at most sqrt(n 2**-39), is dropped.
    Without such pivots L L' reproduces C within n 2**-50. Rounding in a matrix of deficient rank stays below that.

    Args:
        correlation: shape (n, n), n from 1 to 4096; symmetric, ones on the diagonal, from -1 to 1, each within 1e-12.

    Returns:
        float64, shape (n, n), zeros above the diagonal.

    Raises:
        ArgumentError: the matrix is not positive semi-definite (NOT_PSD, with the first row where that shows), or is
            not one of correlations (with the first offending row and column).
        ShapeError: it is not square.
        TypeError: it is not numeric or has another dtype.
    """
    matrix = _square(correlation)
    _check(matrix, any_diagonal=False)
    if path.is_numpy():
        found, row = reference.factor(matrix)
    else:
        found = np.empty_like(matrix)
        fault = path.lib.xr_correlation_factor(len(matrix), pointer(matrix), pointer(found))
        row = fault & 0xFFFF_FFFF_FFFF if fault else None
    if row is not None:
        raise ArgumentError("correlation", row, Reason.NOT_PSD, matrix[row].tolist()[:8], REPAIR)
    return found


def nearest(correlation: Any, *, tolerance: float = 1e-10, iterations: int = 1000) -> Matrix:
    """The nearest correlation matrix in the Frobenius norm (Higham 2002, algorithm 3.3).

    Args:
        correlation: shape (n, n), symmetric within 1e-12, from -1 to 1; its diagonal counts as ones.
        tolerance: relative change at which the iteration ends, 1e-14 to 1. The result's distance to the nearest matrix
            is of this order times the number of iterations.
        iterations: at most so many.

    Returns:
        float64, shape (n, n): symmetric, ones on the diagonal, eigenvalues not below -1e-14 n.

    Raises:
        ArgumentError: an element is out of range or not symmetric, or the iterations did not do (NOT_CONVERGED).
        ShapeError: it is not square.
        TypeError: it is not numeric or has another dtype.
    """
    matrix = _square(correlation)
    _check(matrix, any_diagonal=True)
    bound = whole("iterations", iterations, 1, ITERATIONS_MAX)
    if not 1e-14 <= tolerance <= 1.0:
        raise ArgumentError("tolerance", None, Reason.OUT_OF_RANGE, tolerance, "it must be from 1e-14 to 1")
    if path.is_numpy():
        found = reference.nearest(matrix, tolerance, bound)
    else:
        found = np.empty_like(matrix)
        scratch = np.empty(5 * matrix.size)
        function = path.lib.xr_correlation_nearest
        if function(len(matrix), pointer(matrix), tolerance, bound, pointer(scratch), pointer(found)):
            found = None
    if found is None:
        says = f"the nearest matrix was not reached within {tolerance}: allow more iterations or a wider tolerance"
        raise ArgumentError("iterations", None, Reason.NOT_CONVERGED, bound, says)
    return found


def _square(correlation: Any) -> Matrix:
    matrix = numbers("correlation", correlation)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not 1 <= len(matrix) <= SIZE_MAX:
        raise ShapeError(f"correlation has shape {matrix.shape}: a square matrix of 1 to {SIZE_MAX} rows is needed")
    return matrix


def _check(matrix: Matrix, *, any_diagonal: bool) -> None:
    """Refuses the first element that no correlation matrix has, in row order."""
    diagonal = np.eye(len(matrix), dtype=bool)
    kinds = (
        (~np.isfinite(matrix), Reason.NOT_FINITE, "it must be a number"),
        (np.abs(matrix) > 1.0 + ALIKE, Reason.OUT_OF_RANGE, "it must be a correlation from -1 to 1"),
        (diagonal & (np.abs(matrix - 1.0) > ALIKE), Reason.INCONSISTENT, "the diagonal of correlations is 1"),
        (np.abs(matrix - matrix.T) > ALIKE, Reason.INCONSISTENT, "the element across the diagonal differs"),
    )
    for wrong, reason, says in kinds:
        found = np.argwhere(wrong & ~diagonal if any_diagonal and reason is not Reason.NOT_FINITE else wrong)
        if len(found):
            row, column = int(found[0, 0]), int(found[0, 1])
            raise ArgumentError("correlation", (row, column), reason, matrix[row, column].item(), says)
