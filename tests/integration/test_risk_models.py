"""`risk`: parametric and simulated value at risk, backtests, margin and volatilities, through a real server on the real
reference rates."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from google.type.date_pb2 import Date
from grpc_health.v1 import health_pb2, health_pb2_grpc

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.risk.v1 import (
    backtest_pb2,
    book_pb2,
    covariance_pb2,
    margin_pb2,
    measure_pb2,
    scenario_pb2,
    simulation_pb2,
    volatility_pb2,
)
from crossrate.api.risk.v1 import risk_service_pb2 as pb
from crossrate.rpc import arrays
from crossrate.rpc.errors import ErrorReason
from tests.integration.test_risk import END, Served, book, euro_dollar, failure, messages, result, served, serving, var

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

__all__ = ["served", "serving"]

DAY = Date(year=END.year, month=END.month, day=END.day)
SAMPLE = covariance_pb2.COVARIANCE_MODEL_SAMPLE


def estimated(days: int = 500, model: int = SAMPLE, **other: float) -> covariance_pb2.Covariance:
    """A covariance of the days up to END."""
    window = scenario_pb2.HistoricalWindow(days=days, end_date=DAY)
    own = covariance_pb2.EstimatedCovariance(window=window, model=model, **other)
    return covariance_pb2.Covariance(estimated=own)


def drawn(count: int = 20_000, seed: int = 7, **other: object) -> simulation_pb2.SimulatedScenarios:
    """Scenarios with that covariance."""
    own = {"covariance": estimated()} | other
    return simulation_pb2.SimulatedScenarios(count=count, seed=seed, **own)


def parametric(**other: object) -> pb.CalculateVarRequest:
    """Delta-normal value at risk of the forward."""
    own = {"covariance": estimated(), "method": measure_pb2.VAR_METHOD_DELTA_NORMAL, "include_profits": False}
    return var(**own | other)


def backtest_of(days: int = 250, window: int = 250, **forecast: object) -> backtest_pb2.BacktestRequest:
    """A backtest of the forward at 99 percent, of plain forecasts unless told otherwise."""
    if not forecast:
        forecast = {"historical": backtest_pb2.HistoricalForecast(method=measure_pb2.VAR_METHOD_PLAIN)}
    own = {"book": book()} | forecast
    tested_days = scenario_pb2.HistoricalWindow(days=days, end_date=DAY)
    of_book = backtest_pb2.BookForecasts(tested=tested_days, window_days=window, **own)
    return backtest_pb2.BacktestRequest(book=of_book, confidence=0.99, include_series=True)


async def verdict(served: Served, request: backtest_pb2.BacktestRequest) -> backtest_pb2.BacktestResult:
    """The result of a backtest, which stands before the end."""
    found = [each async for each in served.risk.Backtest(request, timeout=60)]
    assert [each.position.sequence for each in found] == list(range(1, len(found) + 1))
    assert found[-1].end.reason == stream_pb2.STREAM_END_REASON_COMPLETE
    return found[-2].result


async def ended(stream: object) -> list:
    """All messages of a stream."""
    return [each async for each in stream]


async def test_delta_normal_is_the_deviation_of_the_rate(served: Served) -> None:
    """A million euro: 2.33 standard deviations of the dollar's moves at today's rate; nothing is valued anew."""
    found = await result(served, parametric(include_components=True))
    rates = euro_dollar(served.rates.history, 500)
    sigma = np.sqrt(np.mean(np.diff(np.log(rates)) ** 2))
    (one,) = found.measures
    assert one.value_at_risk == pytest.approx(1e6 * rates[-1] * sigma * NormalDist().inv_cdf(0.99), rel=1e-9)
    assert one.component_value_at_risk == pytest.approx([one.value_at_risk], rel=1e-12)
    assert one.incremental_value_at_risk == pytest.approx([one.value_at_risk], rel=1e-12)
    assert one.marginal_value_at_risk == pytest.approx([one.value_at_risk / (1e6 * rates[-1])], rel=1e-12)
    assert [(each.currency, each.volatility) for each in found.volatilities] == [("USD", pytest.approx(sigma))]
    assert (found.scenarios, found.end_date, found.market_date) == (0, DAY, DAY)
    assert found.method == measure_pb2.VAR_METHOD_DELTA_NORMAL
    assert found.moments.deviation == pytest.approx(1e6 * rates[-1] * sigma, rel=1e-9)
    assert not one.HasField("expected_shortfall_error")
    assert served.worker.slices == 0


async def test_simulation_is_reproducible_and_agrees_with_delta_gamma(served: Served) -> None:
    """Options on two pairs in yen: within four standard errors; the same seed is the same to the bit."""
    own = book(3, kind=[1, 0, 2], market=[0, 1, 0], notional=[-1e6, -2e6, 5e5], strike=[1.12, 1.25, 1.1])
    own.markets.add(instrument="GBP/USD")
    own.reporting_currency = "JPY"
    request = var(book=own, simulated=drawn(antithetic=True), include_components=True, candidate=[0, 0, 1])
    found = await result(served, request)
    gamma = parametric(book=own, method=measure_pb2.VAR_METHOD_DELTA_GAMMA, candidate=[0, 0, 1])
    exact = (await result(served, gamma)).measures[0]
    (one,) = found.measures
    assert abs(one.value_at_risk - exact.value_at_risk) < 4 * one.value_at_risk_error
    assert abs(one.expected_shortfall - exact.expected_shortfall) < 4 * one.expected_shortfall_error
    assert abs(one.candidate_value_at_risk[0] - exact.candidate_value_at_risk[0]) < 4 * one.value_at_risk_error
    assert not one.HasField("value_at_risk_lower")
    assert sum(one.component_value_at_risk) == pytest.approx(one.value_at_risk, rel=1e-9)
    assert len(one.marginal_value_at_risk) == len(one.incremental_expected_shortfall) == 2
    assert (found.scenarios, found.seed, len(found.volatilities)) == (20_000, 7, 3)
    assert not found.worst[0].HasField("date")
    assert await result(served, request) == found
    request.simulated.seed = 8
    assert (await result(served, request)).measures != found.measures
    request.simulated.antithetic = False
    (one,) = (await result(served, request)).measures
    assert one.value_at_risk_lower < one.value_at_risk < one.value_at_risk_upper


async def test_a_correlation_of_the_caller_s_may_be_impossible(served: Served) -> None:
    """Refused by name with the remedy; the nearest one makes a result; a currency of the book may not be missing."""
    own = book(2, market=[0, 1])
    own.markets.add(instrument="GBP/JPY")
    correlation = np.array([1, 0.9, 0.9, 0.9, 1, -0.9, 0.9, -0.9, 1])
    given = covariance_pb2.GivenCovariance(currencies=["GBP", "JPY", "USD"], volatility=[0.01] * 3)
    arrays.put(given, correlation=correlation)
    for field, request in (
        ("covariance.given", parametric(book=own, covariance=covariance_pb2.Covariance(given=given))),
        (
            "simulated.covariance.given",
            var(book=own, simulated=drawn(covariance=covariance_pb2.Covariance(given=given))),
        ),
    ):
        found = await failure(messages(served, request))
        assert [each.field for each in found.violations] == [f"{field}.correlation"]
        assert "nearest_correlation" in found.violations[0].description
    given.nearest_correlation = True
    near = await result(served, parametric(book=own, covariance=covariance_pb2.Covariance(given=given)))
    assert near.measures[0].value_at_risk > 0
    assert not near.HasField("start_date")
    del given.currencies[1:], given.volatility[1:], given.correlation[1:]
    found = await failure(messages(served, parametric(book=own, covariance=covariance_pb2.Covariance(given=given))))
    assert "lacks JPY, USD" in found.violations[0].description


async def test_components_of_history_are_whole(served: Served) -> None:
    """With age weights they add up to the measures; with a window to what it explains; both have marginal measures."""
    own = book(2, market=[0, 1], notional=[1e6, -5e5])
    own.markets.add(instrument="GBP/USD")
    aged = var(book=own, include_components=True, method=measure_pb2.VAR_METHOD_AGE_WEIGHTED)
    found = await result(served, aged)
    (one,) = found.measures
    assert sum(one.component_value_at_risk) == pytest.approx(one.value_at_risk, rel=1e-9)
    assert sum(one.component_expected_shortfall) == pytest.approx(one.expected_shortfall, rel=1e-9)
    assert found.decay == 0.98
    (one,) = (await result(served, var(book=own, include_components=True, component_window=3))).measures
    assert sum(one.component_value_at_risk) == pytest.approx(one.explained_value_at_risk, rel=1e-9)
    assert len(one.marginal_value_at_risk) == 2
    (plain,) = (await result(served, var(book=own, include_components=True))).measures
    rates = euro_dollar(served.rates.history, 500)
    # A forward at zero rates is a spot position: its component is its size times its marginal measure.
    assert plain.component_value_at_risk[0] == pytest.approx(
        1e6 * rates[-1] * plain.marginal_value_at_risk[0], rel=1e-9
    )


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (parametric(method=measure_pb2.VAR_METHOD_PLAIN), "method"),
        (parametric(include_profits=True), "include_profits"),
        (parametric(covariance=estimated(decay=0.9)), "covariance.estimated.decay"),
        (
            parametric(covariance=estimated(49, covariance_pb2.COVARIANCE_MODEL_GARCH)),
            "covariance.estimated.window.days",
        ),
        (parametric(covariance=estimated(9_999)), "covariance.estimated.window.days"),
        (var(simulated=drawn(101, antithetic=True)), "simulated.count"),
        (var(simulated=drawn(), confidence=[0.9999], component_window=1), "component_window"),
        (var(simulated=drawn(100), confidence=[0.999]), "confidence[0]"),
    ],
)
async def test_what_does_not_fit_is_refused(served: Served, request_: pb.CalculateVarRequest, field: str) -> None:
    """The field is named, and nothing is valued."""
    found = await failure(messages(served, request_))
    assert [each.field for each in found.violations] == [field]
    assert served.worker.slices == 0


async def test_a_backtest_of_a_book_forecasts_each_day_from_those_before(served: Served) -> None:
    """Profits are today's position under each day's move; a plain forecast is an order statistic of the 250 before."""
    found = await verdict(served, backtest_of())
    rates = euro_dollar(served.rates.history, 500)
    profit = 1e6 * rates[-1] * (rates[1:] / rates[:-1] - 1.0)
    assert np.allclose(found.profit, profit[250:], rtol=0, atol=1e-6)
    # Of 250 losses the 248th is the least whose distribution function reaches 0.99.
    forecast = [np.sort(-profit[day : day + 250])[247] for day in range(250)]
    assert np.allclose(found.value_at_risk, forecast, rtol=1e-9)
    broken = np.flatnonzero(-profit[250:] > forecast)
    assert [each.index for each in found.exceedances] == broken.tolist()
    assert found.traffic_light.HasField("multiplier_add_on")
    assert (found.observations, found.expected_exceedances, found.end_date) == (250, pytest.approx(2.5), DAY)
    assert found.exceedances[0].date == found.date[broken[0]]
    assert found.transitions.none_to_exceedance + found.transitions.exceedance_to_exceedance == len(broken)
    assert 0 <= found.kupiec.p_value <= 1
    series = backtest_pb2.ForecastSeries(profit=found.profit, value_at_risk=found.value_at_risk, date=found.date)
    alone = await verdict(served, backtest_pb2.BacktestRequest(series=series, confidence=0.99))
    assert alone.exceedances == found.exceedances
    assert (alone.kupiec, alone.conditional_coverage) == (found.kupiec, found.conditional_coverage)
    assert (alone.start_date, alone.traffic_light) == (found.start_date, found.traffic_light)


@pytest.mark.parametrize("method", ["AGE_WEIGHTED", "VOLATILITY_FILTERED", "DELTA_NORMAL", "DELTA_GAMMA", "SIMULATED"])
async def test_the_last_forecast_is_the_value_at_risk_of_the_day_before(served: Served, method: str) -> None:
    """Made of the same window by CalculateVar, at the rates of the day before, it is the same part of the position."""
    code = getattr(measure_pb2, f"VAR_METHOD_{method}", measure_pb2.VAR_METHOD_PLAIN)
    model = covariance_pb2.COVARIANCE_MODEL_EXPONENTIALLY_WEIGHTED
    own = {"book": book(), "days": 250, "method": code, "include_profits": False}
    if method == "SIMULATED":
        simulated = backtest_pb2.SimulatedForecast(model=model, count=400, seed=5)
        request = backtest_of(20, simulated=simulated)
        own = {"simulated": drawn(400, 5, covariance=estimated(250, model)), "include_profits": False}
    elif method.startswith("DELTA"):
        request = backtest_of(20, covariance=backtest_pb2.CovarianceForecast(method=code, model=model))
        own = {"covariance": estimated(250, model), "method": code, "include_profits": False}
    else:
        request = backtest_of(20, historical=backtest_pb2.HistoricalForecast(method=code))
    found = await verdict(served, request)
    before = found.date[-2]
    other = var(**own)
    window = {"SIMULATED": other.simulated.covariance.estimated.window, "DELTA": other.covariance.estimated.window}
    window.get(method.partition("_")[0], other.historical).end_date.CopyFrom(before)
    (one,) = (await result(served, other)).measures
    rates = euro_dollar(served.rates.history, 1)
    assert found.value_at_risk[-1] == pytest.approx(one.value_at_risk * rates[1] / rates[0], rel=1e-9)
    assert found.HasField("decay")


async def test_a_backtest_s_progress_grows_to_its_days(served: Served) -> None:
    """Simulated forecasts of many positions: days done grow from none to all."""
    served.worker._cells = 1
    simulated = backtest_pb2.SimulatedForecast(model=SAMPLE, count=20_000, seed=1)
    request = backtest_of(60, 50, simulated=simulated)
    found = await ended(served.risk.Backtest(request, timeout=60))
    served.worker._cells = 2_000
    progress = [each.progress.days_done for each in found if each.HasField("progress")]
    assert progress == [0, 25, 50, 60]


async def test_series_that_do_not_fit_are_refused(served: Served) -> None:
    """Lengths and the order of days, by name; a covariance forecast of a GARCH needs fifty days."""
    day = Date(year=2024, month=1, day=2)
    for field, series in (
        ("series.value_at_risk", {"profit": [1, 2, 3], "value_at_risk": [1, 2]}),
        ("series.date", {"profit": [1, 2], "value_at_risk": [1], "date": [day]}),
        ("series.date[1]", {"profit": [1, 2], "value_at_risk": [1], "date": [day, day]}),
    ):
        request = backtest_pb2.BacktestRequest(series=backtest_pb2.ForecastSeries(**series), confidence=0.99)
        assert [v.field for v in (await failure(ended(served.risk.Backtest(request)))).violations] == [field]
    garch = backtest_pb2.CovarianceForecast(
        method=measure_pb2.VAR_METHOD_DELTA_NORMAL, model=covariance_pb2.COVARIANCE_MODEL_GARCH
    )
    found = await failure(ended(served.risk.Backtest(backtest_of(20, 49, covariance=garch))))
    assert [each.field for each in found.violations] == ["book.window_days"]
    bad = backtest_of(20)
    bad.book.book.strike.extend([1.0, 1.0])
    found = await failure(ended(served.risk.Backtest(bad)))
    assert [each.field for each in found.violations] == ["book.book.strike"]


@pytest.mark.parametrize("kind", ["simulated", "backtest"])
async def test_long_work_ends_with_its_caller_and_leaves_the_loop_free(served: Served, kind: str) -> None:
    """While it runs, health and exposures are answered; after the caller has gone nothing more of it is begun."""
    own = book(5_000, kind=[1])  # some three thousand slices
    served.worker._cells_per_s = np.inf  # nothing is known to be too long
    if kind == "simulated":
        call = served.risk.CalculateVar(var(book=own, simulated=drawn(200_000), include_profits=False), timeout=60)
    else:
        filtered = backtest_pb2.HistoricalForecast(method=measure_pb2.VAR_METHOD_VOLATILITY_FILTERED)
        call = served.risk.Backtest(backtest_of(1_000, 250, book=own, historical=filtered), timeout=60)
    assert (await call.read()).HasField("progress")
    async with asyncio.timeout(60):
        while served.worker.slices < 2:  # until it is under way
            await served.risk.Exposure(pb.ExposureRequest(book=book()), timeout=60)
    health = health_pb2_grpc.HealthStub(served.channel)
    answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=60)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert served.worker.slices < 2_500
    call.cancel()
    # A calculation of one slice takes turns with it: were it still there, it would go on.
    await result(served, var())
    begun = served.worker.slices
    await result(served, var())
    assert served.worker.slices == begun + 1


async def test_a_backtest_that_cannot_end_is_refused(served: Served) -> None:
    """At the best rate ever seen here: a hundred thousand prices a second make no ten million in five."""
    served.worker._cells_per_s = 1e5
    filtered = backtest_pb2.HistoricalForecast(method=measure_pb2.VAR_METHOD_VOLATILITY_FILTERED)
    request = backtest_of(500, 250, book=book(100), historical=filtered)
    found = await failure(ended(served.risk.Backtest(request, timeout=5)))
    assert found.reason is ErrorReason.DEADLINE_TOO_SHORT
    assert served.worker.slices == 0


async def test_margin_is_by_account_and_in_total(served: Served) -> None:
    """Two accounts on opposite sides of two pairs: each nets its own; the total nets both and says what that saves."""
    own = book(3, market=[0, 0, 1], notional=[1e6, -4e5, 1e6], strike=[1.1])
    own.markets[0].spot = 1.1
    own.markets.append(book_pb2.BookMarket(instrument="GBP/USD", spot=1.3))
    scan = margin_pb2.ScanMargin(scans=[margin_pb2.MarginScan(price_scan=0.03)])
    request = margin_pb2.CalculateMarginRequest(book=own, accounts=["a", "b", "c"], account=[0, 1, 1], scan=scan)
    answer = await served.risk.CalculateMargin(request, timeout=60)
    by_name = {each.account: each.requirement for each in answer.accounts}
    assert set(by_name) == {"a", "b"}
    assert by_name["a"].maintenance == pytest.approx(33_000, rel=1e-9)
    assert by_name["a"].initial == pytest.approx(36_300, rel=1e-9)
    assert [each.risk for each in by_name["b"].pairs] == pytest.approx([13_200, 39_000], rel=1e-9)
    assert [each.worst.name for each in by_name["b"].pairs] == [
        "spot up 3/3, volatility up",
        "spot down 3/3, volatility up",
    ]
    assert answer.total.maintenance == pytest.approx(19_800 + 39_000, rel=1e-9)
    assert answer.gross_maintenance == pytest.approx(33_000 + 13_200 + 39_000, rel=1e-9)
    assert answer.netting_benefit == pytest.approx(26_400, rel=1e-9)
    tiers = [margin_pb2.MarginTier(bound=0, rate=0.02), margin_pb2.MarginTier(bound=5e5, rate=0.05)]
    request.tiered.tables.add(tiers=tiers)
    answer = await served.risk.CalculateMargin(request, timeout=60)
    assert answer.total.pairs[0].risk == pytest.approx(0.02 * 5e5 + 0.05 * 1.6e5, rel=1e-9)
    assert not answer.total.pairs[0].HasField("worst")
    request.tiered.tables[0].tiers[0].bound = 1
    found = await failure(served.risk.CalculateMargin(request))
    assert [each.field for each in found.violations] == ["tiered.tables[0].tiers[0].bound"]


async def test_volatilities_of_pairs_are_those_of_their_rates(served: Served) -> None:
    """A cross is the ratio of two rates; correlations are of pairs; a history has a day for each volatility."""
    window = scenario_pb2.HistoricalWindow(days=500, end_date=DAY)
    names = ["EUR/USD", "GBP/USD", "EUR/GBP"]
    request = volatility_pb2.EstimateVolatilityRequest(instruments=names, window=window, model=SAMPLE)
    answer = await served.risk.EstimateVolatility(request, timeout=60)
    history = served.rates.history
    dollars, pounds = (
        history.days("EUR", code, history.dates[0], np.datetime64(END))[1][-501:] for code in ("USD", "GBP")
    )
    moves = np.diff(np.log([dollars, dollars / pounds, pounds]), axis=1)
    sigma = np.sqrt(np.mean(moves**2, axis=1))
    assert [each.daily_volatility for each in answer.volatilities] == pytest.approx(sigma.tolist(), rel=1e-9)
    assert answer.volatilities[0].annual_volatility == pytest.approx(sigma[0] * np.sqrt(252), rel=1e-9)
    expected = (moves @ moves.T / 500) / np.outer(sigma, sigma)
    assert np.allclose(arrays.get(answer, "correlation").reshape(3, 3), expected, rtol=0, atol=1e-9)
    request.model, request.include_history = covariance_pb2.COVARIANCE_MODEL_GARCH, True
    answer = await served.risk.EstimateVolatility(request, timeout=60)
    assert all(0 < each.garch.alpha + each.garch.beta < 1 for each in answer.volatilities)
    assert len(answer.date) == len(answer.volatilities[0].history) == 499
    assert answer.date[-1] == DAY
    request.model = SAMPLE
    assert [v.field for v in (await failure(served.risk.EstimateVolatility(request))).violations] == ["include_history"]
    request.include_history = False
    request.instruments[0] = "XXX/USD"
    assert [v.field for v in (await failure(served.risk.EstimateVolatility(request))).violations] == ["instruments[0]"]


async def test_a_window_may_be_of_another_daily_source(served: Served) -> None:
    """Rates that are the squares of the European Central Bank's move twice as much, and so do volatilities."""
    history = served.rates.history
    served.rates.others["squares"] = replace(history, rates=history.rates**2, source="squares")
    window = scenario_pb2.HistoricalWindow(days=500, end_date=DAY)
    request = volatility_pb2.EstimateVolatilityRequest(instruments=["GBP/USD"], window=window, model=SAMPLE)
    once = (await served.risk.EstimateVolatility(request, timeout=20)).volatilities[0].daily_volatility
    request.window.source = "squares"
    twice = (await served.risk.EstimateVolatility(request, timeout=20)).volatilities[0].daily_volatility
    assert twice == pytest.approx(2 * once, rel=1e-9)


async def test_calculations_side_by_side_change_no_bit(served: Served) -> None:
    """Four at once, in slices that take turns, are what each is alone."""
    requests = [var(simulated=drawn(5_000, seed)) for seed in range(4)]
    alone = [await result(served, each) for each in requests]
    assert await asyncio.gather(*(result(served, each) for each in requests)) == alone
