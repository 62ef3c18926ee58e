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
    fine = np.abs(matrix) <= 1e20
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
    there = k2 > 1e-100
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


GAUSSIAN = np.array([1.0, 0, 1, 0, 3, 0, 15, 0, 105, 0, 945, 0, 10395])


def _mean(polynomial: Array) -> float:
    """The mean of a polynomial of a standard normal number, coefficients ascending."""
    return float(polynomial @ GAUSSIAN[: len(polynomial)])


def expansion_moments(s: float, k: float) -> tuple[Array, Array, float]:
    """Skewness and excess kurtosis that the expansion has at its parameters, their Jacobian, and its variance."""
    w = np.array([-s / 6.0, 1.0 - k / 8.0 + 5.0 * s * s / 36.0, s / 6.0, k / 24.0 - s * s / 18.0])
    by = np.array([[-1.0 / 6.0, 5.0 * s / 18.0, 1.0 / 6.0, -s / 9.0], [0.0, -0.125, 0.0, 1.0 / 24.0]])
    square = np.convolve(w, w)
    cube = np.convolve(square, w)
    v, third, fourth = _mean(square), _mean(cube), _mean(np.convolve(square, square))
    rows = []
    for slope in by:
        dv, d3, d4 = (n * _mean(np.convolve(power, slope)) for n, power in ((2, w), (3, square), (4, cube)))
        rows.append([(d3 - 1.5 * third * dv / v) / v**1.5, (d4 - 2.0 * fourth * dv / v) / v**2])
    return np.array([third / v**1.5, fourth / v**2 - 3.0]), np.array(rows).T, v


def match(skewness: Array, kurtosis: Array) -> tuple[Array, Array, Array, NDArray[np.uint8]]:
    """Newton's steps to the parameters at which the expansion has these moments, halved until they near them."""
    results = np.full((4, len(skewness)), np.nan)
    for i, wanted in enumerate(np.stack([skewness, kurtosis], axis=1)):
        x, step, distance, share, scale = np.zeros(2), np.zeros(2), np.inf, 1.0, 1.0
        for _ in range(200):
            at = x + share * step
            found, slopes, variance = expansion_moments(*at)
            off = found - wanted
            if not off @ off < distance:
                if distance <= 1e-24 or share < 1e-9:
                    break
                share *= 0.5
                continue
            x, distance, share, scale = at, float(off @ off), 1.0, variance**-0.5
            if abs(np.linalg.det(slopes)) < 1e-12:
                break
            step = -np.linalg.solve(slopes, off)
        x[1] = 0.0 if -1e-12 < x[1] < 0.0 else x[1]
        fine = distance <= 1e-20 and bool(ascends(*x))
        results[:, i] = (*x, scale, Reason.OK) if fine else (np.nan, np.nan, np.nan, Reason.NO_SOLUTION)
    return results[0], results[1], results[2], results[3].astype(np.uint8)
