"""Parametric value at risk: the numpy twins of xr/parametric.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason
from crossrate.kernel.reference.normal import density, quantile

Array = NDArray[np.float64]


def upper_tail(probability: float) -> float:
    """The standard normal quantile, precise also where the probability is close to 1."""
    return 0.0 - float(quantile(np.array(1.0 - probability)))


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
    q = quantile(1.0 - confidence)
    w = q + s * (q * q - 1.0) + k * (q**3 - 3.0 * q) - s * s * (2.0 * q**3 - 5.0 * q)
    tail = 1.0 + s * q + k * (q * q - 1.0) - s * s * (2.0 * (q * q - 1.0) + 1.0)
    fine = ascends(skewness, kurtosis)
    var = np.where(fine, -mean - deviation * w, np.nan)
    es = np.where(fine, -mean + deviation * tail * density(q) / (1.0 - confidence), np.nan)
    return var, es, np.where(fine, 0, Reason.NO_SOLUTION).astype(np.uint8)


GAUSSIAN = np.array([1.0, 0, 1, 0, 3, 0, 15, 0, 105, 0, 945, 0, 10395])


def _product(a: Array, b: Array) -> Array:
    """Products of polynomials, coefficients ascending in the first axis."""
    result = np.zeros((len(a) + len(b) - 1, a.shape[1]))
    for place, row in enumerate(a):
        result[place : place + len(b)] += row * b
    return result


def _mean(polynomial: Array) -> Array:
    """Means of polynomials of a standard normal number."""
    return GAUSSIAN[: len(polynomial)] @ polynomial


def expansion_moments(s: Array, k: Array) -> tuple[Array, Array, Array]:
    """Skewness and excess kurtosis that the expansion has at its parameters, their Jacobian, and its variance.

    Shapes (2, n), (2, 2, n) and (n,).
    """
    none = np.zeros_like(s)
    w = np.array([-s / 6.0, 1.0 - k / 8.0 + 5.0 * s * s / 36.0, s / 6.0, k / 24.0 - s * s / 18.0])
    by_s = np.array([none - 1.0 / 6.0, 5.0 * s / 18.0, none + 1.0 / 6.0, -s / 9.0])
    by_k = np.array([none, none - 0.125, none, none + 1.0 / 24.0])
    square = _product(w, w)
    cube = _product(square, w)
    v, third, fourth = _mean(square), _mean(cube), _mean(_product(square, square))
    columns = []
    for slope in (by_s, by_k):
        dv, d3, d4 = (n * _mean(_product(power, slope)) for n, power in ((2, w), (3, square), (4, cube)))
        columns.append([(d3 - 1.5 * third * dv / v) / v**1.5, (d4 - 2.0 * fourth * dv / v) / v**2])
    return np.array([third / v**1.5, fourth / v**2 - 3.0]), np.swapaxes(np.array(columns), 0, 1), v


def match(skewness: Array, kurtosis: Array) -> tuple[Array, Array, Array, NDArray[np.uint8]]:
    """Newton's steps to the parameters at which the expansion has these moments, halved until they near them."""
    count = len(skewness)
    wanted = np.array([skewness, kurtosis])
    x, step = np.zeros((2, count)), np.zeros((2, count))
    distance, share, scale = np.full(count, np.inf), np.ones(count), np.ones(count)
    left = np.arange(count)
    for _ in range(200):
        at = x[:, left] + share[left] * step[:, left]
        found, slopes, variance = expansion_moments(*at)
        off = found - wanted[:, left]
        far = off[0] * off[0] + off[1] * off[1]
        nearer = far < distance[left]
        determinant = slopes[0, 0] * slopes[1, 1] - slopes[0, 1] * slopes[1, 0]
        flat = np.abs(determinant) < 1e-12
        safe = np.where(flat, 1.0, determinant)
        new = np.array([slopes[0, 1] * off[1] - slopes[1, 1] * off[0], slopes[1, 0] * off[0] - slopes[0, 0] * off[1]])
        ended = np.where(nearer, flat, (distance[left] <= 1e-24) | (share[left] < 1e-9))
        taken = left[nearer]
        x[:, taken], distance[taken], scale[taken] = at[:, nearer], far[nearer], variance[nearer] ** -0.5
        step[:, taken] = (new / safe)[:, nearer]
        share[left] = np.where(nearer, 1.0, 0.5 * share[left])
        left = left[~ended]
        if not left.size:
            break
    x[1] = np.where((x[1] < 0.0) & (x[1] > -1e-12), 0.0, x[1])
    fine = (distance <= 1e-20) & ascends(*x)
    results = np.where(fine, np.array([*x, scale]), np.nan)
    return *results, np.where(fine, Reason.OK, Reason.NO_SOLUTION).astype(np.uint8)
