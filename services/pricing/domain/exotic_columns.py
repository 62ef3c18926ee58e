"""What the kernel is asked for an exotic option: its price at the market and at the points around it.

What counts for a formula is the spot rate, σ·√τ and the logarithms A and B of both discount factors (see
`exotic_valuation`), not how long the option lives: the kernel is given rates A and B over a clock of one year, or of τ
if that is longer. They stay within its bounds also an hour before the expiry.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.pricing.domain.derivative import AXES, MIXED, Grid, Line
from services.pricing.domain.exotic import American, Asian, Barrier, Digital, Exotic, Touch
from services.pricing.domain.formula import (
    Columns,
    Formula,
    americans,
    asians,
    barriers,
    digitals,
    double_barriers,
    double_touches,
    touches,
)
from services.pricing.domain.market import Standing

Array = NDArray[np.float64]

SLOPE_WIDTH = 1e-5
"""Half the width of the call spread whose limit a digital is, over the strike."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """How many points a line has by spot, by anything else, and for mixed derivatives, and their distances by spot and
    by anything else in the scale on which prices bend."""

    spot: int
    others: int
    mixed: int
    step_spot: float
    step: float


USUAL = Pattern(7, 5, 5, 0.02, 0.01)
BOUNDARY = Pattern(5, 3, 3, 0.02, 0.005)
"""An exercise boundary takes the kernel a millisecond, and prices by it are smooth: few points, near to each other."""
TREE = Pattern(7, 5, 5, 0.1, 0.1)
"""The prices of trees are rough by some 1e-5 of the strike: points that are further apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """A question to the kernel, and what its answer needs to be read."""

    leg: Exotic
    formula: Formula
    columns: Columns
    grid: Grid
    forward: float
    volatility: float
    smile_slope: float


@dataclass(frozen=True, slots=True)
class _Ground:
    """S, τ, σ, A and B of an option, and the zero rates to its delivery."""

    spot: float
    time: float
    volatility: float
    domestic: float
    foreign: float
    domestic_rate: float
    foreign_rate: float

    @property
    def deviation(self) -> float:
        return self.volatility * math.sqrt(self.time)


def ask(leg: Exotic, standing: Standing) -> Ask:
    """The formula of an option, and its arguments at all points.

    Raises:
        Missing: the pair has no surface.
    """
    time = np.array([standing.time_to(leg.expires)])
    delivered = standing.time(leg.value_date)
    forward = standing.forward(leg.value_date)
    strike = forward if isinstance(leg, Touch) else leg.strike
    volatility = float(standing.volatility(time, np.array([strike]))[0])
    slope = _slope(standing, time, strike) if isinstance(leg, Digital) else 0.0
    domestic, foreign = float(standing.domestic.growth(delivered)), float(standing.foreign.growth(delivered))
    ground = _Ground(
        spot=standing.spot,
        time=float(time[0]),
        volatility=volatility,
        domestic=domestic - float(standing.domestic.growth(standing.spot_time)),
        foreign=foreign - float(standing.foreign.growth(standing.spot_time)),
        domestic_rate=domestic / delivered,
        foreign_rate=foreign / delivered,
    )
    next_fixing = standing.time_to(leg.next_fixing) if isinstance(leg, Asian) else ground.time
    grid = _grid(leg, ground, next_fixing)
    formula, columns = _Points(ground, grid.moves).columns(leg, next_fixing, slope)
    return Ask(leg, formula, columns, grid, forward, volatility, slope)


def _slope(standing: Standing, time: Array, strike: float) -> float:
    """dσ/dK at a strike: the mean of both sides where the smile has a kink, as a symmetric call spread has it."""
    ends = strike * np.array([1.0 - SLOPE_WIDTH, 1.0 + SLOPE_WIDTH])
    low, high = standing.volatility(np.repeat(time, 2), ends)
    return float((high - low) / (ends[1] - ends[0]))


def _grid(leg: Exotic, ground: _Ground, passing_max: float) -> Grid:
    """The points at which an option is priced, as far apart as its price bends.

    It bends on the scale of w = σ·√τ in ln S, in A and in B, and on that of 1 where w is more. Between two barriers it
    fades with exp(−π²·w²/(2·ℓ²)), ℓ = ln(upper/lower): there the scales are ℓ/3 in ln S and ℓ²/(10·w) in w.
    """
    deviation = ground.deviation
    low, high = -math.inf, math.inf
    if isinstance(leg, Barrier | Touch):
        low = math.log(leg.lower / ground.spot) if leg.lower else low
        high = math.log(leg.upper / ground.spot) if leg.upper else high
    reach = min(1.0, deviation)
    fade = 0.1 * ((high - low) / deviation) ** 2
    rate = max(abs(ground.domestic_rate), abs(ground.foreign_rate))
    scales = {
        "spot": min(reach, (high - low) / 3.0),
        "volatility": ground.volatility * min(1.0, 1.0 / deviation, fade),
        "domestic": reach,
        "foreign": reach,
        "passing": min(ground.time * min(1.0, 1.0 / deviation**2, fade), reach / rate if rate else math.inf),
    }
    pattern = _pattern(leg, ground)
    limits = {"spot": (low, high), "passing": (-math.inf, passing_max)}

    def line(axis: str, count: int, step: float) -> Line:
        return Line.within(count, step * scales[axis], *limits.get(axis, (-math.inf, math.inf)))

    lines = {axis: line(axis, pattern.others, pattern.step) for axis in AXES}
    lines["spot"] = line("spot", pattern.spot, pattern.step_spot)
    return Grid(lines, {axis: line(axis, pattern.mixed, pattern.step) for axis in ("spot", *MIXED)})


def _pattern(leg: Exotic, ground: _Ground) -> Pattern:
    """An American option has its own. The kernel finds one exercise boundary where what is received earns interest;
    where it does not, it takes trees if what is paid costs less still."""
    if not isinstance(leg, American):
        return USUAL
    earned, paid = (ground.foreign, ground.domestic) if leg.call else (ground.domestic, ground.foreign)
    near = 2.0 * BOUNDARY.step * min(1.0, ground.deviation)
    return TREE if earned <= near and paid <= earned + near else BOUNDARY


class _Points:
    """The market at all points, as the kernel takes it."""

    def __init__(self, ground: _Ground, moves: Array) -> None:
        by_spot, by_volatility, by_domestic, by_foreign, self.passing = moves
        self.count, self.clock = moves.shape[1], max(1.0, ground.time)
        self.spot, self.time = ground.spot * np.exp(by_spot), ground.time - self.passing
        self.span = np.sqrt(self.time / self.clock)
        self.volatility = (ground.volatility + by_volatility) * self.span
        self.rates = (
            (ground.domestic + by_domestic - ground.domestic_rate * self.passing) / self.clock,
            (ground.foreign + by_foreign - ground.foreign_rate * self.passing) / self.clock,
        )

    def columns(self, leg: Exotic, next_fixing: float, slope: float) -> tuple[Formula, Columns]:
        """The formula of an option and its columns."""
        (clock,) = self._each(self.clock)
        market = (clock, self.volatility, *self.rates)
        match leg:
            case Digital():
                sides = self._codes(leg.call, leg.in_base)
                return digitals, (*sides, self.spot, *self._each(leg.strike), *market, slope * self.span)
            case Barrier(lower=lower, upper=upper) if lower and upper:
                levels = self._each(leg.strike, lower, upper, leg.rebate)
                return double_barriers, (*self._codes(leg.call, leg.knocks_in), self.spot, *levels, *market)
            case Barrier(lower=lower, upper=upper):
                sides = self._codes(leg.call, (0 if lower else 2) + leg.knocks_in)
                return barriers, (
                    *sides,
                    self.spot,
                    *self._each(leg.strike, lower or upper or 0.0, leg.rebate),
                    *market,
                )
            case Touch(lower=lower, upper=upper) if lower and upper:
                sides = self._codes(leg.touched + leg.at_hit, leg.in_base)
                return double_touches, (*sides, self.spot, *self._each(lower, upper), *market)
            case Touch(lower=lower, upper=upper):
                sides = self._codes(leg.touched + leg.at_hit, not lower, leg.in_base)
                return touches, (*sides, self.spot, *self._each(lower or upper or 0.0), *market)
            case Asian():
                first = self.clock * np.clip((next_fixing - self.passing) / self.time, 0.0, 1.0)
                weight = leg.past_count / (leg.past_count + leg.fixings)
                average = self._each(leg.fixings, weight, leg.past_average)
                columns = (self.spot, *self._each(leg.strike), first, clock, *average, *market[1:])
                return asians, (*self._codes(leg.call), *columns)
            case American():
                return americans, (*self._codes(leg.call), self.spot, *self._each(leg.strike), *market)

    def _codes(self, *values: int) -> tuple[NDArray[np.int8], ...]:
        return tuple(np.full(self.count, value, np.int8) for value in values)

    def _each(self, *values: float) -> tuple[Array, ...]:
        return tuple(np.full(self.count, value, np.float64) for value in values)
