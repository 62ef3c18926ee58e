"""Sobol sequences and Brownian bridges: the numpy twins of xr/sobol.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.reference.normal import quantile
from crossrate.kernel.reference.random import unit

Array = NDArray[np.float64]
Words = NDArray[np.uint64]
COLUMNS = 32


def points(count: int, directions: Words, shift: Words, normal: bool, first_point: int) -> Array:
    """A row for each dimension, points in Gray code order (Antonov and Saleev 1979)."""
    number = np.arange(first_point, first_point + count, dtype=np.uint64)
    gray = number ^ (number >> np.uint64(1))
    table = np.empty((len(directions), count))
    for dimension, columns in enumerate(directions):
        word = np.full(count, shift[dimension], np.uint64)
        for bit in range(int(gray.max(initial=0)).bit_length()):
            word ^= np.where(gray >> np.uint64(bit) & np.uint64(1), columns[bit], np.uint64(0))
        table[dimension] = unit(word)
    return quantile(table) if normal else table


def bridge(
    normals: Array,
    order: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    left_weight: Array,
    right_weight: Array,
    deviation: Array,
) -> Array:
    """Brownian motions by bridges, one row after its neighbours; row -1 is zero."""
    motion = np.zeros((len(normals) + 1, normals.shape[1]))
    for i, row in enumerate(order):
        motion[row] = deviation[i] * normals[i] + (
            left_weight[i] * motion[left[i]] + right_weight[i] * motion[right[i]]
        )
    return motion[:-1]
