"""Backtests as values and back."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from crossrate.api.risk.v1 import backtest_pb2 as pb
from crossrate.kernel.backtest import Test, Zone
from crossrate.rpc import arrays
from services.risk.domain.backtest import Forecasts, Verdict
from services.risk.domain.measure import Method
from services.risk.domain.refusal import Refused
from services.risk.domain.simulation import Draws
from services.risk.messages.books import date_message, day_of
from services.risk.messages.measures import METHODS, estimator_of

Array = NDArray[np.float64]
Days = NDArray[np.datetime64]


def series_of(message: pb.ForecastSeries) -> tuple[Array, Array, Days | None]:
    """Profits, forecasts, and the days if there are any.

    Raises:
        Refused: a length does not fit, or the days do not ascend.
    """
    profit, forecast = arrays.get(message, "profit"), arrays.get(message, "value_at_risk")
    count = len(profit)
    if len(forecast) not in (1, count):
        words = f"has {len(forecast)} elements for {count} profits: give 1 or {count}"
        raise Refused("series.value_at_risk", words)
    if len(message.date) not in (0, count):
        raise Refused("series.date", f"has {len(message.date)} elements for {count} profits: give {count} or none")
    days = [day_of(each, f"series.date[{i}]") for i, each in enumerate(message.date)]
    for i in range(1, len(days)):
        if days[i] <= days[i - 1]:
            raise Refused(f"series.date[{i}]", f"is {days[i]}, not after {days[i - 1]}: give days in their order")
    return profit, np.array(np.broadcast_to(forecast, count)), np.array(days, "datetime64[D]") if days else None


def forecasts_of(message: pb.BookForecasts, confidence: float) -> Forecasts:
    """How forecasts of a book are made."""
    kind = message.WhichOneof("forecast")
    how = getattr(message, kind)
    decay = how.decay if how.HasField("decay") else None
    sizes = (message.tested.days, message.window_days, confidence)
    if kind == "historical":
        return Forecasts(*sizes, METHODS[how.method], decay, None, None)
    estimator = estimator_of(how.model, decay, f"book.{kind}")
    if kind == "covariance":
        return Forecasts(*sizes, METHODS[how.method], None, estimator, None)
    draws = Draws(how.count, how.seed, how.antithetic, "book.simulated")
    return Forecasts(*sizes, Method.PLAIN, None, estimator, draws)


def result_message(
    verdict: Verdict, profit: Array, value_at_risk: Array, days: Days | None, *, series: bool
) -> pb.BacktestResult:
    """The verdict; with `series` also every day."""
    result = pb.BacktestResult(observations=len(profit), expected_exceedances=verdict.expected)
    for i in verdict.breaches.tolist():
        day = None if days is None else days[i].astype(date)
        result.exceedances.add(index=i, date=date_message(day), profit=profit[i], value_at_risk=value_at_risk[i])
    found = verdict.found
    for message, test, degrees in (
        (result.kupiec, found.unconditional, 1),
        (result.independence, found.independence, 1),
        (result.conditional_coverage, found.conditional, 2),
    ):
        message.CopyFrom(_test_message(test, degrees))
    none_none, none_one, one_none, one_one = found.transitions[0].tolist()
    result.transitions.none_to_none, result.transitions.none_to_exceedance = none_none, none_one
    result.transitions.exceedance_to_none, result.transitions.exceedance_to_exceedance = one_none, one_one
    light = result.traffic_light
    light.zone = pb.TrafficLightZone.Value(f"TRAFFIC_LIGHT_ZONE_{Zone(int(verdict.light.zone)).name}")
    light.cumulative_probability = float(verdict.light.cumulative)
    light.tail_probability = float(verdict.light.tail)
    if verdict.add_on is not None:
        light.multiplier_add_on = verdict.add_on
    if days is not None:
        result.start_date.CopyFrom(date_message(days[0].astype(date)))
        result.end_date.CopyFrom(date_message(days[-1].astype(date)))
    if series:
        arrays.put(result, profit=profit, value_at_risk=value_at_risk)
    return result


def _test_message(test: Test, degrees: int) -> pb.LikelihoodRatioTest:
    statistic, p_value = float(test.statistic[0]), float(test.p_value[0])
    return pb.LikelihoodRatioTest(statistic=statistic, p_value=p_value, degrees_of_freedom=degrees)
