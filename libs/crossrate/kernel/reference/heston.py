"""Paths of Heston's model: the numpy twin of xr/heston.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.reference.paths import signed_normals
from crossrate.kernel.reference.random import uniforms

Array = NDArray[np.float64]
CRITICAL = 1.5
REACH = 500.0


def paths(
    count: int,
    spot: float,
    widths: Array,
    carry: Array,
    model: tuple[float, float, float, float, float],
    terminal: bool,
    antithetic: bool,
    seed: int,
    stream: int,
    first_path: int,
) -> tuple[Array, Array]:
    """Levels and variances after each step, or the last; the model is (variance, reversion, mean, vol, rho)."""
    x, v = np.zeros(count), np.full(count, model[0])
    rows = 1 if terminal else len(widths)
    values, variances = np.empty((rows, count)), np.empty((rows, count))
    for k, (dt, growth) in enumerate(zip(widths, carry, strict=True)):
        base = k // 2 * 6
        z = signed_normals(count, 2, antithetic, seed, stream, first_path, base + k % 2 * 2)
        u = _signed_uniform(count, antithetic, seed, stream, first_path, base + 4 + k % 2)
        x, v = advance(x, v, z, u, (float(dt), *model[1:]))
        x = x + growth
        if not terminal or k + 1 == len(widths):
            row = 0 if terminal else k
            values[row], variances[row] = spot * np.exp(np.clip(x, -REACH, REACH)), v
    return values, variances


def advance(
    x: Array, v: Array, z: Array, u: Array, step: tuple[float, float, float, float, float]
) -> tuple[Array, Array]:
    """Andersen (2008): one step without its carry; the step is (width, reversion, mean, vol, rho)."""
    dt, reversion, mean, vol, rho = step
    decay = np.exp(-reversion * dt)
    half = 0.5 * dt * (reversion * rho / vol - 0.5)
    k2, k3 = half + rho / vol, 0.5 * dt * (1.0 - rho * rho)
    big_a = k2 + 0.5 * k3
    m = mean * (1.0 - decay) + v * decay
    s2 = v * vol**2 * decay * (1.0 - decay) / reversion + mean * vol**2 * (1.0 - decay) ** 2 / (2.0 * reversion)
    psi = s2 / (m * m)
    small = psi <= CRITICAL
    following, k0 = np.empty_like(v), np.empty_like(v)

    r = 2.0 / psi[small]
    b2 = r - 1.0 + np.sqrt(r) * np.sqrt(r - 1.0)
    a = m[small] / (1.0 + b2)
    following[small] = a * (np.sqrt(b2) + z[0][small]) ** 2
    room = 1.0 - 2.0 * big_a * a
    k0[small] = -big_a * b2 * a / room + 0.5 * np.log(room)

    tail = 2.0 / (psi[~small] + 1.0)
    beta = tail / m[~small]
    following[~small] = np.maximum(np.log(tail / (1.0 - u[~small])), 0.0) / beta
    k0[~small] = -np.log(1.0 - tail + tail * beta / (beta - big_a))
    return x + k0 - 0.5 * k3 * v + k2 * following + np.sqrt(k3 * (v + following)) * z[1], following


def _signed_uniform(count: int, antithetic: bool, seed: int, stream: int, first_path: int, step: int) -> Array:
    if not antithetic:
        return uniforms(count, 1, seed, stream, first_path, step)[0]
    begin, end = first_path // 2, -(-(first_path + count) // 2)
    half = uniforms(end - begin, 1, seed, stream, begin, step)[0]
    return np.stack((half, 1.0 - half), axis=1).reshape(-1)[first_path % 2 :][:count]
