"""Volatility of series of returns: exponentially weighted (RiskMetrics 1996) and GARCH(1,1) (Bollerslev 1986).

Returns have mean zero here; variances are per period of the series. A variance belongs to the return that it was known
before, so that no value looks ahead.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.domain import AMOUNT, POSITIVE_VARIANCE, UNIT, VARIANCE, Codes, Rule
from crossrate.kernel.faults import ArgumentError, Reason, unpack
from crossrate.kernel.front import in_threads
from crossrate.kernel.ragged import call, explain, offsets_of, repeated, vector
from crossrate.kernel.reference import garch_fit
from crossrate.kernel.reference import series as reference

Array = NDArray[np.float64]

_TARGETING = Codes(2, "it must be 1 to keep the long-run variance at the mean square, or 0 to fit it")
_SAYS = {
    Reason.INCONSISTENT: "alpha + beta is above 1: the variance would have no bound",
    Reason.NO_SOLUTION: "the series that begins here has a mean square below 1e-100: it has no variance to fit",
    Reason.NOT_CONVERGED: "the series that begins here did not settle in 1000 steps: try targeting, or more returns",
}


class Filtered(NamedTuple):
    """Variances of returns.

    Attributes:
        variance: of each return, known before it.
        following: of each series: the variance of the return after the last.
    """

    variance: Array
    following: Array


class GarchFiltered(NamedTuple):
    """Variances under given parameters; `variance` and `following` as in `Filtered`.

    Attributes:
        log_likelihood: of each series, of normal returns: −½ Σ (log 2πv + r² / v).
    """

    variance: Array
    following: Array
    log_likelihood: Array


class GarchFit(NamedTuple):
    """Parameters of largest likelihood, one for each series.

    Attributes:
        omega, alpha, beta: variance[t + 1] = omega + alpha × return[t]² + beta × variance[t].
        initial: the first return's variance: the series' mean square.
        log_likelihood: at the parameters.
        steps: how many were taken after the scouts.
        status: `Reason` codes (uint8) where they were asked for, else None.
    """

    omega: Array
    alpha: Array
    beta: Array
    initial: Array
    log_likelihood: Array
    steps: NDArray[np.int64]
    status: NDArray[np.uint8] | None

    @property
    def long_run_variance(self) -> Array:
        """omega / (1 − alpha − beta), where the variance forecast tends to."""
        return self.omega / (1.0 - self.alpha - self.beta)


def ewma(returns: Any, decay: Any, initial: Any, offsets: Any = None, *, threads: int = 1) -> Filtered:
    """Exponentially weighted variances: v[t + 1] = decay × v[t] + (1 − decay) × r[t]² (RiskMetrics 1996, section 5.2).

    Within 1e-14 of the recursion in exact arithmetic, for some hundred returns.

    Args:
        returns: all series' one after the other, −1e60 to 1e60.
        decay: 0 to 1 (RiskMetrics: 0.94 for days, 0.97 for months); of each series, or one for all.
        initial: the variance of each series' first return, or one for all. It is the caller's, because a mean over the
            series would look ahead.
        offsets: where series begin and end; None is one series.
        threads: how many threads share the series.

    Raises:
        ArgumentError: an element was refused; names argument and index.
        ShapeError: lengths do not go together.
        TypeError: an argument is not numeric or has another dtype.
    """
    values = vector("returns", returns)
    bounds = offsets_of(offsets, values.size)
    count = bounds.size - 1
    each = {"decay": _of_series("decay", decay, count), "initial": _of_series("initial", initial, count)}
    result = Filtered(np.empty(values.size), np.empty(count))
    if path.is_numpy():
        fault = reference.ewma(bounds, values, *each.values(), *result)
    else:

        def work(low: int, high: int) -> int:
            mine = [column[low:high] for column in each.values()]
            arrays = (bounds[low : high + 1], values, *mine, result.variance, result.following[low:high])
            return _from(call("xr_series_ewma", high - low, arrays), low, bounds)

        fault = in_threads(work, count, threads, quantum=1)
    if fault:
        raise _error(fault, bounds, values, each, (UNIT, VARIANCE))
    return result


def garch(
    returns: Any, omega: Any, alpha: Any, beta: Any, initial: Any, offsets: Any = None, *, threads: int = 1
) -> GarchFiltered:
    """Variances and log likelihood of GARCH(1,1) with given parameters (Bollerslev 1986, equations 3 and 18).

    Variances and log likelihood are within 2e-15 of exact arithmetic, for some hundred returns.

    Args:
        returns: all series' one after the other.
        omega: positive; of each series, or one for all, as the following.
        alpha, beta: 0 to 1, their sum at most 1.
        initial: the variance of the first return, positive.
        offsets: where series begin and end; None is one series.
        threads: how many threads share the series.

    Raises:
        ArgumentError: an element was refused; names argument and index.
        ShapeError: lengths do not go together.
        TypeError: an argument is not numeric or has another dtype.
    """
    values = vector("returns", returns)
    bounds = offsets_of(offsets, values.size)
    count = bounds.size - 1
    given = {"omega": omega, "alpha": alpha, "beta": beta, "initial": initial}
    each = {name: _of_series(name, value, count) for name, value in given.items()}
    result = GarchFiltered(np.empty(values.size), np.empty(count), np.empty(count))
    if path.is_numpy():
        fault = reference.garch(bounds, values, *each.values(), *result)
    else:

        def work(low: int, high: int) -> int:
            mine = [column[low:high] for column in each.values()]
            out = (result.variance, result.following[low:high], result.log_likelihood[low:high])
            return _from(
                call("xr_series_garch", high - low, (bounds[low : high + 1], values, *mine, *out)), low, bounds
            )

        fault = in_threads(work, count, threads, quantum=1)
    if fault:
        raise _error(fault, bounds, values, each, (POSITIVE_VARIANCE, UNIT, UNIT, POSITIVE_VARIANCE))
    return result


def fit_garch(
    returns: Any, offsets: Any = None, *, targeting: Any = False, with_status: bool = False, threads: int = 1
) -> GarchFit:
    """Parameters of GARCH(1,1) that have the largest likelihood of normal returns with mean zero.

    Newton's method and Fisher scoring with Levenberg's damping, from the highest of six scouts that begin on a fixed
    grid: the same series gives the same parameters. Bounds: alpha and beta at least 0, their sum at most 0.9999, the
    long-run variance from a thousandth to a thousand times the mean square. It ends when the next step is shorter than
    1e-6 standard errors of the parameters that are not at a bound; or, in long series, shorter than 1e-3 where rounding
    hides whether it still climbs.

    Args:
        returns: all series' one after the other; at least 50 each.
        offsets: where series begin and end; None is one series.
        targeting: true keeps the long-run variance at the mean square (variance targeting, Engle and Mezrich 1996) and
            fits alpha and beta alone; of each series, or one for all.
        with_status: a series without a fit gives NaN and a reason, and the others go on.
        threads: how many threads share the series.

    Raises:
        ArgumentError: a return was refused; or a series has no variance, or did not settle (unless `with_status`).
        ShapeError: lengths do not go together.
        TypeError: an argument is not numeric or has another dtype.
    """
    values = vector("returns", returns)
    bounds = offsets_of(offsets, values.size, fewest=50)
    count = bounds.size - 1
    aims = repeated("targeting", targeting, count, np.int8, "series")
    numbers, steps = np.empty((5, count)), np.zeros(count, np.int64)
    status = np.zeros(count, np.uint8) if with_status else None
    if path.is_numpy():
        fault = garch_fit.fit(bounds, values, aims, tuple(numbers), steps, status)
    else:

        def work(low: int, high: int) -> int:
            out = (*(row[low:high] for row in numbers), steps[low:high])
            state = None if status is None else status[low:high]
            arrays = (bounds[low : high + 1], values, aims[low:high], *out, state)
            return _from(call("xr_series_garch_fit", high - low, arrays), low, bounds)

        fault = in_threads(work, count, threads, quantum=1)
    if fault:
        raise _error(fault, bounds, values, {"targeting": aims}, (_TARGETING,))
    return GarchFit(*numbers, steps, status)


def forecast_garch(omega: Any, alpha: Any, beta: Any, following: Any, horizon: int) -> Array:
    """The expected variance of each of the coming `horizon` returns; the mean of a row is the variance to its end.

    Within 1e-14 of the recursion in exact arithmetic, to a horizon of 30.

    Args:
        omega, alpha, beta: of each series, or one for all.
        following: the variance of the next return, of each series.
        horizon: how many returns, 1 to 100,000.

    Returns:
        float64, series × horizon; it tends to omega / (1 − alpha − beta), or grows by omega where alpha + beta is 1.

    Raises:
        ArgumentError: an element was refused; names argument and index.
        ShapeError: lengths do not go together.
        TypeError: an argument is not numeric or has another dtype.
    """
    if isinstance(horizon, bool) or not isinstance(horizon, int) or not 1 <= horizon <= 100_000:
        says = "it must be a whole number of returns from 1 to 100000"
        raise ArgumentError("horizon", None, Reason.OUT_OF_RANGE, horizon, says)
    last = vector("following", following)
    given = {"omega": omega, "alpha": alpha, "beta": beta}
    each = {name: _of_series(name, value, last.size) for name, value in given.items()}
    each["following"] = last
    result = np.empty((last.size, horizon))
    if path.is_numpy():
        fault = reference.forecast(*each.values(), horizon, result)
    else:
        fault = call("xr_series_garch_forecast", last.size, (*each.values(), horizon, result))
    if fault:
        rules = (POSITIVE_VARIANCE, UNIT, UNIT, POSITIVE_VARIANCE)
        raise explain(fault, dict(zip(each, zip(each.values(), rules, strict=True), strict=True)), _SAYS)
    return result


def _of_series(name: str, value: Any, count: int) -> Array:
    """One number for each series; a vector of one serves a single series."""
    return repeated(name, value, count, of="series")


def _from(fault: int, low: int, bounds: NDArray[np.int64]) -> int:
    """A fault of series from `low` on, with its index counted from the first."""
    return fault and fault + (int(bounds[low]) if unpack(fault)[1] == 2 else low)


def _error(
    fault: int,
    bounds: NDArray[np.int64],
    values: Array,
    each: dict[str, NDArray[Any]],
    rules: tuple[Rule, ...],
) -> ArgumentError:
    columns = dict(zip(each, zip(each.values(), rules, strict=True), strict=True))
    return explain(fault, {"offsets": (bounds, None), "returns": (values, AMOUNT), **columns}, _SAYS)
