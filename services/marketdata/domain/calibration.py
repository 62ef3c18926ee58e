"""Volatilities, correlations and tails of currencies, estimated from daily rates.

Estimator. r(t, i) is the daily log return of currency i against the numeraire, known where the rate was published on
two consecutive days of the history (a return is never taken across a hole). With weights w(t) = ½^(age(t) / half-life),
age in published days, or equal weights,

    cov(i, j) = Σ w(t) r(t,i) r(t,j) / Σ w(t)        over the days on which both returns are known,

about a mean of zero, as is usual for daily returns (RiskMetrics Technical Document, 4th ed. 1996, section 5.2): a daily
mean is far smaller than its own error. The correlation divides by the variances over the same days, so that each entry
lies in [−1, 1]. Entries from different days need not fit together; `nearest_correlation` makes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.marketdata.domain.history import History

Floats = NDArray[np.float64]

OBSERVATIONS_MIN = 60
"""Fewer common returns than this say nothing about a correlation: it is then taken as 0, and a volatility refused."""
EIGENVALUE_MIN = 1e-8
"""Smallest eigenvalue of a correlation matrix after repair, so that its Cholesky factor exists in double precision."""
SECONDS_PER_DAY = 86_400.0


class CalibrationError(ValueError):
    """The history does not support the estimate; the message names the currency."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What the simulation needs of the past. All arrays are in the order of `currencies` and read-only.

    Attributes:
        numeraire: code of the currency that rates are against; not among `currencies`.
        currencies: codes, ascending; n of them.
        rates: shape (n,), newest rates, units of each currency per unit of the numeraire.
        daily_volatility: shape (n,), standard deviation of the log return over one published day; 0 for a hard peg.
        correlation: shape (n, n), symmetric, ones on the diagonal, positive definite.
        excess_kurtosis: shape (n,), of the log returns of the window's days, equally weighted; 0 where nothing moves.
        shift_max: largest change that the repair made to any correlation.
        digest: sixteen hexadecimal digits that differ when the history, the currencies or the window do.
    """

    numeraire: str
    currencies: tuple[str, ...]
    rates: Floats
    daily_volatility: Floats
    correlation: Floats
    excess_kurtosis: Floats
    shift_max: float
    digest: str


def log_returns(rates: Floats) -> Floats:
    """Log returns of consecutive rows; NaN where either rate is. Shape (days − 1, n)."""
    return np.diff(np.log(rates), axis=0)


def weights(count: int, half_life_days: float | None) -> Floats:
    """Weights of `count` returns, oldest first, the newest 1; all 1 without a half-life. Shape (count,)."""
    if half_life_days is None:
        return np.ones(count)
    if not half_life_days > 0:
        raise ValueError(f"a half-life is positive, not {half_life_days}")
    return np.exp2(-np.arange(count - 1, -1, -1) / half_life_days)


def pairwise(returns: Floats, weight: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Volatilities, correlations and numbers of observations from returns with holes.

    Args:
        returns: shape (t, n), NaN where unknown.
        weight: shape (t,), positive.

    Returns:
        Standard deviations, shape (n,); correlations, shape (n, n), each within [−1, 1] and 0 where one of the two does
        not move or fewer than OBSERVATIONS_MIN days are common; common days, shape (n, n).
    """
    known = (~np.isnan(returns)).astype(np.float64)
    filled = np.where(known > 0, returns, 0.0)
    weighted = weight[:, None] * filled
    total = (weight[:, None] * known).T @ known
    count = np.rint(known.T @ known).astype(np.int64)
    # variance[i, j] is that of i over the days on which j is known too.
    variance = (weighted * filled).T @ known
    scale = np.sqrt(variance * variance.T)
    usable = (scale > 0) & (count >= OBSERVATIONS_MIN)
    correlation = np.where(usable, filled.T @ weighted / np.where(usable, scale, 1.0), 0.0)
    correlation = np.clip((correlation + correlation.T) / 2, -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    own = np.diag(total)
    deviation = np.sqrt(np.divide(np.diag(variance), own, out=np.zeros_like(own), where=own > 0))
    return deviation, correlation, count


def excess_kurtosis(returns: Floats) -> Floats:
    """Fourth moment about zero over the squared second, less the normal law's 3; shape (n,).

    All days weigh the same: tails are seen too seldom to let the older half of them fade, while a change of volatility
    within the window is part of what makes a day's return heavy-tailed.

    Args:
        returns: shape (t, n), NaN where unknown.
    """
    known = np.isfinite(returns)
    squares = np.where(known, returns, 0.0) ** 2
    count = np.maximum(known.sum(axis=0), 1)
    second, fourth = squares.sum(axis=0) / count, (squares**2).sum(axis=0) / count
    return np.where(second > 0.0, fourth / np.where(second > 0.0, second, 1.0) ** 2 - 3.0, 0.0)


def nearest_correlation(matrix: Floats, *, tolerance: float = 1e-10, steps_max: int = 1000) -> Floats:
    """The correlation matrix nearest to a symmetric one in the Frobenius norm, made positive definite.

    Alternating projections on the positive semi-definite cone and on the unit diagonal with Dykstra's correction
    (N. J. Higham, IMA Journal of Numerical Analysis 22, 2002, algorithm 3.3). The limit is singular, so a last blend
    with the identity, (1 − a) X + a I with the smallest sufficient a, lifts the smallest eigenvalue to EIGENVALUE_MIN;
    it keeps the diagonal. A matrix that is positive definite already comes back as it is.
    """
    if np.linalg.eigvalsh(matrix)[0] >= EIGENVALUE_MIN:
        return matrix.copy()
    found, correction = matrix.copy(), np.zeros_like(matrix)
    for _ in range(steps_max):
        shifted = found - correction
        values, vectors = np.linalg.eigh(shifted)
        projected = (vectors * np.maximum(values, 0.0)) @ vectors.T
        correction = projected - shifted
        before, found = found, (projected + projected.T) / 2
        np.fill_diagonal(found, 1.0)
        if np.abs(found - before).max() <= tolerance:
            break
    lowest = np.linalg.eigvalsh(found)[0]
    if lowest < EIGENVALUE_MIN:
        # The factor of two leaves room for the rounding of the eigenvalues themselves.
        blend = (2 * EIGENVALUE_MIN - lowest) / (1.0 - lowest)
        found = (1.0 - blend) * found
        np.fill_diagonal(found, 1.0)
    return found


def calibrate(
    history: History, currencies: Sequence[str], *, window_days: int, half_life_days: float | None
) -> Calibration:
    """Estimates volatilities and correlations of some currencies over the newest days of a history.

    Args:
        history: daily rates against its numeraire.
        currencies: codes; the numeraire among them is left out, for it does not move against itself.
        window_days: published days to look back.
        half_life_days: published days after which a return weighs half; None for equal weights.

    Raises:
        CalibrationError: a currency is unknown, has no rate on the newest day, or fewer than OBSERVATIONS_MIN returns.
    """
    codes = tuple(sorted(set(currencies) - {history.numeraire}))
    if not codes:
        raise CalibrationError(f"no currency but {history.numeraire}")
    if unknown := [c for c in codes if c not in history]:
        raise CalibrationError(f"{', '.join(unknown)}: no history")
    columns = [history.column(c) for c in codes]
    window = history.rates[-(window_days + 1) :, columns]
    returns = log_returns(window)
    deviation, raw, count = pairwise(returns, weights(len(returns), half_life_days))
    for i, code in enumerate(codes):
        if np.isnan(window[-1, i]):
            raise CalibrationError(f"{code}: no rate on {history.dates[-1]}, the newest day")
        if count[i, i] < OBSERVATIONS_MIN:
            raise CalibrationError(f"{code}: {count[i, i]} returns in the window, at least {OBSERVATIONS_MIN} needed")
    correlation = nearest_correlation(raw)
    inputs = f"{history.numeraire} {codes} {window_days} {half_life_days}".encode()
    digest = hashlib.blake2b(history.digest + inputs, digest_size=8).hexdigest()
    shift = float(np.abs(correlation - raw).max(initial=0.0))
    arrays = [window[-1].copy(), deviation, correlation, excess_kurtosis(returns)]
    for array in arrays:
        array.setflags(write=False)
    return Calibration(history.numeraire, codes, *arrays, shift, digest)
