"""Simulated paths: the numpy twins of xr/paths.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.reference.random import normals

Array = NDArray[np.float64]


def signed_normals(
    paths: int, draws: int, antithetic: bool, seed: int, stream: int, first_path: int, first_draw: int = 0
) -> Array:
    """A row of normals for each draw; antithetic paths 2p and 2p + 1 share those of path p with opposite signs."""
    if not antithetic:
        return normals(paths, draws, seed, stream, first_path, first_draw)
    begin, end = first_path // 2, -(-(first_path + paths) // 2)
    half = normals(end - begin, draws, seed, stream, begin, first_draw)
    both = np.stack((half, -half), axis=2).reshape(draws, -1)
    skipped = first_path % 2
    return both[:, skipped : skipped + paths]


def gbm(
    paths: int,
    spot: Array,
    drift: Array,
    factor: Array,
    terminal: bool,
    antithetic: bool,
    seed: int,
    stream: int,
    first_path: int,
) -> Array:
    """Levels after each step, or the last: shape (rows, assets, paths)."""
    steps, assets = drift.shape
    table = np.empty((1 if terminal else steps, assets, paths))
    logarithm = np.zeros((assets, paths))
    for step in range(steps):
        z = signed_normals(paths, assets, antithetic, seed, stream, first_path, step * assets)
        logarithm += drift[step][:, None]
        for each in range(assets):  # not a matrix product, whose sums depend on the number of paths
            logarithm += factor[step][:, each, None] * z[each]
        if not terminal:
            table[step] = logarithm
    if terminal:
        table[0] = logarithm
    return spot[None, :, None] * np.exp(table)
