"""What legs are worth and how that changes.

A leg for value after T years is worth V = N·P_d(T)·u(F): N the notional, P_d the counter currency's discount factor, F
the forward, and u the value of one unit of base currency at the value date: F − K for an exchange at K, Black's formula
(Black 1976, equation 16, undiscounted) for an option, with F = S·g and g = P_f(T)·P_d(t_s) / (P_d(T)·P_f(t_s)), where
t_s is the time to the spot date. By the chain rule, with r = −ln P(T) / T the zero rate of each currency:

    delta         N·P_d·u′·g                     gamma   N·P_d·u″·g²              vega    N·P_d·∂u/∂σ
    rho_domestic  −T·V + N·P_d·u′·F·(T − t_s)    rho_foreign   −N·P_d·u′·F·(T − t_s)
    theta         r_d·V + N·P_d·(∂u/∂t − u′·F·(r_d − r_f))
    vanna         N·P_d·∂u′/∂σ·g                  volga   N·P_d·∂²u/∂σ²
    charm         N·P_d·g·(r_f·u′ + ∂u′/∂t − u″·F·(r_d − r_f))

theta is the change as the dates come nearer while spot rate, zero rates and volatility stay; the lag from today to spot
stays with them. charm is the same change of delta, whose factor P_d·g grows with r_f.

One unit of base for delivery on the value date has the delta P_d·g: over it, the delta of a leg is that of its forward
hedge. Less V/S it is premium-adjusted, as the delta of a position whose worth is held in base currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from services.pricing.domain.batch import Columns
from services.pricing.domain.exotic import Exotic
from services.pricing.domain.market import Standing
from services.pricing.domain.product import Exchange, Option

Leg = Exchange | Option | Exotic


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
    vanna: float = 0.0
    volga: float = 0.0
    charm: float = 0.0

    def __add__(self, other: Valuation) -> Valuation:
        return Valuation(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Priced:
    """A leg with the market that it was priced with and what it is worth; `hedge` is what the function says."""

    leg: Leg
    forward: float
    rate: float
    volatility: float
    valuation: Valuation
    hedge: float
    smile_slope: float = 0.0


@dataclass(frozen=True, slots=True)
class _Unit:
    """u of the module's docstring and its derivatives: by the forward, by volatility, by passing time, and those of u′
    and of vega by volatility, of u′ by passing time; in the order of `formula.vanillas`."""

    value: float
    slope: float
    curvature: float = 0.0
    vega: float = 0.0
    decay: float = 0.0
    vanna: float = 0.0
    volga: float = 0.0
    charm: float = 0.0


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


def value_options(
    options: Sequence[Option], standing: Standing, given: Columns, found: tuple[NDArray, ...]
) -> list[Priced]:
    """The worth of options from what `formula.vanillas` gave for `option_columns`."""
    priced = []
    for i, each in enumerate(options):
        unit = _Unit(*(float(column[i]) for column in found))
        valuation = _valued(standing, each.notional, standing.time(each.value_date), unit)
        market = float(given.spot[i]), each.strike, float(given.volatility[i])
        priced.append(Priced(each, *market, valuation, hedge(standing, each.value_date)))
    return priced


def value_exchange(leg: Exchange, standing: Standing) -> Priced:
    """The worth of an exchange: zero at the forward, and where the leg has no rate that is the rate."""
    forward = standing.forward(leg.value_date)
    rate = forward if leg.rate is None else leg.rate
    valuation = _valued(standing, leg.notional, standing.time(leg.value_date), _Unit(forward - rate, 1.0))
    return Priced(leg, forward, rate, 0.0, valuation, hedge(standing, leg.value_date))


def hedge(standing: Standing, value_date: date) -> float:
    """The delta of one unit of base for delivery on a day: P_d·g of the module's docstring."""
    discount = float(standing.domestic.discount(standing.time(value_date)))
    return discount * standing.forward(value_date) / standing.spot


def reported(found: Valuation, spot: float, spot_time: float, rate: float, *, moves: bool) -> Valuation:
    """A valuation in another currency, of which the counter currency's unit is worth `rate` today.

    Args:
        spot: the pair's quoted spot rate S.
        spot_time: years from today to the spot date.
        moves: whether `rate` begins with the pair's own 1/S₀, which is e^{(r_d − r_f)·t_s}/S and so moves with S and
            with both zero rates; what else is in it stays. The product rule on V·rate gives the rest.
    """
    by_rate = Valuation(*(rate * getattr(found, f.name) for f in fields(found)))
    if not moves:
        return by_rate
    worth, delta = by_rate.present_value, by_rate.delta
    return replace(
        by_rate,
        delta=delta - worth / spot,
        gamma=by_rate.gamma - 2.0 * delta / spot + 2.0 * worth / (spot * spot),
        vanna=by_rate.vanna - by_rate.vega / spot,
        charm=by_rate.charm - by_rate.theta / spot,
        rho_domestic=by_rate.rho_domestic + spot_time * worth,
        rho_foreign=by_rate.rho_foreign - spot_time * worth,
    )


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
        vanna=amount * unit.vanna * growth,
        volga=amount * unit.volga,
        charm=amount * growth * (foreign * unit.slope + unit.charm - unit.curvature * forward * (domestic - foreign)),
    )
