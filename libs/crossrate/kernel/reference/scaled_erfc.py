"""exp(z²) erfc(z) in numpy alone: the twin of libs/kernel/src/scaled_erfc.h, where the method is explained."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NODES = 12
STEP = math.sqrt(math.pi / NODES)
MIDDLE = ((np.arange(NODES) + 0.5) * STEP) ** 2
WHOLE = (np.arange(1, NODES) * STEP) ** 2


def erfcx(y: Array) -> Array:
    """exp(y²) erfc(y) for y >= 0."""
    square = y * y
    total = sum(math.exp(-node) / (square + node) for node in MIDDLE.tolist())
    near = np.minimum(y, math.pi / STEP)
    residue = 2.0 * np.exp(near * near) / (1.0 + np.exp(2.0 * math.pi / STEP * near))
    return 2.0 * STEP / math.pi * y * total + np.where(y < math.pi / STEP, residue, 0.0)


def faddeeva_real(x: Array, y: Array) -> Array:
    """The real part of exp(-z²) erfc(-iz) for z = x + iy, y > 0."""
    x = np.abs(x)
    place = x / STEP - np.floor(x / STEP)
    whole = (y < np.maximum(x, math.pi / STEP)) & (place >= 0.25) & (place <= 0.75)
    length = x * x + y * y
    real, twist = (x - y) * (x + y), 2.0 * x * y

    def over(nodes: Array) -> Array:
        terms = (math.exp(-s) * (length + s) / ((real - s) ** 2 + twist * twist) for s in nodes.tolist())
        return np.asarray(sum(terms))

    smooth = 2.0 * STEP / math.pi * y * np.where(whole, 0.5 / length + over(WHOLE), over(MIDDLE))
    near = np.minimum(y, math.pi / STEP)
    turn = 2.0 * math.pi / STEP * x
    grown = np.where(whole, -1.0, 1.0) * np.exp(2.0 * math.pi / STEP * near)
    below, aside = 1.0 + grown * np.cos(turn), -grown * np.sin(turn)
    size = 2.0 * np.exp(near * near - x * x) / (below * below + aside * aside)
    residue = size * (np.cos(twist) * below - np.sin(twist) * aside)
    return smooth + np.where(y < math.pi / STEP, residue, 0.0)
