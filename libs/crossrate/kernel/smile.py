"""A smile of one expiry from the quotes of the foreign exchange market, for many pairs and expiries at once.

A risk reversal is the volatility of the call less that of the put. A butterfly is either a market strangle, as brokers
quote it, or a smile strangle; see `Strangle`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import (
    AMOUNT,
    ATM_CONVENTION,
    DELTA_CONVENTION,
    LEVEL,
    PUT_OR_CALL,
    QUOTED_DELTA,
    RATE,
    SMILE_TIME,
    SMILE_VOLATILITY,
    STRANGLE,
    VOLATILITY_SPREAD,
)
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError
from crossrate.kernel.front import Elementwise, common_shape, numbers
from crossrate.kernel.reference import smile as reference

Array = NDArray[np.float64]


class Strangle(IntEnum):
    """What a butterfly quote means.

    MARKET: the strangle whose call and put both have the delta at one volatility, at the money plus the quote, costs at
    that volatility what it costs on the smile (Reiswich and Wystup 2010; Clark 2011, chapter 3).
    SMILE: the mean of the smile's volatilities at the two deltas, less at the money.
    """

    MARKET = 0
    SMILE = 1


_POINTS = ("outer_put", "inner_put", "atm", "inner_call", "outer_call")
_COEFFICIENTS = ("c0", "c1", "c2", "c3", "c4")
_ROW = {
    "atm_convention": ATM_CONVENTION,
    "delta_convention": DELTA_CONVENTION,
    "strangle": STRANGLE,
    "spot": LEVEL,
    "time": SMILE_TIME,
    "domestic_rate": RATE,
    "foreign_rate": RATE,
}
_THREE = Elementwise(
    "xr_smile_three",
    {
        **_ROW,
        "delta": QUOTED_DELTA,
        "atm_volatility": SMILE_VOLATILITY,
        "risk_reversal": VOLATILITY_SPREAD,
        "butterfly": VOLATILITY_SPREAD,
    },
    (*(f"{what}_{point}" for what in ("strike", "volatility") for point in ("put", "atm", "call")), *_COEFFICIENTS[:3]),
    reference.three,
    blame="butterfly",
)
_FIVE = Elementwise(
    "xr_smile_five",
    {
        **_ROW,
        "inner_delta": QUOTED_DELTA,
        "outer_delta": QUOTED_DELTA,
        "atm_volatility": SMILE_VOLATILITY,
        "inner_risk_reversal": VOLATILITY_SPREAD,
        "inner_butterfly": VOLATILITY_SPREAD,
        "outer_risk_reversal": VOLATILITY_SPREAD,
        "outer_butterfly": VOLATILITY_SPREAD,
    },
    (*(f"{what}_{point}" for what in ("strike", "volatility") for point in _POINTS), *_COEFFICIENTS),
    reference.five,
    blame="outer_butterfly",
)
_POLYNOMIAL = {"time": SMILE_TIME, "atm_volatility": SMILE_VOLATILITY, **dict.fromkeys(_COEFFICIENTS, AMOUNT)}
_VOLATILITY = Elementwise(
    "xr_smile_volatility",
    {"forward": LEVEL, **_POLYNOMIAL, "strike": LEVEL},
    ("volatility",),
    reference.volatility,
    blame="strike",
)
_AT_DELTA = Elementwise(
    "xr_smile_at_delta",
    {
        "put_or_call": PUT_OR_CALL,
        "delta_convention": DELTA_CONVENTION,
        "forward": LEVEL,
        "time": SMILE_TIME,
        "foreign_rate": RATE,
        "atm_volatility": SMILE_VOLATILITY,
        **dict.fromkeys(_COEFFICIENTS, AMOUNT),
        "delta": AMOUNT,
    },
    ("strike", "volatility"),
    reference.at_delta,
    blame="delta",
)


@dataclass(frozen=True)
class Smiles:
    """Calibrated smiles, a row each; a row with a status holds NaN.

    The logarithm of a volatility is the polynomial c0 + c1 u + ... + c4 u⁴ of u = 2 N(log(F/K) / (σ √T)) - 1, σ the
    volatility at the money (after Clark 2011, chapter 3, whose polynomial is in N): it goes through the points exactly,
    is positive, and levels off beyond them.

    Attributes:
        strike: (rows, 3 or 5), counter per base, ascending: outer put, inner put, at the money, inner call, outer call.
        volatility: the same shape, per square root of a year.
        coefficients: (rows, 5).
        forward, time, foreign_rate, atm_volatility: (rows,).
        delta_convention: (rows,) int8.
        status: (rows,) uint8, a `Reason` each.
    """

    strike: Array
    volatility: Array
    coefficients: Array
    forward: Array
    time: Array
    foreign_rate: Array
    atm_volatility: Array
    delta_convention: NDArray[np.int8]
    status: NDArray[np.uint8]

    def volatility_of(self, strike: Any, *, threads: int = 1) -> Array:
        """Volatilities of strikes.

        Within 2e-15 of the polynomial in exact arithmetic.

        Args:
            strike: (rows, any number): each row's own strikes.
            threads: how many threads share the work.

        Returns:
            float64 of strike's shape, per square root of a year.

        Raises:
            ArgumentError: a strike was refused, or a row has no smile (then status is named).
            ShapeError: strike has not a row for each smile.
        """
        wanted = self._wide("strike", strike)
        return volatility(
            self._repeated(self.forward, wanted),
            self._repeated(self.time, wanted),
            self._repeated(self.atm_volatility, wanted),
            np.repeat(self.coefficients[:, None, :], wanted.shape[1], axis=1),
            wanted,
            threads=threads,
        )

    def at_delta(self, put_or_call: Any, delta: Any, *, threads: int = 1) -> tuple[Array, Array]:
        """Strikes and volatilities of deltas: each strike has its delta at the smile's own volatility.

        The volatility is the smile's within 1e-14, and at it the strike has the delta within 1e-12 of itself.

        Args:
            put_or_call: 0 put, 1 call; one number or an array of delta's shape.
            delta: (rows, any number), calls positive, puts negative, in the row's delta convention.
            threads: how many threads share the work.

        Returns:
            Two float64 arrays of delta's shape: strike (counter per base) and volatility.

        Raises:
            ArgumentError: a delta has no strike, or a row has no smile (then status is named).
            ShapeError: delta has not a row for each smile.
        """
        wanted = self._wide("delta", delta)
        market = (self.delta_convention, self.forward, self.time, self.foreign_rate, self.atm_volatility)
        rows = [self._repeated(each, wanted) for each in (*market, *self.coefficients.T)]
        strike, found = _AT_DELTA(put_or_call, *rows, wanted, threads=threads)
        return strike, found

    def _wide(self, name: str, value: Any) -> Array:
        wanted = numbers(name, value)
        if wanted.ndim != 2 or len(wanted) != len(self.forward):
            raise ShapeError(f"{name} has shape {wanted.shape}, the smiles need ({len(self.forward)}, any): a row each")
        if self.status.any():
            row = int(np.argmax(self.status > 0))
            reason = Reason(int(self.status[row]))
            says = f"this row has no smile ({reason.name}): leave out the rows whose status is not 0"
            raise ArgumentError("status", row, reason, int(reason), says)
        return wanted

    @staticmethod
    def _repeated(column: NDArray[Any], wanted: Array) -> NDArray[Any]:
        return np.ascontiguousarray(np.broadcast_to(column[:, None], wanted.shape))


def volatility(
    forward: Any, time: Any, atm_volatility: Any, coefficients: Any, strike: Any, *, threads: int = 1
) -> Array:
    """Volatility of a strike on a polynomial in delta; see `Smiles` for the formula.

    Within 2e-15 of the polynomial in exact arithmetic.

    Args:
        forward: counter per base.
        time: years to expiry.
        atm_volatility: per square root of a year.
        coefficients: (..., 5), c0 to c4.
        strike: counter per base.
        threads: how many threads share the work.

    Returns:
        float64, the arguments' shape, per square root of a year.

    Raises:
        ArgumentError: an element was refused; of strike, with NO_SOLUTION: the volatility is not from 1e-6 to 100.
        ShapeError: the arrays' shapes differ, or there are not five coefficients.
    """
    c = numbers("coefficients", coefficients)
    if c.ndim == 0 or c.shape[-1] != len(_COEFFICIENTS):
        raise ShapeError(f"coefficients has shape {c.shape}: its last axis needs five, c0 to c4")
    columns = [c[..., each].copy() for each in range(len(_COEFFICIENTS))]
    return _VOLATILITY(forward, time, atm_volatility, *columns, strike, threads=threads)[0]


def three_point(
    atm_convention: Any,
    delta_convention: Any,
    strangle: Any,
    spot: Any,
    time: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    atm_volatility: Any,
    risk_reversal: Any,
    butterfly: Any,
    *,
    delta: Any = 0.25,
    threads: int = 1,
    with_status: bool = False,
) -> Smiles:
    """Smiles through the put at a delta, at the money, and the call at that delta.

    Args:
        atm_convention: an `AtmConvention` or its code.
        delta_convention: a `DeltaConvention` or its code.
        strangle: a `Strangle` or its code.
        spot: counter per base.
        time: years to expiry.
        domestic_rate: continuously compounded rate of the counter currency.
        foreign_rate: the same of the base currency.
        atm_volatility: per square root of a year.
        risk_reversal: volatility of the call less that of the put: positive where calls of the base are dearer.
        butterfly: as strangle says, a difference of volatilities.
        delta: unsigned, of both wings.
        threads: how many threads share the work.
        with_status: a row without a smile gets a status and NaN, in place of an error.

    Returns:
        `Smiles` with as many rows as the arguments have elements. A market strangle is met within 1e-12 of volatility.

    Raises:
        ArgumentError: a row was refused. Of butterfly: NO_SOLUTION if no strike has a delta, INCONSISTENT if a
            volatility would not be positive or the strikes would not ascend, NOT_CONVERGED if the market strangle
            could not be met.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    row = (atm_convention, delta_convention, strangle, spot, time, domestic_rate, foreign_rate)
    quoted = (delta, atm_volatility, risk_reversal, butterfly)
    return _smiles(_THREE, (*row, *quoted), threads, with_status)


def five_point(
    atm_convention: Any,
    delta_convention: Any,
    strangle: Any,
    spot: Any,
    time: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    atm_volatility: Any,
    inner_risk_reversal: Any,
    inner_butterfly: Any,
    outer_risk_reversal: Any,
    outer_butterfly: Any,
    *,
    inner_delta: Any = 0.25,
    outer_delta: Any = 0.1,
    threads: int = 1,
    with_status: bool = False,
) -> Smiles:
    """Smiles through puts and calls at two deltas and at the money; both market strangles are met at once.

    Args:
        atm_convention, delta_convention, strangle, spot, time, domestic_rate, foreign_rate, atm_volatility: as in
            `three_point`.
        inner_risk_reversal, inner_butterfly: the quotes at inner_delta, signs as in `three_point`.
        outer_risk_reversal, outer_butterfly: the quotes at outer_delta.
        inner_delta, outer_delta: unsigned; the outer one is the smaller.
        threads: how many threads share the work.
        with_status: a row without a smile gets a status and NaN, in place of an error.

    Returns:
        `Smiles` with as many rows as the arguments have elements. Market strangles are met within 1e-12 of volatility.

    Raises:
        ArgumentError: a row was refused. Of outer_butterfly: reasons as of butterfly in `three_point`, and INCONSISTENT
            if outer_delta is not below inner_delta.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    row = (atm_convention, delta_convention, strangle, spot, time, domestic_rate, foreign_rate)
    quoted = (inner_risk_reversal, inner_butterfly, outer_risk_reversal, outer_butterfly)
    return _smiles(_FIVE, (*row, inner_delta, outer_delta, atm_volatility, *quoted), threads, with_status)


def _smiles(function: Elementwise, arguments: tuple[Any, ...], threads: int, with_status: bool) -> Smiles:
    """Calls the calibration and puts its columns together."""
    given = dict(zip(function.inputs, arguments, strict=True))
    *columns, status = (*function(*arguments, threads=threads, with_status=with_status), None)
    if with_status:
        status = columns.pop()
    shape = common_shape({name: np.asarray(value) for name, value in given.items()})
    count = int(np.prod(shape, dtype=np.int64))

    def row(name: str) -> NDArray[Any]:
        return np.broadcast_to(np.asarray(given[name]), shape).reshape(count)

    points = 3 if function is _THREE else 5
    flat = [each.reshape(count) for each in columns]
    coefficients = np.zeros((count, len(_COEFFICIENTS)))
    coefficients[:, :points] = np.stack(flat[2 * points :], axis=1)
    time, foreign = row("time").astype(np.float64), row("foreign_rate").astype(np.float64)
    fine = ~np.isnan(flat[0])
    forward = np.full(count, np.nan)
    carry = (row("domestic_rate")[fine] - foreign[fine]) * time[fine]
    forward[fine] = row("spot")[fine] * np.exp(carry)
    return Smiles(
        strike=np.stack(flat[:points], axis=1),
        volatility=np.stack(flat[points : 2 * points], axis=1),
        coefficients=coefficients,
        forward=forward,
        time=time,
        foreign_rate=foreign,
        atm_volatility=row("atm_volatility").astype(np.float64),
        delta_convention=row("delta_convention").astype(np.int8),
        status=np.zeros(count, np.uint8) if status is None else status.reshape(count),
    )
