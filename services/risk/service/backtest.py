"""Backtests over gRPC."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.api.risk.v1 import backtest_pb2 as pb
from crossrate.kernel import path
from crossrate.kernel.revalue import Scenarios
from services.risk.domain import backtest, parametric
from services.risk.domain.backtest import Forecasts
from services.risk.domain.book import Book, Groups
from services.risk.domain.measure import Method
from services.risk.domain.rates import Rates, pair_moves
from services.risk.messages import backtests, books
from services.risk.service.failures import failures
from services.risk.service.surroundings import Progress, Surroundings, market_date, to_its_end
from services.risk.worker import Revaluation

Array = NDArray[np.float64]


class BacktestCalls(Surroundings):
    """Backtest."""

    async def Backtest(self, request: pb.BacktestRequest, context: Any) -> AsyncIterator[pb.BacktestResponse]:
        """See the contract."""
        calculation = self._of_a_book(request) if request.HasField("book") else self._of_a_series(request)
        async for each in to_its_end(calculation):
            yield each

    async def _of_a_series(self, request: pb.BacktestRequest) -> AsyncGenerator[pb.BacktestResponse, None]:
        stream = Progress(pb.BacktestResponse)
        with failures():
            profit, forecast, days = backtests.series_of(request.series)
            verdict = await self._worker.aside(backtest.judged, profit, forecast, request.confidence)
        result = backtests.result_message(verdict, profit, forecast, days, series=request.include_series)
        result.rounding_class = path.rounding_class()
        yield stream.message(result=result)

    async def _of_a_book(self, request: pb.BacktestRequest) -> AsyncGenerator[pb.BacktestResponse, None]:
        stream = Progress(pb.BacktestResponse)
        asked = request.book
        with failures(field="book.book"):
            book = books.book_of(asked.book, "book.book")
            forecasts = backtests.forecasts_of(asked, request.confidence)
            forecasts.check(len(book.pairs), book.count)
            days = forecasts.days + forecasts.window
            window = await self._window(book.currencies(), asked.tested, days, "book.tested")
        found = np.empty(forecasts.days)
        with failures(book, field="book.book"):
            work = Revaluation(book, book.markets(window), _outcomes(book, window), by_market=False)
            cells = forecasts.cells(book.count)
            self._require_time(cells)
            yield stream.message(progress=pb.BacktestProgress(days_total=forecasts.days))
            async for done in self._in_slices(work):
                if not done:
                    yield stream.heartbeat()
            told = 0
            async for day in self._forecast(book, window, work, forecasts, found):
                if day == told:
                    yield stream.heartbeat()
                    continue
                told = day
                yield stream.message(progress=pb.BacktestProgress(days_done=day, days_total=forecasts.days))
                self._require_time(book.count * forecasts.scenarios * (forecasts.days - day))
            profit = work.profit[forecasts.window :]
            verdict = await self._worker.aside(backtest.judged, profit, found, request.confidence)
        dates = window.dates[1 + forecasts.window :]
        result = backtests.result_message(verdict, profit, found, dates, series=request.include_series)
        if request.include_series:
            result.date.extend(books.date_message(day.astype(date)) for day in dates)
        if (decay := forecasts.decay_used) is not None:
            result.decay = decay
        if forecasts.draws is not None:
            result.seed = forecasts.draws.seed
        result.reporting_currency, result.rounding_class = book.reporting, path.rounding_class()
        market_date(result, window if book.currencies_to_value() else None)
        yield stream.message(result=result)

    async def _in_slices(self, work: Revaluation) -> AsyncIterator[bool]:
        """Values all scenarios; True after each slice, False after a silence."""
        done = 0
        async for now in self._worker.steps(work):
            yield now != done
            done = now

    async def _forecast(
        self, book: Book, window: Rates, work: Revaluation, forecasts: Forecasts, found: Array
    ) -> AsyncIterator[int]:
        """Fills in the forecasts, and yields how many days are done; the same number after a silence."""
        total, normals = None, None
        returns = window.returns()
        if forecasts.draws is not None:
            normals = await self._worker.aside(forecasts.draws.normals, len(window.currencies))
        elif forecasts.estimator is not None:
            groups = Groups.of(np.empty(0), book.count)
            second = forecasts.method is Method.DELTA_GAMMA
            own = await self._worker.aside(parametric.approximation, book, book.markets(window), groups, gamma=second)
            total = own.parts.sum()
        made = backtest.scenarios_of(book, window.currencies, returns, forecasts)
        for start in range(0, forecasts.days, forecasts.chunk):
            stop = min(start + forecasts.chunk, forecasts.days)
            if total is not None:
                chunk = (total, window.currencies, returns, forecasts, start, stop)
                found[start:stop] = await self._worker.aside(backtest.of_covariances, *chunk)
            elif forecasts.scenarios:
                own_work = work.anew(await self._worker.aside(made, start, stop, normals))
                async for done in self._in_slices(own_work):
                    if not done:
                        yield start
                found[start:stop] = await self._worker.aside(backtest.of_scenarios, own_work.profit, forecasts)
            else:
                found[start:stop] = await self._worker.aside(backtest.of_outcomes, work.profit, forecasts, start, stop)
            yield stop


def _outcomes(book: Book, window: Rates) -> Scenarios:
    """The moves of all days, the first window's too."""
    spot, conversion = pair_moves(book.pairs, book.reporting, window.currencies, window.returns())
    return Scenarios(spot_return=spot, conversion_return=conversion)
