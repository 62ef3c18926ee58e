"""Values as messages and back."""

from __future__ import annotations

from datetime import date

import numpy as np
from google.type.date_pb2 import Date
from numpy.typing import NDArray

from crossrate.api.risk.v1 import book_pb2, exposure_pb2, measure_pb2, scenario_pb2
from crossrate.api.risk.v1 import risk_service_pb2 as pb
from crossrate.basics.currency import CURRENCIES
from crossrate.basics.pair import Pair, parse_pair
from crossrate.kernel.revalue import Scenarios
from crossrate.rpc import arrays
from services.risk.domain.book import COLUMNS, Book
from services.risk.domain.exposure import Exposures
from services.risk.domain.measure import Method, Told, Wanted
from services.risk.domain.rates import Rates
from services.risk.domain.refusal import Refused
from services.risk.domain.stress import Stress

METHODS = {measure_pb2.VarMethod.Value(f"VAR_METHOD_{each.name}"): each for each in Method}
TABLES = ("spot_return", "volatility_shift", "domestic_shift", "foreign_shift", "conversion_return")


def pair_of(name: str, field: str) -> Pair:
    """The pair of an instrument's name.

    Raises:
        Refused: it is not two of the platform's currencies.
    """
    try:
        return parse_pair(name)
    except ValueError as error:
        raise Refused(field, str(error)) from None


def book_of(message: book_pb2.Book) -> Book:
    """A book, checked.

    Raises:
        Refused: it cannot be used.
    """
    if message.reporting_currency not in CURRENCIES:
        words = f"{message.reporting_currency} is none of the platform's currencies"
        raise Refused("book.reporting_currency", words)
    return Book.of(
        [pair_of(each.instrument, f"book.markets[{i}].instrument") for i, each in enumerate(message.markets)],
        [each.spot if each.HasField("spot") else None for each in message.markets],
        [each.conversion if each.HasField("conversion") else None for each in message.markets],
        message.reporting_currency,
        {name: arrays.get(message, name) for name in COLUMNS},
    )


def given_scenarios(message: scenario_pb2.GivenScenarios, markets: int) -> Scenarios:
    """The scenarios of a caller for a book of so many markets.

    Raises:
        Refused: a table does not have one row a market.
    """
    tables: dict[str, NDArray | None] = {}
    for name in TABLES:
        values = arrays.get(message, name)
        if not len(values) and name != "spot_return":
            tables[name] = None
        elif len(values) != markets * message.count:
            words = f"has {len(values)} elements; {markets} markets × {message.count} scenarios need "
            raise Refused(f"given.{name}", f"{words}{markets * message.count}")
        else:
            tables[name] = values.reshape(markets, message.count)
    return Scenarios(**tables)


def wanted_of(request: pb.CalculateVarRequest) -> Wanted:
    """What a request wants to be told."""
    return Wanted(
        METHODS[request.method],
        request.decay if request.HasField("decay") else None,
        tuple(request.confidence),
        request.include_components,
    )


def day_of(message: Date, field: str) -> date:
    """A day.

    Raises:
        Refused: there is no such day.
    """
    try:
        return date(message.year, message.month, message.day)
    except ValueError as error:
        raise Refused(field, f"it is not a day: {error}") from None


def date_message(day: date | None) -> Date | None:
    """A day as a message; None stays unset."""
    return None if day is None else Date(year=day.year, month=day.month, day=day.day)


def result_message(told: Told, profit: NDArray[np.float64], window: Rates | None) -> measure_pb2.VarResult:
    """The measures; `window` has the rates on the days between which the scenarios' moves are, None if given."""
    result = measure_pb2.VarResult(scenarios=len(profit))
    found = told.measures
    errors = found.expected_shortfall_error
    for i, level in enumerate(found.confidence.tolist()):
        one = result.measures.add(
            confidence=level,
            value_at_risk=found.value_at_risk[i],
            expected_shortfall=found.expected_shortfall[i],
            expected_shortfall_error=None if errors is None else errors[i],
        )
        if told.components:
            parts = told.components[i]
            arrays.put(
                one,
                component_value_at_risk=parts.component_var,
                component_expected_shortfall=parts.component_es,
                incremental_value_at_risk=parts.incremental_var,
            )
    if window is not None:
        result.start_date.CopyFrom(date_message(window.start))
        result.end_date.CopyFrom(date_message(window.end))
    for loss, index in zip(told.worst_loss.tolist(), told.worst_index.tolist(), strict=True):
        day = None if window is None else window.dates[index + 1].astype(date)
        result.worst.add(index=index, date=date_message(day), profit=-loss)
    return result


def stress_message(stress: Stress, profit: float | None, parts: NDArray | None) -> measure_pb2.StressResult:
    """What the book makes in a scenario; None where a move is not known."""
    return measure_pb2.StressResult(
        name=stress.name,
        profit=profit,
        market_profit=None if parts is None else parts.tolist(),
        missing_currencies=stress.missing,
        start_date=date_message(stress.start),
        end_date=date_message(stress.end),
    )


def exposure_message(book: Book, found: Exposures, group: int) -> exposure_pb2.BookExposure:
    """The exposure of one group."""
    answer = exposure_pb2.BookExposure(
        reporting_value=found.reporting_value[group].sum(), net_open_position=found.net_open[group]
    )
    for i in np.flatnonzero(found.touched[group]).tolist():
        answer.currencies.add(
            currency=found.currencies[i],
            amount=found.amount[group, i],
            reporting_amount=found.reporting_amount[group, i],
        )
    for i in np.flatnonzero(found.positions[group]).tolist():
        answer.pairs.add(
            instrument=str(book.pairs[i]),
            delta=found.delta[group, i],
            gamma=found.gamma[group, i],
            vega=found.vega[group, i],
            present_value=found.value[group, i],
            reporting_delta=found.reporting_delta[group, i],
        )
    return answer
