"""Returns brought to today's volatility, for historical simulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import Interval
from crossrate.kernel.faults import Reason
from crossrate.kernel.reference import volatility_filter as reference
from crossrate.kernel.tables import Argument, array, at_least, of_shape, refusal, run

Array = NDArray[np.float64]

RETURN = Interval(-10.0, 10.0, "it must be a return from -10 to 10 (0.01 is one percent)")
CONSTANT = Interval(0.0, 100.0, "it must be a variance a day from 0 to 100")
SHARE = Interval(0.0, 1.0, "it must be from 0 to 1")
FIRST = Interval(1e-60, 100.0, "it must be a variance a day, positive and up to 100")
VARIANCE = Interval(
    1e-60,
    1e60,
    "a variance must be positive: a series without any move, or a zero constant, leaves nothing to scale by",
)

UNBOUNDED = {
    Reason.NO_SOLUTION: "from this day on the path's variance grows beyond all bounds: the model's reaction is "
    "too strong for the largest standardised returns"
}


@dataclass(frozen=True)
class Garch:
    """Parameters of conditional variance, a GARCH(1,1) (Bollerslev 1986).

    The variance of a day is `constant` + `reaction` × (return before)² + `persistence` × (variance before). Each is a
    number, or one a series.

    Attributes:
        constant: variance a day.
        reaction: to the last squared return, 0 to 1.
        persistence: of the last variance, 0 to 1.
    """

    constant: Any
    reaction: Any
    persistence: Any


def exponential(decay: float = 0.94) -> Garch:
    """Exponentially weighted variance: RiskMetrics (1996), whose decay for daily returns is 0.94."""
    return Garch(0.0, 1.0 - decay, decay)


def variance(returns: Any, model: Garch, first: Any = None) -> Array:
    """Conditional variances, and the forecast for the day that comes.

    Within 1e-14 of the recursion in exact arithmetic, for some hundred days.

    Args:
        returns: shape (days,) or (series, days), oldest first, of mean zero, -10 to 10.
        model: one for all series, or with a number a series.
        first: variance of the first day; None: the mean square of all returns of the series, which looks ahead and is
            forgotten at the rate of the model's persistence.

    Returns:
        float64, shape (days + 1,) or (series, days + 1); the last of a row is the forecast.

    Raises:
        ArgumentError: an element was refused; a series without any move has no first variance.
        ShapeError: an array has another shape.
        TypeError: an argument is not numeric or has another dtype.
    """
    table = array("returns", returns, (1, 2))
    series, days = _sizes(table)
    rows = table.reshape(series, days)
    begin = np.mean(np.minimum(np.abs(rows), 1e3) ** 2, axis=1) if first is None else first
    start = of_shape("first", begin, (series,), "the series")
    parameters = _parameters(model, series)
    result = np.empty((series, days + 1))
    arguments = [
        Argument("series", series),
        Argument("days", days),
        Argument("returns", table, RETURN),
        *parameters,
        Argument("first", start, FIRST),
    ]
    values = [each.value for each in parameters]
    run("xr_volatility_filter_variance", arguments, [result], 0, lambda: reference.variance(rows, *values, start))
    return result.reshape((*table.shape[:-1], days + 1))


def scale(returns: Any, variances: Any) -> Array:
    """Historical returns as they would be at the volatility of now: Hull and White (1998).

    Within 1e-15 of themselves, given the variances.

    Args:
        returns: shape (days,) or (series, days), oldest first.
        variances: of `variance`.

    Returns:
        float64, the shape of `returns`: each times the forecast volatility over that of its day.

    Raises:
        ArgumentError: an element was refused.
        ShapeError: an array has another shape.
        TypeError: an argument is not numeric or has another dtype.
    """
    table = array("returns", returns, (1, 2))
    series, days = _sizes(table)
    past = of_shape("variances", variances, (*table.shape[:-1], days + 1), "the returns")
    result = np.empty((series, days))
    arguments = [
        Argument("series", series),
        Argument("days", days),
        Argument("returns", table, RETURN),
        Argument("variances", past, VARIANCE),
    ]
    twin = lambda: reference.scale(table.reshape(series, days), past.reshape(series, days + 1))  # noqa: E731
    run("xr_volatility_filter_scale", arguments, [result], 0, twin)
    return result.reshape(table.shape)


def simulate(returns: Any, variances: Any, model: Garch, picks: Any) -> Array:
    """Filtered historical simulation: what the factors move over a horizon (Barone-Adesi, Giannopoulos, Vosper 1999).

    Each day of a path takes the standardised returns of one historical day, of all series together, so that what moved
    together stays together, times the volatility that the path has reached; a large move makes the next larger.

    Within 1e-14 of the sum of the sizes of a path's steps.

    Args:
        returns: shape (days,) or (series, days), oldest first.
        variances: of `variance`.
        model: the one that they were made by.
        picks: integers from 0 to days - 1, shape (paths, horizon): which historical day a path takes.

    Returns:
        float64, shape (paths,) or (series, paths): sums of returns over the horizon.

    Raises:
        ArgumentError: an element was refused.
        ShapeError: an array has another shape.
        TypeError: an argument is not numeric or has another dtype.
    """
    table = array("returns", returns, (1, 2))
    series, days = _sizes(table)
    past = of_shape("variances", variances, (*table.shape[:-1], days + 1), "the returns")
    chosen = array("picks", picks, (2,), np.int64)
    paths, horizon = chosen.shape
    at_least("picks", horizon, 1, "a path needs at least one day")
    parameters = _parameters(model, series)
    result = np.empty((series, paths))
    arguments = [
        Argument("series", series),
        Argument("days", days),
        Argument("returns", table, RETURN),
        Argument("variances", past, VARIANCE),
        *parameters,
        Argument("paths", paths),
        Argument("horizon", horizon),
        Argument(
            "picks", chosen, Interval(0, days - 1, f"it must be the index of a day from 0 to {days - 1}"), UNBOUNDED
        ),
    ]
    values = [each.value for each in parameters]
    rows, spread = table.reshape(series, days), past.reshape(series, days + 1)

    def twin() -> tuple[Array]:
        try:
            return reference.simulate(rows, spread, *values, chosen)
        except reference.UnboundedVariance as error:
            raise refusal(arguments[-1], Reason.NO_SOLUTION, error.index) from None

    run("xr_volatility_filter_simulate", arguments, [result], 0, twin)
    return result.reshape((*table.shape[:-1], paths))


def _sizes(table: Array) -> tuple[int, int]:
    days = table.shape[-1]
    at_least("returns", days, 1, "at least one day is needed")
    return table.size // days, days


def _parameters(model: Garch, series: int) -> list[Argument]:
    rules = {"constant": CONSTANT, "reaction": SHARE, "persistence": SHARE}
    return [
        Argument(name, of_shape(name, getattr(model, name), (series,), "the series"), rule)
        for name, rule in rules.items()
    ]
