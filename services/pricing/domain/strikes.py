"""Strikes of deltas and of what is at the money, at a given volatility or on a smile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import strike as kernel
from crossrate.kernel.faults import ArgumentError
from services.pricing.domain.refusal import Refused

Array = NDArray[np.float64]
Places = NDArray[np.int64]
Smile = Callable[[Places, Array], Array]
"""From places of options and their strikes to volatilities."""

ROUNDS_MAX = 60
NEAR, ROUNDING = 4e-15, 1e-11
"""A strike has come to rest when a round moves it by no more than the first share, or by no less than the round before
while that is below the second: then it is rounding that moves it."""
DELTA_NEAR = 1e-12
"""How near a solution's delta is to the one that was asked for, at least."""
SCAN_DEVIATIONS, SCAN_POINTS, HALVINGS = 10.0, 201, 60
"""Where rounds do not come to rest: log-moneyness in deviations that is searched, strikes at once, then halvings."""
BY_DELTA = -1


@dataclass(frozen=True, slots=True, eq=False)
class Sought:
    """What is sought, arrays of one length.

    `atm` is an AtmConvention's code, or BY_DELTA. `domestic` and `foreign` are rates times time, −ln of the discount
    factor from the spot date to delivery. Strikes depend on these and on σ√T alone, so that the kernel is given a year
    in place of a shorter time, of which rates to delivery would be without bound.
    """

    delta: Array
    convention: NDArray[np.int8]
    atm: NDArray[np.int8]
    spot: Array
    time: Array
    domestic: Array
    foreign: Array

    def of(self, places: Places) -> Sought:
        """Some of it."""
        return Sought(*(getattr(self, name)[places] for name in self.__slots__))

    @property
    def forward(self) -> Array:
        """Forwards, counter per base."""
        return self.spot * np.exp(self.domestic - self.foreign)

    def strikes(self, volatility: Array) -> tuple[Array, NDArray[np.uint8]]:
        """Strikes at volatilities, and a `Reason` for each; NaN where there is one."""
        market = self._market(volatility)
        found, status = np.full(len(volatility), np.nan), np.zeros(len(volatility), np.uint8)
        by = np.flatnonzero(self.atm == BY_DELTA)
        if by.size:
            delta = self.delta[by]
            found[by], status[by] = kernel.from_delta(
                (delta > 0).astype(np.int8),
                self.convention[by],
                self.spot[by],
                delta,
                *(each[by] for each in market),
                with_status=True,
            )
        at = np.flatnonzero(self.atm != BY_DELTA)
        if at.size:
            found[at] = kernel.atm(self.atm[at], self.convention[at], self.spot[at], *(each[at] for each in market))
        return found, status

    def deltas(self, strike: Array, volatility: Array) -> Array:
        """Deltas of strikes at volatilities, of calls where the delta that is sought is positive, else of puts."""
        call = (self.delta > 0).astype(np.int8)
        return kernel.delta(call, self.convention, self.spot, strike, *self._market(volatility))

    def _market(self, volatility: Array) -> tuple[Array, Array, Array, Array]:
        time = np.maximum(self.time, 1.0)
        return time, volatility * np.sqrt(self.time / time), self.domestic / time, self.foreign / time


def require_deltas(delta: Array, atm: NDArray[np.int8]) -> None:
    """Checks that what is sought by delta has one.

    Raises:
        Refused: a delta is zero.
    """
    wrong = (atm == BY_DELTA) & (delta == 0.0)
    if wrong.any():
        place = int(wrong.argmax())
        raise Refused(f"delta[{place}]", "is 0: it must be positive for a call, negative for a put")


def at_volatility(sought: Sought, volatility: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Strikes at given volatilities, the volatilities, and whether each was found."""
    strike, status = sought.strikes(volatility)
    fine = status == 0
    return strike, np.where(fine, volatility, np.nan), fine


def on_smile(sought: Sought, smile: Smile) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Strikes that have their delta at the smile's own volatility, those volatilities, and whether each was found.

    Rounds of K → K(Δ, σ(K)) come to rest where the smile is not steep, and end on the market's side of the two strikes
    of a premium-adjusted call; where they do not, the strikes around the forward are searched.
    """
    count = len(sought.delta)
    every = np.arange(count)
    strike = sought.forward.copy()
    resting, before = np.zeros(count, bool), np.full(count, np.inf)
    open_ = every
    for _ in range(ROUNDS_MAX):
        part = sought.of(open_)
        following, status = part.strikes(smile(open_, strike[open_]))
        lost = status > 0
        moved = np.abs(following / strike[open_] - 1.0)
        strike[open_] = np.where(lost, strike[open_], following)
        rests = ~lost & ((moved <= NEAR) | ((moved <= ROUNDING) & (moved >= before[open_])))
        resting[open_], before[open_] = rests, moved
        open_ = open_[~lost & ~rests]
        if not open_.size:
            break
    volatility = smile(every, strike)
    fine = _solved(sought, strike, volatility, resting)
    for place in np.flatnonzero(~fine & (sought.atm == BY_DELTA)):
        at = np.array([place])
        found = _searched(sought.of(at), lambda k, at=at: smile(np.repeat(at, len(k)), k))
        if found is not None:
            strike[place] = found
            volatility[place] = smile(at, strike[at])[0]
            fine[place] = True
    strike[~fine] = volatility[~fine] = np.nan
    return strike, volatility, fine


def _solved(sought: Sought, strike: Array, volatility: Array, resting: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether strikes have what is sought: rest alone does not say so for the last digits of short times."""
    by = sought.atm == BY_DELTA
    try:
        near = np.abs(sought.deltas(strike, volatility) - sought.delta) <= DELTA_NEAR
    except ArgumentError:
        # One strike has no finite delta; those at rest are looked at without it.
        near = resting
    return np.where(by, near, resting)


def _searched(one: Sought, curve: Callable[[Array], Array]) -> float | None:
    """The strike of one delta by search: of several that have it the highest, which is the market's."""
    forward = float(one.forward[0])
    deviation = float(curve(np.array([forward]))[0]) * float(one.time[0]) ** 0.5

    def error(moneyness: Array) -> Array:
        strike = forward * np.exp(moneyness)
        many = one.of(np.zeros(len(strike), np.int64))
        return many.deltas(strike, curve(strike)) - one.delta[0]

    span = SCAN_DEVIATIONS * max(deviation, 1e-9)
    grid = np.linspace(-span, span, SCAN_POINTS)
    try:
        errors = error(grid)
        turns = np.flatnonzero(np.sign(errors[1:]) != np.sign(errors[:-1]))
        if not turns.size:
            return None
        low, high = grid[turns[-1]], grid[turns[-1] + 1]
        sign = np.sign(errors[turns[-1]])
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if np.sign(error(np.array([middle]))[0]) == sign else (low, middle)
        rest = abs(float(error(np.array([high]))[0]))
    except ArgumentError:
        return None
    # A jump of the smile is crossed without a solution.
    return forward * float(np.exp(high)) if rest <= DELTA_NEAR else None
