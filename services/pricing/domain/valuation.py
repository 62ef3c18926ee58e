"""What legs are worth and how that changes.

A leg for value after T years is worth V = N·P_d(T)·u(F): N the notional, P_d the counter currency's discount factor, F
the forward, and u the value of one unit of base currency at the value date: F − K for an exchange at K, Black's formula
(Black 1976, equation 16, undiscounted) for an option, with F = S·g and g = P_f(T)·P_d(t_s) / (P_d(T)·P_f(t_s)), where
t_s is the time to the spot date. By the chain rule, with r = −ln P(T) / T the zero rate of each currency:

    delta         N·P_d·u′·g                     gamma   N·P_d·u″·g²              vega    N·P_d·∂u/∂σ
    rho_domestic  −T·V + N·P_d·u′·F·(T − t_s)    rho_foreign   −N·P_d·u′·F·(T − t_s)
    theta         r_d·V + N·P_d·(∂u/∂t − u′·F·(r_d − r_f))

theta is the change as the dates come nearer while spot rate, zero rates and volatility stay; the lag from today to spot
stays with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from crossrate.kernel.vanilla import Greeks
from services.pricing.domain.batch import Columns
from services.pricing.domain.market import Standing
from services.pricing.domain.product import Exchange, Option


@dataclass(frozen=True, slots=True)
class Valuation:
    """Worth in the counter currency, and its changes; units and signs as in the contract."""

    present_value: float = 0.0
    delta: float = 0.0
    gamma: float = 0.0
    vega: float = 0.0
    theta: float = 0.0
    rho_domestic: float = 0.0
    rho_foreign: float = 0.0

    def __add__(self, other: Valuation) -> Valuation:
        return Valuation(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Priced:
    """A leg with the market that it was priced with and what it is worth."""

    leg: Exchange | Option
    forward: float
    rate: float
    volatility: float
    valuation: Valuation


@dataclass(frozen=True, slots=True)
class _Unit:
    """u of the module's docstring and its derivatives: by the forward, by volatility, by passing time."""

    value: float
    slope: float
    curvature: float = 0.0
    vega: float = 0.0
    decay: float = 0.0


def option_columns(options: Sequence[Option], standing: Standing) -> Columns:
    """The arguments of the kernel for u of each option: the forward as spot, and no rates.

    Raises:
        Missing: the pair has no surface.
    """
    time = np.array([standing.time_to(each.expires) for each in options])
    strike = np.array([each.strike for each in options])
    forward = standing.forwards(np.array([standing.time(each.value_date) for each in options]))
    none = np.zeros(len(options))
    return Columns(
        put_or_call=np.array([each.call for each in options], np.int8),
        spot=forward,
        strike=strike,
        time=time,
        volatility=standing.volatility(time, strike),
        domestic_rate=none,
        foreign_rate=none,
    )


def value_options(options: Sequence[Option], standing: Standing, given: Columns, found: Greeks) -> list[Priced]:
    """The worth of options from what the kernel gave for `option_columns`."""
    priced = []
    for i, each in enumerate(options):
        unit = _Unit(
            float(found.price[i]),
            float(found.delta[i]),
            float(found.gamma[i]),
            float(found.vega[i]),
            float(found.theta[i]),
        )
        valuation = _valued(standing, each.notional, standing.time(each.value_date), unit)
        priced.append(Priced(each, float(given.spot[i]), each.strike, float(given.volatility[i]), valuation))
    return priced


def value_exchange(leg: Exchange, standing: Standing) -> Priced:
    """The worth of an exchange: zero at the forward, and where the leg has no rate that is the rate."""
    forward = standing.forward(leg.value_date)
    rate = forward if leg.rate is None else leg.rate
    valuation = _valued(standing, leg.notional, standing.time(leg.value_date), _Unit(forward - rate, 1.0))
    return Priced(leg, forward, rate, 0.0, valuation)


def par_far_rate(near: Priced, far: Priced, standing: Standing) -> float:
    """The far rate K at which a swap is worth nothing, given its near leg: V_near + N·P_d(T)·(F − K) = 0."""
    unit = far.leg.notional * float(standing.domestic.discount(standing.time(far.leg.value_date)))
    return far.forward + near.valuation.present_value / unit


def _valued(standing: Standing, notional: float, time: float, unit: _Unit) -> Valuation:
    amount = notional * float(standing.domestic.discount(time))
    forward = float(standing.forwards(np.array(time)))
    growth = forward / standing.spot
    domestic, foreign = (float(c.growth(time)) / time if time else 0.0 for c in (standing.domestic, standing.foreign))
    value = amount * unit.value
    lever = amount * unit.slope * forward
    carried = time - standing.spot_time
    return Valuation(
        present_value=value,
        delta=amount * unit.slope * growth,
        gamma=amount * unit.curvature * growth**2,
        vega=amount * unit.vega,
        theta=domestic * value + amount * unit.decay - lever * (domestic - foreign),
        rho_domestic=lever * carried - time * value,
        rho_foreign=-lever * carried,
    )
