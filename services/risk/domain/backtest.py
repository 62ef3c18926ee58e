"""Backtests: what exceedances say of a model, and the forecasts of a book on days of the past.

Of a book, each day's moves and the forecast before them are applied to today's rates. One revaluation over all days
makes the outcomes, and with them all forecasts whose scenarios are moves as they were; filtered and simulated forecasts
have scenarios of their own for each day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from crossrate.kernel import backtest as tests
from crossrate.kernel import var
from crossrate.kernel.revalue import Scenarios
from services.risk.domain import parametric, simulation
from services.risk.domain.book import Book
from services.risk.domain.covariance import Estimator, Model
from services.risk.domain.measure import Method, enough, filtered
from services.risk.domain.rates import pair_moves
from services.risk.domain.refusal import Refused
from services.risk.domain.simulation import Draws

Array = NDArray[np.float64]

TESTED_DAYS_MAX = 2_500
CELLS_MAX = 20_000_000_000
"""Days times scenarios times positions of one backtest."""
CHUNK_ELEMENTS = 500_000
"""Numbers that are looked at before others get their turn."""
TABLE_DAYS = 250
TABLE_CONFIDENCE = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What exceedances say.

    Attributes:
        breaches: places of the days whose loss was above the forecast.
        expected: how many the confidence leads to expect.
        found: the tests.
        light: the zone.
        add_on: to the multiplier of three; None where the table says nothing.
    """

    breaches: NDArray[np.int64]
    expected: float
    found: tests.Sequence
    light: tests.TrafficLight
    add_on: float | None


def judged(profit: Array, value_at_risk: Array, confidence: float) -> Verdict:
    """The verdict on forecasts.

    Args:
        profit: of each day, losses negative.
        value_at_risk: forecast before each day, losses positive.
        confidence: of the forecasts.
    """
    probability = 1.0 - confidence
    breach = tests.breaches(profit, value_at_risk)
    count = int(breach.sum())
    light = tests.traffic_light(count, len(profit), probability)
    table = len(profit) == TABLE_DAYS and abs(confidence - TABLE_CONFIDENCE) < 1e-12
    return Verdict(
        np.flatnonzero(breach),
        probability * len(profit),
        tests.sequence(breach, probability),
        light,
        float(tests.add_on_1996(count)) if table else None,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """How forecasts of a book are made.

    Attributes:
        days: that are tested.
        window: days before each of which its forecast is made.
        confidence: of the forecasts.
        method: how scenarios count; PLAIN for simulated ones.
        decay: of the method; None for the customary one.
        estimator: of the covariance; None for moves as they were.
        draws: what is drawn for each day; None if nothing is.
    """

    days: int
    window: int
    confidence: float
    method: Method
    decay: float | None
    estimator: Estimator | None
    draws: Draws | None

    def check(self, markets: int, positions: int) -> None:
        """Refuses what does not go together, before anything is calculated.

        Raises:
            Refused: too much, too few, or a decay that has no meaning.
        """
        if self.days > TESTED_DAYS_MAX:
            raise Refused("book.tested.days", f"is {self.days}: at most {TESTED_DAYS_MAX} days are tested at once")
        if self.estimator is not None:
            self.estimator.check(self.window, "book.window_days")
        elif self.decay is not None and self.method is Method.PLAIN:
            words = "has no meaning with VAR_METHOD_PLAIN: leave it out, or choose another method"
            raise Refused("book.historical.decay", words)
        if self.draws is not None:
            self.draws.check(markets)
            enough(self.confidence, self.draws.count, "confidence")
        elif self.estimator is None:
            enough(self.confidence, self.window, "confidence")
        if self.cells(positions) > CELLS_MAX:
            most = CELLS_MAX // (positions * max(self.scenarios, 1))
            words = f"is {self.days}: with this book and these forecasts at most {most} days can be tested at once"
            raise Refused("book.tested.days", words)

    @property
    def scenarios(self) -> int:
        """Of its own for each day; 0 where those of the outcomes do."""
        if self.draws is not None:
            return self.draws.count
        return self.window if self.method is Method.VOLATILITY_FILTERED else 0

    @property
    def decay_used(self) -> float | None:
        """The decay that the result tells."""
        return self.estimator.decay_used if self.estimator is not None else self.method.decay(self.decay)

    @property
    def chunk(self) -> int:
        """Days whose forecasts are made before others get their turn."""
        if self.estimator is not None and self.draws is None:
            return 4 if self.estimator.model is Model.GARCH else 32
        return max(CHUNK_ELEMENTS // (self.scenarios or self.window), 1)

    def cells(self, positions: int) -> int:
        """Prices to be made."""
        return positions * (self.days + self.window + self.days * self.scenarios)


def of_outcomes(profit: Array, forecasts: Forecasts, start: int, stop: int) -> Array:
    """Forecasts of the tested days from `start` to before `stop`, from the outcomes of the days before each.

    Args:
        profit: of all days, the first window's too.
        forecasts: plain or age-weighted.
        start, stop: days, counted from the first tested one.
    """
    rows = np.ascontiguousarray(sliding_window_view(profit, forecasts.window)[start:stop])
    decay = forecasts.method.decay(forecasts.decay)
    aged = forecasts.method is Method.AGE_WEIGHTED and decay is not None
    weight = var.age_weight(forecasts.window, decay) if aged else None
    return var.measure(rows, forecasts.confidence, weight=weight).value_at_risk


def of_covariances(
    total: parametric.Quadratics,
    currencies: tuple[str, ...],
    returns: Array,
    forecasts: Forecasts,
    start: int,
    stop: int,
) -> Array:
    """The same from the covariance of the moves before each day and the book's derivatives.

    Raises:
        Refused: a day's model cannot be fitted, or its moments are beyond the expansion.
    """
    estimator = forecasts.estimator
    assert estimator is not None
    found = np.empty(stop - start)
    for day in range(start, stop):
        covariance = estimator.estimate(currencies, returns[:, day : day + forecasts.window])
        found[day - start] = parametric.value_at_risk(total, covariance, forecasts.confidence)
    return found


def scenarios_of(
    book: Book, currencies: tuple[str, ...], returns: Array, forecasts: Forecasts
) -> Callable[[int, int, Array | None], Scenarios]:
    """What makes the scenarios of tested days: those of a day side by side, day after day.

    Returns:
        A function of the first day, the day after the last, and the normals if scenarios are drawn. It raises Refused
        where a day's model cannot be fitted.
    """

    def made(start: int, stop: int, normals: Array | None) -> Scenarios:
        blocks = []
        for day in range(start, stop):
            before = returns[:, day : day + forecasts.window]
            if normals is None:
                decay = forecasts.method.decay(forecasts.decay)
                assert decay is not None
                blocks.append(filtered(before, decay, currencies, "book.historical.decay"))
            else:
                assert forecasts.estimator is not None
                blocks.append(simulation.moves(forecasts.estimator.estimate(currencies, before), normals))
        spot, conversion = pair_moves(book.pairs, book.reporting, currencies, np.concatenate(blocks, axis=1))
        return Scenarios(spot_return=spot, conversion_return=conversion)

    return made


def of_scenarios(profit: Array, forecasts: Forecasts) -> Array:
    """Forecasts from the profits in days' scenarios of their own, day after day."""
    return var.measure(profit.reshape(-1, forecasts.scenarios), forecasts.confidence).value_at_risk
