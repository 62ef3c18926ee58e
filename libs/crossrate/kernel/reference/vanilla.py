"""European vanilla options: the numpy twins of xr/vanilla.h, written as the textbook has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.reference.normal import density, distribution

Array = NDArray[np.float64]
TINY = 1e-200


@dataclass(frozen=True)
class Garman:
    """What price and Greeks are made of; `paid` is S e^(-rf T) N(φ d1), `received` K e^(-rd T) N(φ d2)."""

    sign: Array
    root: Array
    deviation: Array
    d1: Array
    d2: Array
    paid: Array
    received: Array
    peak: Array


def garman(
    put_or_call: NDArray[np.int8],
    spot: Array,
    strike: Array,
    time: Array,
    volatility: Array,
    domestic_rate: Array,
    foreign_rate: Array,
) -> Garman:
    """Garman and Kohlhagen (1983), equation 9. Where σ √T is zero, d1 and d2 are ±40, which stands for infinity."""
    sign = np.where(put_or_call == 1, 1.0, -1.0)
    root = np.sqrt(time)
    deviation = np.maximum(volatility * root, TINY)
    moneyness = (np.log(spot / strike) + (domestic_rate - foreign_rate) * time) / deviation
    d1 = np.clip(moneyness + 0.5 * deviation, -40.0, 40.0)
    d2 = np.clip(moneyness - 0.5 * deviation, -40.0, 40.0)
    discounted = spot * np.exp(-foreign_rate * time)
    # S e^(-rf T) φ(d1) = K e^(-rd T) φ(d2): taken from the smaller |d|, which loses less.
    peak = np.where(
        np.abs(d1) <= np.abs(d2), discounted * density(d1), strike * np.exp(-domestic_rate * time) * density(d2)
    )
    return Garman(
        sign,
        root,
        deviation,
        d1,
        d2,
        paid=discounted * distribution(sign * d1),
        received=strike * np.exp(-domestic_rate * time) * distribution(sign * d2),
        peak=peak,
    )


def price(*market: Array) -> tuple[Array]:
    """The premium, in the counter currency; never below zero nor below the discounted intrinsic value."""
    g = garman(*market)
    _, spot, strike, time, _, domestic_rate, foreign_rate = market
    intrinsic = g.sign * (spot * np.exp(-foreign_rate * time) - strike * np.exp(-domestic_rate * time))
    return (np.maximum(g.sign * (g.paid - g.received), np.maximum(intrinsic, 0.0)),)


def greeks(*market: Array) -> tuple[Array, ...]:
    """Premium, spot delta, gamma, vega, theta, rho domestic, rho foreign."""
    g = garman(*market)
    _, spot, _, time, volatility, domestic_rate, foreign_rate = market
    decay = 0.5 * g.peak * volatility**2 / g.deviation
    return (
        *price(*market),
        g.sign * g.paid / spot,
        g.peak / (spot * spot) / g.deviation,
        g.peak * g.root,
        g.sign * (foreign_rate * g.paid - domestic_rate * g.received) - decay,
        g.sign * time * g.received,
        -g.sign * time * g.paid,
    )


def further(*market: Array) -> tuple[Array, ...]:
    """Forward delta, premium-adjusted spot and forward delta, ∂V/∂K, vanna, volga, charm."""
    g = garman(*market)
    _, spot, strike, time, _, domestic_rate, foreign_rate = market
    growth = np.exp(foreign_rate * time)
    adjusted = g.sign * g.received / spot
    steep = g.peak * g.root / g.deviation
    drift = (domestic_rate - foreign_rate) / g.deviation - 0.5 * g.d2 / np.maximum(time, TINY)
    return (
        g.sign * g.paid / spot * growth,
        adjusted,
        adjusted * growth,
        -g.sign * g.received / strike,
        -steep * g.d2 / spot,
        steep * g.root * g.d1 * g.d2,
        (g.sign * foreign_rate * g.paid - g.peak * drift) / spot,
    )
