"""Spreads counted by whole points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def counted(spread: NDArray[np.float64], point: float, most: int) -> tuple[int, NDArray[np.int64]]:
    """Rows by spread, rounded to points: the least one, and how many rows have it and each that follows.

    Spreads are finite; those beyond `most` points, on either side, are counted as of `most`.
    """
    if not len(spread):
        return 0, np.zeros(0, np.int64)
    points = np.rint(spread / point)
    least, greatest = points.min(), points.max()
    if least < -most or greatest > most:
        points = np.clip(points, -most, most)
        least = points.min()
    whole = points.astype(np.int64)
    whole -= int(least)
    return int(least), np.bincount(whole)
