"""Volatilities and correlations of daily moves, estimated from the past or given. Moves are logarithmic, of mean zero.

Sums over days are numpy's own, not a matrix product's: so the same moves make the same bits on machines with other
linear algebra.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import correlation as matrices
from crossrate.kernel import series
from crossrate.kernel.faults import ArgumentError, Reason
from crossrate.kernel.var import age_weight
from services.risk.domain.refusal import Refused

Array = NDArray[np.float64]

DECAY = 0.94
"""RiskMetrics (1996), for days."""
GARCH_DAYS_MIN = 50


class Model(Enum):
    """How; the names are those of the contract's CovarianceModel."""

    SAMPLE = "SAMPLE"
    EXPONENTIALLY_WEIGHTED = "EXPONENTIALLY_WEIGHTED"
    GARCH = "GARCH"


@dataclass(frozen=True, slots=True)
class Garch:
    """A fitted GARCH(1,1)."""

    omega: float
    alpha: float
    beta: float
    long_run_variance: float
    log_likelihood: float


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """How moves of one day go together.

    Attributes:
        names: of the rows: currencies or pairs.
        volatility: standard deviations, shape (n,).
        correlation: symmetric, ones on the diagonal, shape (n, n).
        garch: of each row; None where it never moved; empty if another model.
        history: volatility of each day but the first, known before it, shape (n, days - 1); None if not wanted.
    """

    names: tuple[str, ...]
    volatility: Array
    correlation: Array
    garch: tuple[Garch | None, ...] = ()
    history: Array | None = None

    def matrix(self) -> Array:
        """The covariance matrix."""
        return np.outer(self.volatility, self.volatility) * self.correlation

    def factor(self) -> Array:
        """The lower triangular matrix that makes moves of independent standard normals."""
        return self.volatility[:, np.newaxis] * matrices.factor(self.correlation)

    def of(self, names: Sequence[str]) -> Covariance:
        """The same of some of the rows, in another order."""
        places = [self.names.index(each) for each in names]
        return Covariance(tuple(names), self.volatility[places], self.correlation[np.ix_(places, places)])


@dataclass(frozen=True, slots=True)
class Estimator:
    """A model with its decay; `field` is the path of the message in the request that says so."""

    model: Model
    decay: float | None
    field: str

    def check(self, days: int, window_field: str) -> None:
        """Refuses what does not go together, before anything is estimated.

        Raises:
            Refused: a decay without exponential weights, or too few days.
        """
        prefix = f"{self.field}." if self.field else ""
        if self.decay is not None and self.model is not Model.EXPONENTIALLY_WEIGHTED:
            words = "has a meaning with COVARIANCE_MODEL_EXPONENTIALLY_WEIGHTED alone: leave it out"
            raise Refused(f"{prefix}decay", words)
        if self.model is Model.GARCH and days < GARCH_DAYS_MIN:
            raise Refused(window_field, f"is {days}: COVARIANCE_MODEL_GARCH needs at least {GARCH_DAYS_MIN} days")

    @property
    def decay_used(self) -> float | None:
        """The given one or the customary one; None with other models."""
        if self.model is not Model.EXPONENTIALLY_WEIGHTED:
            return None
        return DECAY if self.decay is None else self.decay

    def estimate(self, names: Sequence[str], returns: Array, *, history: bool = False) -> Covariance:
        """A covariance of moves.

        Args:
            names: of the rows.
            returns: shape (n, days), oldest first.
            history: whether the volatility of each day is wanted; not of a sample.

        Raises:
            Refused: a GARCH could not be fitted to a row, which is named.
        """
        moving = np.flatnonzero(np.any(returns != 0.0, axis=1))
        own = np.ascontiguousarray(returns[moving])
        fits: tuple[Garch | None, ...] = ()
        past: Array | None = None
        if self.model is Model.GARCH:
            found, variance, following = self._fitted([names[i] for i in moving], own)
            at = dict(zip(moving.tolist(), found, strict=True))
            fits = tuple(at.get(i) for i in range(len(names)))
            gram = _gram(own / np.sqrt(variance))
            deviation, past = np.sqrt(following), np.sqrt(variance[:, 1:])
        else:
            decay = self.decay_used
            days = own.shape[1]
            weight = np.full(days, 1.0 / days) if decay is None else age_weight(days, decay)
            gram = _gram(own * np.sqrt(weight))
            deviation = np.sqrt(np.diagonal(gram))
            past = None if decay is None else _weighted_history(own, decay)
        correlation, volatility = np.eye(len(names)), np.zeros(len(names))
        correlation[np.ix_(moving, moving)] = _correlation(gram)
        volatility[moving] = deviation
        whole = None
        if history and past is not None:
            whole = np.zeros((len(names), returns.shape[1] - 1))
            whole[moving] = past
        return Covariance(tuple(names), volatility, correlation, fits, whole)

    def _fitted(self, names: Sequence[str], returns: Array) -> tuple[list[Garch], Array, Array]:
        """The models, the variance of each day and that of the day to come."""
        rows, days = returns.shape
        offsets = np.arange(rows + 1, dtype=np.int64) * days
        fit = series.fit_garch(returns.reshape(-1), offsets, with_status=True)
        assert fit.status is not None
        for name, status in zip(names, fit.status.tolist(), strict=True):
            if status != Reason.OK:
                words = (
                    f"a GARCH(1,1) could not be fitted to {name} over these {days} days: take more, or another model"
                )
                raise Refused(f"{self.field}.model" if self.field else "model", words)
        values = series.garch(returns.reshape(-1), fit.omega, fit.alpha, fit.beta, fit.initial, offsets)
        columns = (fit.omega, fit.alpha, fit.beta, fit.long_run_variance, fit.log_likelihood)
        found = [Garch(*each) for each in zip(*(column.tolist() for column in columns), strict=True)]
        return found, values.variance.reshape(rows, days), values.following


def given(names: Sequence[str], volatility: Array, correlation: Array, field: str, *, nearest: bool) -> Covariance:
    """A covariance of the caller's.

    Args:
        names: currencies.
        volatility: one each.
        correlation: row after row.
        field: the path of the message in the request.
        nearest: whether the nearest matrix of correlations is taken of one that is none.

    Raises:
        Refused: a length does not fit, or the matrix is not one of correlations.
    """
    count = len(names)
    for name, values, needed in (("volatility", volatility, count), ("correlation", correlation, count * count)):
        if len(values) != needed:
            words = f"has {len(values)} elements; {count} currencies need {needed}"
            raise Refused(f"{field}.{name}", words)
    matrix = np.array(correlation).reshape(count, count)
    try:
        if nearest:
            matrix = matrices.nearest(matrix)
        matrices.factor(matrix)
    except ArgumentError as error:
        if error.reason is Reason.NOT_PSD:
            words = (
                f"is not positive semi-definite (seen at {names[_row(error)]}): no moves have such correlations; "
                "set nearest_correlation for the closest that some have"
            )
            raise Refused(f"{field}.correlation", words) from None
        at = f"[{error.index[0] * count + error.index[1]}]" if isinstance(error.index, tuple) else ""
        raise Refused(f"{field}.correlation{at}", f"is {error.value!r}: {error.says}") from None
    return Covariance(tuple(names), np.array(volatility), matrix)


def _row(error: ArgumentError) -> int:
    return error.index if isinstance(error.index, int) else 0


def _gram(rows: Array) -> Array:
    """Sums of products of all pairs of rows."""
    count = len(rows)
    gram = np.empty((count, count))
    for i in range(count):
        gram[i, : i + 1] = (rows[: i + 1] * rows[i]).sum(axis=1)
        gram[: i + 1, i] = gram[i, : i + 1]
    return gram


def _correlation(gram: Array) -> Array:
    scale = np.sqrt(np.diagonal(gram))
    found = np.clip(gram / np.outer(scale, scale), -1.0, 1.0)
    np.fill_diagonal(found, 1.0)
    return found


def _weighted_history(returns: Array, decay: float) -> Array:
    """Exponentially weighted volatilities of all days but the first, each of the days before it, weights of sum 1."""
    rows, days = returns.shape
    offsets = np.arange(rows + 1, dtype=np.int64) * days
    # A recursion from zero misses the weights of days before the first: decay to the power of the days so far.
    variance = series.ewma(returns.reshape(-1), decay, 0.0, offsets).variance.reshape(rows, days)
    return np.sqrt(variance[:, 1:] / -np.expm1(np.arange(1, days) * np.log(decay)))
