"""Garman–Kohlhagen in 50 digits, from the same doubles that the kernel gets."""

from __future__ import annotations

import mpmath
import numpy as np
from mpmath import mpf

NAMES = (
    *("price", "delta", "gamma", "vega", "theta", "rho_domestic", "rho_foreign"),
    *("forward_delta", "adjusted_delta", "adjusted_forward_delta", "strike_delta", "vanna", "volga", "charm"),
)


def vanilla(call: int, *numbers: float) -> dict[str, mpf]:
    """Premium and all Greeks of one option, by the textbook's formulas (Wystup, FX Options and Structured Products)."""
    with mpmath.workdps(50):
        s, k, t, v, rd, rf = (mpf(float(each)) for each in numbers)
        sign = 1 if call else -1
        w = v * mpmath.sqrt(t)
        d1 = (mpmath.log(s / k) + (rd - rf) * t) / w + w / 2
        d2 = d1 - w
        ds, dk = s * mpmath.exp(-rf * t), k * mpmath.exp(-rd * t)
        paid, received = ds * mpmath.ncdf(sign * d1), dk * mpmath.ncdf(sign * d2)
        peak = ds * mpmath.npdf(d1)
        return {
            "price": sign * (paid - received),
            "delta": sign * paid / s,
            "gamma": peak / s**2 / w,
            "vega": peak * mpmath.sqrt(t),
            "theta": -peak * v / 2 / mpmath.sqrt(t) + sign * (rf * paid - rd * received),
            "rho_domestic": sign * t * received,
            "rho_foreign": -sign * t * paid,
            "forward_delta": sign * paid / s * mpmath.exp(rf * t),
            "adjusted_delta": sign * received / s,
            "adjusted_forward_delta": sign * received / s * mpmath.exp(rf * t),
            "strike_delta": -sign * received / k,
            "vanna": -peak * d2 / s / v,
            "volga": peak * mpmath.sqrt(t) * d1 * d2 / v,
            "charm": (sign * rf * paid - peak * ((rd - rf) / w - d2 / 2 / t)) / s,
        }


def grid(count: int, seed: int = 7) -> tuple[np.ndarray, ...]:
    """Options as a desk has them: a day to ten years, one to sixty percent, up to five deviations out or in."""
    rng = np.random.default_rng(seed)
    call = rng.integers(0, 2, count).astype(np.int8)
    spot = np.exp(rng.uniform(-3.0, 5.0, count))
    time = np.exp(rng.uniform(np.log(1 / 365), np.log(10.0), count))
    volatility = np.exp(rng.uniform(np.log(0.01), np.log(0.6), count))
    domestic, foreign = rng.uniform(-0.01, 0.09, (2, count))
    forward = spot * np.exp((domestic - foreign) * time)
    strike = forward * np.exp(rng.uniform(-5.0, 5.0, count) * volatility * np.sqrt(time))
    return call, spot, strike, time, volatility, domestic, foreign


def relative(found: object, true: mpf, scale: mpf | float | None = None) -> float:
    """How far a double is from an exact value, over that value or over `scale`."""
    with mpmath.workdps(50):
        difference = abs(mpf(float(found)) - true)  # type: ignore[arg-type]
        below = abs(true) if scale is None else abs(mpf(scale))
        return float(difference / below) if below else float(difference)
