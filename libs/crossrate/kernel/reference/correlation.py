"""Correlation matrices: the numpy twins of xr/correlation.h."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def factor(matrix: Array) -> tuple[Array, int | None]:
    """The lower triangular factor, row by row; and the row at which there is none, or None."""
    size = len(matrix)
    zero = size * 2.0**-40
    found = np.zeros_like(matrix)
    for i in range(size):
        for j in range(i):
            rest = matrix[i, j] - found[i, :j] @ found[j, :j]
            if found[j, j] == 0.0 and abs(rest) > math.sqrt(2.0 * zero):
                return found, i
            found[i, j] = rest / found[j, j] if found[j, j] else 0.0
        pivot = 1.0 - found[i, :i] @ found[i, :i]
        if pivot < -zero:
            return found, i
        found[i, i] = math.sqrt(pivot) if pivot > zero else 0.0
    return found, None


def nearest(matrix: Array, tolerance: float, iterations: int) -> Array | None:
    """Higham (2002), algorithm 3.3: alternating projections with Dykstra's correction; None without convergence."""
    y = 0.5 * (matrix + matrix.T)
    np.fill_diagonal(y, 1.0)
    correction = np.zeros_like(y)
    for _ in range(iterations):
        before, r = y, y - correction
        values, vectors = np.linalg.eigh(r)
        x = (vectors * np.maximum(values, 0.0)) @ vectors.T
        correction = x - r
        y = x.copy()
        np.fill_diagonal(y, 1.0)
        size = np.linalg.norm(y)
        if max(np.linalg.norm(y - before), np.linalg.norm(y - x)) <= tolerance * size:
            root = np.sqrt(np.diag(x))
            scaled = 0.5 * (x + x.T) / np.outer(root, root)
            np.fill_diagonal(scaled, 1.0)
            return scaled
    return None
