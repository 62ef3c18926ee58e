"""The smile of one expiry, from quotes by delta, as it runs between and beyond its points."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import sabr, smile, vanna_volga
from crossrate.kernel.faults import ArgumentError
from crossrate.kernel.strike import AtmConvention, DeltaConvention
from services.pricing.domain.product import Cut
from services.pricing.domain.refusal import Refused

Array = NDArray[np.float64]

VANNA_VOLGA_DEVIATIONS = 2.0
SABR_DEVIATIONS = 5.0
WING_DEVIATIONS = 6.0
"""Log-moneyness, in deviations at the money, beyond which these two are held flat."""
WING_POINTS = 81
VOLATILITY_MIN, VOLATILITY_MAX = 1e-4, 10.0
"""What a smile may be anywhere, also between and beyond its points: what is outside no quotes can mean."""


class Between(enum.Enum):
    """How a smile runs between its points."""

    POLYNOMIAL = 1
    VANNA_VOLGA = 2
    SABR = 3


Curve = Callable[[Array], Array]
"""From strikes to volatilities."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """What the quotes of one expiry say: points by ascending strike, and the polynomial in delta through them.

    `time` is in years to the cut, `forward` for the delivery date. Deltas of puts are negative; at the money is 0.
    """

    expiry: date
    cut: Cut
    delivery: date
    time: float
    forward: float
    delta_convention: DeltaConvention
    atm_convention: AtmConvention
    deltas: Array
    strikes: Array
    volatilities: Array
    coefficients: Array
    field: str

    @property
    def atm(self) -> float:
        """The volatility at the money."""
        return float(self.volatilities[len(self.volatilities) // 2])

    @property
    def deviation(self) -> float:
        """σ√T at the money."""
        return self.atm * self.time**0.5


@dataclass(frozen=True, slots=True, eq=False)
class QuotedSmile:
    """A smile from quotes: its points, the curve through them, how far that misses them, and where it is held flat.

    `low` and `high` are strikes: below and above, the volatility stays.
    """

    points: Points
    curve: Curve
    fit_error: float
    low: float
    high: float

    @property
    def time(self) -> float:
        """Years to the expiry."""
        return self.points.time

    def volatility(self, moneyness: Array, forward: float) -> Array:
        """Volatilities by ln(K/F), F the forward that is given."""
        return self.curve(np.clip(forward * np.exp(moneyness), self.low, self.high))


def run(points: Points, between: Between, beta: float) -> QuotedSmile:
    """The smile through points.

    Raises:
        Refused: somewhere the curve has no volatility that there could be, or SABR does not converge.
    """
    try:
        return _run(points, between, beta)
    except ArgumentError as error:
        raise Refused(points.field, f"the smile has no {between.name.lower()} form: {error}") from None


def _run(points: Points, between: Between, beta: float) -> QuotedSmile:
    # A single point is flat, three or five are what the method says.
    chosen = between if len(points.strikes) > 1 else Between.POLYNOMIAL
    curve, low, high = _METHODS[chosen](points, beta)
    missed = curve(np.clip(points.strikes, low, high)) - points.volatilities
    wide = points.forward * np.exp(np.linspace(-WING_DEVIATIONS, WING_DEVIATIONS, 2 * WING_POINTS) * points.deviation)
    everywhere = np.append(np.clip(wide, low, high), [low, high])
    found = curve(everywhere)
    strange = ~((found >= VOLATILITY_MIN) & (found <= VOLATILITY_MAX))
    if strange.any():
        at, value = float(everywhere[strange][0]), float(found[strange][0])
        words = (
            f"these quotes make a volatility of {value:.3g} at {at:.6g}: choose another interpolation, or look at them"
        )
        raise Refused(points.field, words)
    return QuotedSmile(points, curve, float(np.abs(missed).max()), low, high)


def _polynomial(points: Points, beta: float) -> tuple[Curve, float, float]:
    forward, time, atm = points.forward, points.time, points.atm

    def curve(strikes: Array) -> Array:
        return smile.volatility(forward, time, atm, np.tile(points.coefficients, (len(strikes), 1)), strikes)

    # The polynomial levels off by itself; further out its argument has the value 1 to the last bit.
    return curve, *_strikes(points, 40.0)


def _vanna_volga(points: Points, beta: float) -> tuple[Curve, float, float]:
    middle = len(points.strikes) // 2
    inner = slice(middle - 1, middle + 2)
    strikes, volatilities = points.strikes[inner], points.volatilities[inner]

    def found(at: Array) -> tuple[Array, NDArray[np.uint8]]:
        many = (np.tile(strikes, (len(at), 1)), np.tile(volatilities, (len(at), 1)))
        order = vanna_volga.Order.SECOND
        return vanna_volga.volatility(order, points.forward, points.time, *many, at, with_status=True)

    low, high = _strikes(points, VANNA_VOLGA_DEVIATIONS)
    low, high = min(low, float(strikes[0])), max(high, float(strikes[-1]))
    ends = []
    for inside, outside in ((float(strikes[0]), low), (float(strikes[-1]), high)):
        wing = np.geomspace(inside, outside, WING_POINTS)
        wing[0], wing[-1] = inside, outside
        bad = found(wing)[1] > 0
        # The last strike on the way out up to which the formula has values.
        ends.append(float(wing[int(bad.argmax()) - 1] if bad.any() else outside))
    return lambda at: found(at)[0], ends[0], ends[1]


def _sabr(points: Points, beta: float) -> tuple[Curve, float, float]:
    rows = points.strikes[None, :], points.volatilities[None, :]
    fitted = sabr.calibrate(points.forward, points.time, beta, *rows)
    alpha, rho, nu = float(fitted.alpha[0]), float(fitted.rho[0]), float(fitted.nu[0])

    def curve(strikes: Array) -> Array:
        return sabr.volatility(points.forward, strikes, points.time, alpha, beta, rho, nu)

    return curve, *_strikes(points, SABR_DEVIATIONS)


_METHODS = {Between.POLYNOMIAL: _polynomial, Between.VANNA_VOLGA: _vanna_volga, Between.SABR: _sabr}


def _strikes(points: Points, deviations: float) -> tuple[float, float]:
    """The strikes so many deviations below and above the forward."""
    wide = float(np.exp(min(deviations * points.deviation, 60.0)))
    return points.forward / wide, points.forward * wide
