"""SABR: the numpy twins of xr/sabr.h."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason

Array = NDArray[np.float64]
Reasons = NDArray[np.uint8]

STEPS_MAX = 200
BUMP = 1e-5
LOW = np.array([-12.0, -7.0, -12.0])
HIGH = np.array([5.0, 7.0, 4.6])


def hagan(forward: Array, strike: Array, time: Array, alpha: Array, beta: Array, rho: Array, nu: Array) -> Array:
    """Hagan, Kumar, Lesniewski and Woodward (2002), equation 2.17."""
    log_ratio, rest = np.log(forward / strike), 1.0 - beta
    middle = np.exp(0.5 * rest * (np.log(forward) + np.log(strike)))
    z = nu / alpha * middle * log_ratio
    j = np.sqrt((z - rho) ** 2 + (1.0 - rho) * (1.0 + rho))
    less_one = z * (z - 2.0 * rho) / (1.0 + j)
    near = np.abs(z) <= 1e-16
    with np.errstate(divide="ignore", invalid="ignore"):
        above = np.log1p((less_one + z) / (1.0 - rho))
        below = -np.log1p((less_one - z) / (1.0 + rho))
        ratio = np.where(near, 1.0 - 0.5 * rho * z, z / np.where(z > 0.0, above, below))
    square = (rest * log_ratio) ** 2
    drift = (rest * alpha / middle) ** 2 / 24.0 + 0.25 * rho * beta * nu * alpha / middle
    drift = drift + (2.0 - 3.0 * rho * rho) / 24.0 * nu * nu
    return alpha / (middle * (1.0 + square / 24.0 + square * square / 1920.0)) * ratio * (1.0 + drift * time)


def volatility(
    forward: Array, strike: Array, time: Array, alpha: Array, beta: Array, rho: Array, nu: Array
) -> tuple[Array, Reasons]:
    """Volatility of a strike: xr_sabr_volatility."""
    with np.errstate(all="ignore"):
        found = hagan(forward, strike, time, alpha, beta, rho, nu)
    reasons = np.where((found >= 1e-6) & (found <= 100.0), Reason.OK, Reason.NO_SOLUTION).astype(np.uint8)
    return np.where(reasons == 0, found, np.nan), reasons


class _Row:
    """One smile to fit, with parameters (log alpha scaled to the forward, atanh rho, log nu)."""

    def __init__(self, forward: float, time: float, beta: float, strike: Array, volatility: Array):
        self.forward, self.time, self.beta = forward, time, beta
        self.strike, self.volatility = strike, volatility
        self.scale = math.exp((1.0 - beta) * math.log(forward))

    def residuals(self, p: Array) -> Array:
        alpha, rho, nu = self.scale * math.exp(p[0]), math.tanh(p[1]), math.exp(p[2])
        with np.errstate(all="ignore"):
            return hagan(self.forward, self.strike, self.time, alpha, self.beta, rho, nu) - self.volatility

    def guess(self) -> Array:
        """From level, slope and curvature in the middle; see sabr.c."""
        low, high = int(np.argmin(self.strike)), int(np.argmax(self.strike))
        middle = int(np.argmin(np.abs(np.log(self.strike / self.forward))))
        a, rest = float(self.volatility[middle]), 1.0 - self.beta
        left = math.log(self.strike[middle] / self.strike[low])
        right = math.log(self.strike[high] / self.strike[middle])
        product, square = rest * a, 0.0
        if left > 0.0 and right > 0.0:
            below, above = (a - self.volatility[low]) / left, (self.volatility[high] - a) / right
            curvature = 2.0 * (above - below) / (left + right)
            product += 2.0 * (below * right + above * left) / (left + right)
            square = 3.0 * a * curvature - 0.25 * (rest * a) ** 2 + 1.5 * product**2
        nu = math.sqrt(max(square, 1.2 * product**2, 1e-4))
        return np.array(
            [min(max(math.log(a), LOW[0]), HIGH[0]), math.atanh(min(max(product / nu, -0.95), 0.95)), math.log(nu)]
        )

    def descend(self, p: Array) -> tuple[Array, float]:
        """Levenberg and Marquardt from p; the sum of squares is -1 after STEPS_MAX steps."""
        r, damping = self.residuals(p), 1e-4
        total, idle = _sum(r), 0
        for _ in range(STEPS_MAX):
            if total <= 1e-31 * r.size:
                return p, total
            bumps = BUMP * np.eye(3)
            slope = np.stack([(self.residuals(p + b) - self.residuals(p - b)) / (2.0 * BUMP) for b in bumps])
            normal, gradient = slope @ slope.T, -slope @ r
            improved, change, gain = False, 0.0, 0.0
            while not improved and damping < 1e14:
                extra = damping * (np.diag(normal) + 1e-12 * normal[0, 0])
                tried = np.clip(p + np.linalg.solve(normal + np.diag(extra), gradient), LOW, HIGH)
                change = float(np.max(np.abs(tried - p)))
                residual = self.residuals(tried)
                now = _sum(residual)
                improved = now < total
                if improved:
                    gain, p, r, total = total - now, tried, residual, now
                damping = max(damping * 0.1, 1e-16) if improved else damping * 10.0
            idle = idle + 1 if gain < 1e-7 * total else 0
            if not improved or change < 1e-13 or idle == 3:
                return p, total
        return p, -1.0

    def fit(self) -> tuple[Array, bool]:
        """From the guess, and where that does not go through the points also from a plain start."""
        p, first = self.descend(self.guess())
        if 0.0 <= first < 1e-20:
            return p, True
        start = self.guess()
        start[1], start[2] = 0.0, math.log(min(1.0 / math.sqrt(self.time), 2.0))
        other, second = self.descend(start)
        if second >= 0.0 and (first < 0.0 or second < first):
            p = other
        return p, first >= 0.0 or second >= 0.0


def _sum(r: Array) -> float:
    total = float(r @ r)
    return total if total == total else math.inf


def calibrate(forward: Array, time: Array, beta: Array, strike: Array, volatility: Array) -> tuple[Array, ...]:
    """alpha, rho, nu and the greatest error of each row, and reasons: xr_sabr_calibrate."""
    found = np.full((4, forward.size), np.nan)
    reasons = np.zeros(forward.size, np.uint8)
    for i in range(forward.size):
        row = _Row(float(forward[i]), float(time[i]), float(beta[i]), strike[i], volatility[i])
        p, fits = row.fit()
        if not fits:
            reasons[i] = Reason.NOT_CONVERGED
            continue
        worst = float(np.max(np.abs(row.residuals(p))))
        found[:, i] = row.scale * math.exp(p[0]), math.tanh(p[1]), math.exp(p[2]), worst
    return (*found, reasons)
