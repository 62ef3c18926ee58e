"""Books, days, given scenarios; exposures and stress results."""

from __future__ import annotations

from datetime import date

import numpy as np
from google.type.date_pb2 import Date
from numpy.typing import NDArray

from crossrate.api.risk.v1 import book_pb2, exposure_pb2, measure_pb2, scenario_pb2
from crossrate.basics.currency import CURRENCIES
from crossrate.basics.pair import Pair, parse_pair
from crossrate.kernel.revalue import Scenarios
from crossrate.rpc import arrays
from services.risk.domain.book import COLUMNS, Book
from services.risk.domain.exposure import Exposures
from services.risk.domain.refusal import Refused
from services.risk.domain.stress import Stress

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


def book_of(message: book_pb2.Book, field: str = "book") -> Book:
    """A book, checked; `field` is its path in the request.

    Raises:
        Refused: it cannot be used.
    """
    if message.reporting_currency not in CURRENCIES:
        words = f"{message.reporting_currency} is none of the platform's currencies"
        raise Refused(f"{field}.reporting_currency", words)
    return Book.of(
        [pair_of(each.instrument, f"{field}.markets[{i}].instrument") for i, each in enumerate(message.markets)],
        [each.spot if each.HasField("spot") else None for each in message.markets],
        [each.conversion if each.HasField("conversion") else None for each in message.markets],
        message.reporting_currency,
        {name: arrays.get(message, name) for name in COLUMNS},
        field,
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


def day_of(message: Date, field: str) -> date:
    """A day.

    Raises:
        Refused: there is no such day.
    """
    try:
        return date(message.year, message.month, message.day)
    except ValueError as error:
        raise Refused(field, f"is no day: {error}") from None


def date_message(day: date | None) -> Date | None:
    """A day as a message; None stays unset."""
    return None if day is None else Date(year=day.year, month=day.month, day=day.day)


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
