"""Parametric value at risk: the numpy twins of xr/parametric.h."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason
from crossrate.kernel.reference.normal import density

Array = NDArray[np.float64]


def upper_tail(probability: float) -> float:
    """The standard normal quantile, precise also where the probability is close to 1."""
    return -NormalDist().inv_cdf(1.0 - probability) if probability != 0.5 else 0.0


def covariance_reasons(matrix: Array) -> NDArray[np.uint8]:
    """The reason for each element of a covariance matrix, zero where it is fine; only the first is found.

    Symmetric to 1e-12 of the greater variance, then an elimination whose pivots may not be below zero, to 1e-12 of the
    greatest variance; beside a pivot of zero there may be only zeros.
    """
    size = len(matrix)
    reasons = np.zeros((size, size), np.uint8)
    fine = np.abs(matrix) <= 1e60
    if not fine.all():
        return np.where(fine, 0, np.where(np.isfinite(matrix), Reason.OUT_OF_RANGE, Reason.NOT_FINITE)).astype(np.uint8)
    diagonal = np.diagonal(matrix)
    if (diagonal < 0.0).any():
        reasons[np.diag_indices(size)] = np.where(diagonal < 0.0, Reason.NOT_PSD, 0)
        return reasons
    scale = np.maximum(diagonal[:, None], diagonal[None, :])
    uneven = np.tril(np.abs(matrix - matrix.T) > 1e-12 * scale)
    if uneven.any():
        reasons[uneven] = Reason.INCONSISTENT
        return reasons
    zero = 1e-12 * diagonal.max()
    left = matrix.copy()
    for k in range(size):
        pivot, below = left[k, k], left[k + 1 :, k]
        if pivot < -zero:
            reasons[k, k] = Reason.NOT_PSD
        elif pivot <= zero:
            bound = 2.0 * np.sqrt(zero * np.maximum(np.diagonal(left)[k + 1 :], zero))
            reasons[k + 1 :, k][np.abs(below) > bound] = Reason.NOT_PSD
        else:
            left[k + 1 :, k + 1 :] -= np.outer(below / pivot, left[k, k + 1 :])
        if reasons.any():
            return reasons
    return reasons


def moments(drift: Array, delta: Array, gamma: Array | None, covariance: Array) -> tuple[Array, Array, Array, Array]:
    """Cumulants of a quadratic form in normals: Mathai and Provost (1992), chapter 3."""
    moved = delta @ covariance
    k1 = k3 = k4 = np.zeros(len(delta))
    k2 = np.einsum("ij,ij->i", delta, moved)
    if gamma is not None:
        product = gamma @ covariance
        square = product @ product
        bent = np.einsum("ijk,ik->ij", gamma, moved)
        k1 = 0.5 * np.trace(product, axis1=1, axis2=2)
        k2 = np.maximum(0.0, k2) + 0.5 * np.trace(square, axis1=1, axis2=2)
        k3 = 3.0 * np.einsum("ij,ij->i", moved, bent) + np.einsum("ijk,ikj->i", product, square)
        k4 = 12.0 * np.einsum("ij,ij->i", bent, bent @ covariance) + 3.0 * np.einsum("ijk,ikj->i", square, square)
    k2 = np.maximum(0.0, k2)
    deviation = np.sqrt(k2)
    there = k2 > 0.0
    safe = np.where(there, k2, 1.0)
    return drift + k1, deviation, np.where(there, k3 / safe**1.5, 0.0), np.where(there, k4 / (safe * safe), 0.0)


def ascends(skewness: Array, kurtosis: Array) -> NDArray[np.bool_]:
    """Whether the expansion is a quantile function: its derivative, a parabola, is nowhere negative (Maillard 2012)."""
    a = kurtosis / 8.0 - skewness * skewness / 6.0
    b = skewness / 3.0
    c = 1.0 - kurtosis / 8.0 + 5.0 * skewness * skewness / 36.0
    return (a >= 0.0) & (b * b <= 4.0 * a * c) & (c > 0.0)


def measure(
    mean: Array, deviation: Array, skewness: Array, kurtosis: Array, confidence: Array
) -> tuple[Array, Array, NDArray[np.uint8]]:
    """Value at risk, expected shortfall, and the reasons of those that the expansion has no answer for."""
    s, k = skewness / 6.0, kurtosis / 24.0
    levels, place = np.unique(confidence, return_inverse=True)
    q = np.array([NormalDist().inv_cdf(1.0 - p) for p in levels])[place.reshape(-1)]
    w = q + s * (q * q - 1.0) + k * (q**3 - 3.0 * q) - s * s * (2.0 * q**3 - 5.0 * q)
    tail = 1.0 + s * q + k * (q * q - 1.0) - s * s * (2.0 * (q * q - 1.0) + 1.0)
    fine = ascends(skewness, kurtosis)
    var = np.where(fine, -mean - deviation * w, np.nan)
    es = np.where(fine, -mean + deviation * tail * density(q) / (1.0 - confidence), np.nan)
    return var, es, np.where(fine, 0, Reason.NO_SOLUTION).astype(np.uint8)
