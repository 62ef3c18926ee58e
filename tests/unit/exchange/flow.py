"""Random commands to one small book, such that every rule is met often: few ids, owners and prices, short lives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IDS, OWNERS, MIDDLE = 60, 4, 1000
EXTREMES = np.array([0, -1, 1, 1 << 40, (1 << 40) + 1, 1 << 62, (1 << 63) - 1, -(1 << 63)])


def commands(seed: int, count: int, width: int = 20, nonsense: float = 0.02) -> NDArray[np.int64]:
    """Records of commands, shape (count, 16).

    Args:
        width: prices lie so far around the middle.
        nonsense: share of rows in which one word is an extreme of what 64 bits hold.
    """
    chance = np.random.default_rng(seed)
    rows = np.zeros((count, 16), np.int64)
    rows[:, 0] = chance.choice([1, 2, 3, 4, 5], count, p=[0.6, 0.18, 0.12, 0.01, 0.09])
    rows[:, 1] = chance.integers(1, IDS, count)
    rows[:, 2] = chance.integers(1, OWNERS + 1, count)
    rows[:, 3] = chance.integers(1, 3, count)
    rows[:, 4] = np.where(chance.random(count) < 0.2, 1, 2)
    rows[:, 5] = chance.choice([1, 1, 1, 3, 4, 6], count)
    rows[:, 6] = chance.integers(1, 50, count)
    rows[:, 7] = np.where(rows[:, 4] == 2, MIDDLE + chance.integers(-width, width, count), 0)
    rows[:, 8] = np.where(chance.random(count) < 0.2, chance.integers(1, 20, count), 0)
    rows[:, 9] = np.where(chance.random(count) < 0.1, chance.integers(1, 20, count), 0)
    rows[:, 15] = np.cumsum(chance.integers(0, 3, count))
    rows[:, 10] = np.where(rows[:, 5] == 6, rows[:, 15] + chance.integers(1, 60, count), 0)
    trigger = np.where(chance.random(count) < 0.3, chance.integers(1, 4, count), 0)
    rows[:, 11] = trigger
    rows[:, 12] = np.where(trigger > 0, chance.integers(1, 5, count), 0)
    at = np.where(trigger == 3, chance.integers(1, 10, count), MIDDLE + chance.integers(-width, width, count))
    rows[:, 13] = np.where((trigger > 0) | (rows[:, 0] == 2), at, 0)
    rows[:, 14] = chance.choice([0, 0, 0, 1, 2, 3, 4, 5, 8], count)
    mass = rows[:, 0] == 4
    rows[mass, 2] *= chance.random(mass.sum()) < 0.7
    rows[mass, 3] = chance.integers(0, 3, mass.sum())
    bad = np.flatnonzero(chance.random(count) < nonsense)
    rows[bad, chance.integers(0, 15, len(bad))] = chance.choice(EXTREMES, len(bad))
    return rows


def amend_alike(rows: NDArray[np.int64], kept: NDArray[np.int64], row: int, chance: np.random.Generator) -> None:
    """Makes a replacement of an order that is there, owner and price as they are, so that it is not refused."""
    if not len(kept):
        return
    order = kept[chance.integers(len(kept))]
    rows[row, 0] = chance.choice([2, 2, 3])
    rows[row, 1:3] = order[0:2]
    rows[row, 6] = max(1, order[5] + chance.integers(-8, 4))
    rows[row, 7] = order[6] + (chance.integers(-2, 3) if chance.random() < 0.3 and order[6] else 0)
    rows[row, 8] = min(order[7], rows[row, 6])
    rows[row, 10] = order[9] + (chance.integers(0, 5) if order[4] == 6 else 0)
    rows[row, 13] = order[12]
    rows[row, 14] = 0
