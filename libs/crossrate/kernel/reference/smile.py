"""Smiles from quotes: the numpy twins of xr/smile.h, row by row side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason
from crossrate.kernel.reference.normal import density, distribution
from crossrate.kernel.reference.strike import delta_factor, is_level, moneyness_atm, moneyness_of_delta

Array = NDArray[np.float64]
Code = NDArray[np.int8]
Reasons = NDArray[np.uint8]

BUMP = 1e-6
TOLERANCE = 1e-12
STEPS_MAX = 50
HALVINGS_MAX = 16
READINGS_MAX = 200


@dataclass
class _Quotes:
    """Rows of quotes; matrices have a row a pair, the inner pair first."""

    atm_convention: Code
    convention: Code
    market: NDArray[np.bool_]
    spot: Array
    time: Array
    domestic: Array
    foreign: Array
    atm: Array
    delta: Array
    risk_reversal: Array
    butterfly: Array

    def __post_init__(self) -> None:
        self.pairs = len(self.delta)
        self.root_time = np.sqrt(self.time)
        self.s = self.atm * self.root_time
        self.carry = (self.domestic - self.foreign) * self.time
        self.unsigned = self.delta / delta_factor(self.convention, self.foreign, self.time)
        self.atm_moneyness = moneyness_atm(self.atm_convention, self.convention, self.s, self.carry)

    def taken(self, rows: NDArray[np.intp]) -> _Quotes:
        """Some of the rows."""
        columns = (
            self.atm_convention,
            self.convention,
            self.market,
            self.spot,
            self.time,
            self.domestic,
            self.foreign,
            self.atm,
        )
        wide = (self.delta, self.risk_reversal, self.butterfly)
        return _Quotes(*(each[rows] for each in columns), *(each[:, rows] for each in wide))

    def wing(self, call: int, pair: int, volatility: Array) -> tuple[Array, Reasons]:
        """Moneyness of a pair's call or put at a volatility."""
        side = np.full(volatility.shape, call, np.int8)
        return moneyness_of_delta(side, self.convention, self.unsigned[pair], volatility * self.root_time)


def abscissa(moneyness: Array, s: Array) -> Array:
    """What the smile is a polynomial of: twice the delta at the volatility at the money, less one."""
    x = moneyness / s
    tail = 2.0 * distribution(-np.abs(x))
    return np.where(x > 0.0, tail - 1.0, 1.0 - tail)


def value(c: Array, u: Array) -> Array:
    """Volatility from coefficients, the first axis of which is the degree."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp((((c[4] * u + c[3]) * u + c[2]) * u + c[1]) * u + c[0])


def _fit(moneyness: Array, volatility: Array, s: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Coefficients through points, the first axis of which is the point, and where they descend in u."""
    points = len(moneyness)
    u = abscissa(moneyness, s)
    with np.errstate(divide="ignore", invalid="ignore"):
        d = np.log(volatility)
        for j in range(1, points):
            d[j:] = (d[j:] - d[j - 1 : -1]) / (u[j:] - u[: points - j])
        c = np.zeros((5, moneyness.shape[1]))
        for j in reversed(range(points)):
            c[1:] = c[:-1] - u[j] * c[1:]
            c[0] = d[j] - u[j] * c[0]
    return c, (np.diff(u, axis=0) < 0.0).all(axis=0)


def _option(sign: float, moneyness: Array, s: Array) -> Array:
    """The premium of a call or put for a forward of one."""
    d1 = 0.5 * s - moneyness / s
    return sign * (distribution(sign * d1) - np.exp(moneyness) * distribution(sign * (d1 - s)))


def _smile(q: _Quotes, strangle: Array) -> tuple[Array, Array, Array, Reasons]:
    """Moneyness, volatilities and coefficients of the smiles with these smile strangles."""
    middle = q.pairs
    moneyness = np.empty((2 * middle + 1, q.atm.size))
    volatility = np.empty_like(moneyness)
    moneyness[middle], volatility[middle] = q.atm_moneyness, q.atm
    reasons = np.zeros(q.atm.size, np.uint8)
    for j in range(q.pairs):
        for call in (0, 1):
            at = middle + 1 + j if call else middle - 1 - j
            half = 0.5 * q.risk_reversal[j]
            volatility[at] = q.atm + strangle[j] + (half if call else -half)
            positive = volatility[at] > 0.0
            moneyness[at], why = q.wing(call, j, np.where(positive, volatility[at], 1.0))
            why = np.where(positive, why, Reason.INCONSISTENT)
            reasons = np.where(reasons == 0, why, reasons).astype(np.uint8)
    fine = reasons == 0
    c = np.full((5, q.atm.size), np.nan)
    c[:, fine], descends = _fit(moneyness[:, fine], volatility[:, fine], q.s[fine])
    reasons[fine] = np.where(descends, Reason.OK, Reason.INCONSISTENT)
    return moneyness, volatility, c, reasons


def _strangles(q: _Quotes) -> tuple[Array, Array, Array, Array, Reasons]:
    """Moneyness of calls and puts, premiums and vegas of the market strangles."""
    call, put, premium, vega = np.full((4, q.pairs, q.atm.size), np.nan)
    reasons = np.zeros(q.atm.size, np.uint8)
    for j in range(q.pairs):
        volatility = q.atm + q.butterfly[j]
        positive = volatility > 0.0
        s = np.where(positive, volatility, 1.0) * q.root_time
        call[j], no_call = q.wing(1, j, np.where(positive, volatility, 1.0))
        put[j], no_put = q.wing(0, j, np.where(positive, volatility, 1.0))
        why = np.where(positive, np.where(no_call > 0, no_call, no_put), Reason.INCONSISTENT)
        reasons = np.where(reasons == 0, why, reasons).astype(np.uint8)
        fine = reasons == 0
        k, p, t = call[j, fine], put[j, fine], s[fine]
        premium[j, fine] = _option(1.0, k, t) + _option(-1.0, p, t)
        vega[j, fine] = q.root_time[fine] * (density(0.5 * t - k / t) + density(0.5 * t - p / t))
    return call, put, premium, vega, reasons


def _missed(q: _Quotes, target: tuple[Array, ...], strangle: Array) -> tuple[Array, Array]:
    """By how much volatility the smiles miss each market strangle, and the greatest; infinite without a smile."""
    call, put, premium, vega = target
    c, reasons = _smile(q, strangle)[2:]
    by = np.full(strangle.shape, np.inf)
    fine = reasons == 0
    for j in range(q.pairs):
        k, p, s = call[j, fine], put[j, fine], q.s[fine]
        at_call = value(c[:, fine], abscissa(k, s)) * q.root_time[fine]
        at_put = value(c[:, fine], abscissa(p, s)) * q.root_time[fine]
        both = _option(1.0, k, at_call) + _option(-1.0, p, at_put)
        by[j, fine] = (both - premium[j, fine]) / vega[j, fine]
    worst = np.abs(by).max(axis=0)
    return by, np.where(np.isnan(worst), np.inf, worst)


def _step(q: _Quotes, target: tuple[Array, ...], x: Array, r: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Newton's step for rows, and where the slopes could be had."""
    j = np.zeros((2, 2, x.shape[1]))
    j[0, 0] = j[1, 1] = 1.0
    fine = np.ones(x.shape[1], np.bool_)
    for m in range(q.pairs):
        moved = x.copy()
        moved[m] += BUMP
        by, worst = _missed(q, target, moved)
        fine &= np.isfinite(worst)
        with np.errstate(invalid="ignore"):
            j[: q.pairs, m] = (by - r) / BUMP
    with np.errstate(invalid="ignore", divide="ignore"):
        determinant = j[0, 0] * j[1, 1] - j[0, 1] * j[1, 0]
        if q.pairs == 1:
            return -r / determinant, fine
        first = -(r[0] * j[1, 1] - r[1] * j[0, 1]) / determinant
        return np.stack([first, -(r[1] * j[0, 0] - r[0] * j[1, 0]) / determinant]), fine


def _calibrate(q: _Quotes) -> tuple[Array, Reasons]:
    """The smile strangles that meet the market strangles."""
    *target, reasons = _strangles(q)
    x = q.butterfly.copy()
    no_smile = _smile(q, x)[3]
    reasons = np.where(reasons == 0, no_smile, reasons).astype(np.uint8)
    worst = np.full(q.atm.size, np.inf)
    at = np.flatnonzero(reasons == 0)
    r = np.zeros_like(x)
    if at.size:
        r[:, at], worst[at] = _missed(q.taken(at), tuple(each[:, at] for each in target), x[:, at])
    for _ in range(STEPS_MAX):
        at = at[worst[at] > 1e-16]
        if at.size == 0:
            break
        row, aim = q.taken(at), tuple(each[:, at] for each in target)
        dx, had = _step(row, aim, x[:, at], r[:, at])
        worst[at[~had]] = np.inf
        improved = np.zeros(at.size, np.bool_)
        for half in range(HALVINGS_MAX):
            open_ = np.flatnonzero(had & ~improved)
            if open_.size == 0:
                break
            to = x[:, at[open_]] + 0.5**half * dx[:, open_]
            by, now = _missed(row.taken(open_), tuple(each[:, open_] for each in aim), to)
            better = now < worst[at[open_]]
            rows = at[open_[better]]
            x[:, rows], r[:, rows], worst[rows] = to[:, better], by[:, better], now[better]
            improved[open_[better]] = True
        at = at[improved]
    missed = (reasons == 0) & ~(worst <= TOLERANCE)
    return x, np.where(missed, Reason.NOT_CONVERGED, reasons).astype(np.uint8)


def _solve(q: _Quotes) -> tuple[Array, Array, Array, Reasons]:
    """Strikes, volatilities, coefficients and reasons."""
    strangle = q.butterfly.copy()
    reasons = np.zeros(q.atm.size, np.uint8)
    market = np.flatnonzero(q.market)
    if market.size:
        strangle[:, market], reasons[market] = _calibrate(q.taken(market))
    moneyness, volatility, c, why = _smile(q, strangle)
    reasons = np.where(reasons == 0, why, reasons).astype(np.uint8)
    with np.errstate(over="ignore", invalid="ignore"):
        strike = q.spot * np.exp(moneyness + q.carry)
    lost = (reasons == 0) & ~is_level(strike).all(axis=0)
    reasons = np.where(lost, Reason.NO_SOLUTION, reasons).astype(np.uint8)
    for each in (strike, volatility, c):
        each[:, reasons > 0] = np.nan
    return strike, volatility, c, reasons


def three(
    atm_convention: Code, delta_convention: Code, strangle: Code, spot: Array, time: Array, *rest: Array
) -> tuple[Array, ...]:
    """Smiles through three points: xr_smile_three."""
    domestic, foreign, delta, atm, risk_reversal, butterfly = rest
    wide = (delta[None], risk_reversal[None], butterfly[None])
    q = _Quotes(atm_convention, delta_convention, strangle == 0, spot, time, domestic, foreign, atm, *wide)
    with np.errstate(all="ignore"):
        strike, volatility, c, reasons = _solve(q)
    return (*strike, *volatility, *c[:3], reasons)


def five(
    atm_convention: Code, delta_convention: Code, strangle: Code, spot: Array, time: Array, *rest: Array
) -> tuple[Array, ...]:
    """Smiles through five points: xr_smile_five."""
    domestic, foreign, inner, outer, atm, *quoted = rest
    fine = outer < inner
    wide = (np.stack([inner, outer]), np.stack(quoted[0::2]), np.stack(quoted[1::2]))
    q = _Quotes(atm_convention, delta_convention, strangle == 0, spot, time, domestic, foreign, atm, *wide)
    found = np.full((15, spot.size), np.nan)
    reasons = np.full(spot.size, Reason.INCONSISTENT, np.uint8)
    with np.errstate(all="ignore"):
        strike, volatility, c, reasons[fine] = _solve(q.taken(np.flatnonzero(fine)))
    found[:, fine] = np.concatenate([strike, volatility, c])
    return (*found, reasons)


def volatility(forward: Array, time: Array, atm: Array, *rest: Array) -> tuple[Array, Reasons]:
    """Volatility of a strike: xr_smile_volatility."""
    *c, strike = rest
    found = value(np.stack(c), abscissa(np.log(strike / forward), atm * np.sqrt(time)))
    reasons = np.where((found >= 1e-6) & (found <= 100.0), Reason.OK, Reason.NO_SOLUTION).astype(np.uint8)
    return np.where(reasons == 0, found, np.nan), reasons


def at_delta(
    put_or_call: Code, delta_convention: Code, forward: Array, time: Array, foreign: Array, atm: Array, *rest: Array
) -> tuple[Array, ...]:
    """Strike and volatility of a delta: xr_smile_at_delta."""
    *columns, delta = rest
    x = np.where(put_or_call == 1, delta, -delta) / delta_factor(delta_convention, foreign, time)
    root_time = np.sqrt(time)
    with np.errstate(all="ignore"):
        moneyness, found, reasons = _read(
            put_or_call, delta_convention, x, root_time, atm * root_time, np.stack(columns)
        )
        strike = forward * np.exp(moneyness)
    reasons[(reasons == 0) & ~is_level(strike)] = Reason.NO_SOLUTION
    fine = reasons == 0
    return np.where(fine, strike, np.nan), np.where(fine, found, np.nan), reasons


def _read(call: Code, convention: Code, x: Array, root_time: Array, s: Array, c: Array) -> tuple[Array, Array, Reasons]:
    """Secants kept between two sides, else halving; see smile_reading.c."""
    reach = np.abs(c[1:]).sum(axis=0)
    low = 0.5 * np.maximum(np.exp(c[0] - reach), 1e-6)
    high = 2.0 * np.minimum(np.exp(c[0] + reach), 100.0)
    v = np.minimum(np.maximum(s / root_time, low), high)
    before, difference_before = np.full((2, v.size), np.nan)
    moneyness, found = np.full((2, v.size), np.nan)
    reasons = np.full(v.size, Reason.NOT_CONVERGED, np.uint8)
    at = np.arange(v.size)
    for _ in range(READINGS_MAX):
        if at.size == 0:
            break
        now, last, last_difference = v[at], before[at], difference_before[at]
        moneyness[at], why = moneyness_of_delta(call[at], convention[at], x[at], now * root_time[at])
        has = why == 0
        difference = value(c[:, at], abscissa(moneyness[at], s[at])) - now
        found[at] = np.where(has, now, found[at])
        met = has & (np.abs(difference) <= 2e-15 * now)
        rises = has & (difference > 0.0)
        low[at], high[at] = np.where(rises, now, low[at]), np.where(rises, high[at], now)
        secant = now - difference * (now - last) / (difference - last_difference)
        following = np.where(np.isnan(last), now + difference, secant)
        inside = has & (following > low[at]) & (following < high[at])
        before[at], difference_before[at] = np.where(has, now, last), np.where(has, difference, last_difference)
        closed = high[at] - low[at] <= 4e-16 * high[at]
        near = np.abs(difference_before[at]) < 1e-12 * now
        ending = np.where(has, np.where(near, Reason.OK, Reason.NO_SOLUTION), why)
        reasons[at] = np.where(met, Reason.OK, np.where(closed, ending, reasons[at]))
        v[at] = np.where(inside, following, 0.5 * (low[at] + high[at]))
        at = at[~(met | closed)]
    return moneyness, found, reasons
