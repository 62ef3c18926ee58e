"""SABR volatilities and their calibration (Hagan, Kumar, Lesniewski and Woodward 2002, "Managing smile risk")."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import LEVEL, SMILE_TIME, SMILE_VOLATILITY, TIME, UNIT, Interval
from crossrate.kernel.front import Elementwise
from crossrate.kernel.reference import sabr as reference
from crossrate.kernel.rows import Rowwise

Array = NDArray[np.float64]

POINTS = (3, 64)
RHO = Interval(-0.9999999, 0.9999999, "it must be a correlation from -0.9999999 to 0.9999999")
NU = Interval(0.0, 100.0, "it must be a volatility of volatility from 0 to 100")

_VOLATILITY = Elementwise(
    "xr_sabr_volatility",
    {"forward": LEVEL, "strike": LEVEL, "time": TIME, "alpha": LEVEL, "beta": UNIT, "rho": RHO, "nu": NU},
    ("volatility",),
    reference.volatility,
    blame="alpha",
)
_CALIBRATE = Rowwise(
    "xr_sabr_calibrate",
    {"forward": LEVEL, "time": SMILE_TIME, "beta": UNIT},
    {"strike": LEVEL, "volatility": SMILE_VOLATILITY},
    ("alpha", "rho", "nu", "error"),
    reference.calibrate,
    points=POINTS,
    blame="volatility",
)


class Calibrated(NamedTuple):
    """SABR parameters, a row each: (rows,) float64; a row with a status holds NaN.

    error is the greatest difference of volatility at the row's points; status a `Reason`, uint8.
    """

    alpha: Array
    rho: Array
    nu: Array
    error: Array
    status: NDArray[np.uint8]


def volatility(
    forward: Any, strike: Any, time: Any, alpha: Any, beta: Any, rho: Any, nu: Any, *, threads: int = 1
) -> Array:
    """Lognormal volatility of a strike: equation 2.17, without the terms of second order in time that it leaves out.

    Within 4e-15 of the equation in exact arithmetic.

    Args:
        forward: counter per base.
        strike: counter per base.
        time: years to expiry.
        alpha: level, volatility times forward^(1 - beta).
        beta: from 0 (normal) to 1 (lognormal).
        rho: correlation of the forward and its volatility; it tilts the smile.
        nu: volatility of volatility, per square root of a year; it bends the smile.
        threads: how many threads share the work.

    Returns:
        float64, the arguments' shape, per square root of a year.

    Raises:
        ArgumentError: an element was refused; of alpha, with NO_SOLUTION: the formula, which is an expansion for short
            times, gives no volatility from 1e-6 to 100 there.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    return _VOLATILITY(forward, strike, time, alpha, beta, rho, nu, threads=threads)[0]


def calibrate(
    forward: Any,
    time: Any,
    beta: Any,
    strike: Any,
    volatility: Any,
    *,
    threads: int = 1,
    with_status: bool = False,
) -> Calibrated:
    """alpha, rho and nu of many smiles, by least squares of volatility (Levenberg 1944; Marquardt 1963).

    It begins at the expansion of equation 2.17 around the forward, and where that does not lead through the points also
    at a plain start. Through three points there is an exact fit unless the smile is too flat or concave for its skew,
    when nu or rho goes to its bound (6e-6 and 0.9999983 here) and `error` says what is left. Least squares may have
    several minima where SABR cannot follow; builds may then end in different ones.

    Where there is an exact fit, it is met within 1e-13 of volatility.

    Args:
        forward: (rows,) or a number, counter per base.
        time: (rows,) or a number, years to expiry.
        beta: (rows,) or a number, from 0 to 1.
        strike: (rows, points), counter per base, in any order, 3 to 64 points.
        volatility: (rows, points), per square root of a year.
        threads: how many threads share the work.
        with_status: a refused row gets a status and NaN, in place of an error.

    Returns:
        `Calibrated`, (rows,) each.

    Raises:
        ArgumentError: a row was refused, or did not converge (of volatility).
        ShapeError: strike and volatility are not matrices of one shape with 3 to 64 columns.
        TypeError: an argument is not numeric or has another dtype.
    """
    found = _CALIBRATE((forward, time, beta), (strike, volatility), threads, with_status)
    status = found[4] if with_status else np.zeros(len(found[0]), np.uint8)
    return Calibrated(*found[:4], status)
