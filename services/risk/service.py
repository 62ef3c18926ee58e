"""The gRPC surface of `risk`: books in, risk figures out. Nothing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.risk.v1 import exposure_pb2
from crossrate.api.risk.v1 import risk_service_pb2 as pb
from crossrate.api.risk.v1.risk_service_pb2_grpc import RiskServiceServicer
from crossrate.basics.scenarios import SCENARIOS
from crossrate.kernel import path
from crossrate.kernel.faults import ArgumentError
from crossrate.kernel.revalue import MARKET_RULES, POSITION_RULES, SHIFT_RULES, Markets, Scenarios
from crossrate.rpc import arrays, errors
from crossrate.rpc.call import current
from services.risk import messages
from services.risk.domain import measure, stress
from services.risk.domain.book import Book
from services.risk.domain.exposure import Owners, exposures
from services.risk.domain.rates import YARDSTICK, Rates, common
from services.risk.domain.refusal import Refused
from services.risk.domain.stress import Stress
from services.risk.peers import ReferenceRates
from services.risk.worker import Revaluation, Worker


class RiskService(RiskServiceServicer):
    """Risk figures of books that requests carry."""

    def __init__(self, rates: ReferenceRates, worker: Worker) -> None:
        self._rates = rates
        self._worker = worker

    async def CalculateVar(
        self, request: pb.CalculateVarRequest, context: Any
    ) -> AsyncIterator[pb.CalculateVarResponse]:
        """See the contract."""
        call = current()
        try:
            async for each in self._calculated(request):
                yield each
        except asyncio.CancelledError:
            # A stream that has lived its longest ends without an error; a calculation without its result has failed.
            if call.end_reason == stream_pb2.STREAM_END_REASON_MAX_AGE and call.interrupted():
                raise errors.deadline_exceeded(call.name, call.deadline - call.begun) from None
            raise

    async def _calculated(self, request: pb.CalculateVarRequest) -> AsyncIterator[pb.CalculateVarResponse]:
        """Progress, and the result as the last."""
        sequence, done = 0, 0

        def message(**event: Any) -> pb.CalculateVarResponse:
            nonlocal sequence
            sequence += 1
            return pb.CalculateVarResponse(position=stream_pb2.StreamPosition(sequence=sequence), **event)

        with _failures():
            book, wanted = messages.book_of(request.book), messages.wanted_of(request)
            scenarios, markets, window, rates = await self._scenarios(request, book, wanted)
        with _failures(book, scenarios):
            work = Revaluation(book, markets, scenarios, by_market=wanted.components)
            yield message(progress=pb.VarProgress(scenarios_total=work.total))
            async for now in self._worker.steps(work):
                if now == done:
                    yield message(heartbeat=_heartbeat())
                    continue
                done = now
                yield message(progress=pb.VarProgress(scenarios_done=done, scenarios_total=work.total))
            told = await self._worker.aside(measure.told, work.profit, work.parts, wanted)
        result = messages.result_message(told, work.profit, window)
        if request.include_profits:
            arrays.put(result, profit=work.profit)
        result.reporting_currency, result.rounding_class = book.reporting, path.rounding_class()
        if rates is not None:
            result.market_date.CopyFrom(messages.date_message(rates.end))
        yield message(result=result)

    async def _scenarios(
        self, request: pb.CalculateVarRequest, book: Book, wanted: measure.Wanted
    ) -> tuple[Scenarios, Markets, Rates | None, Rates | None]:
        """The scenarios, the pairs today, the window that the scenarios are of, and the rates that the pairs are of."""
        if request.HasField("given"):
            wanted.check(request.given.count, historical=False)
            scenarios = messages.given_scenarios(request.given, len(book.pairs))
            markets, rates = await self._today(book)
            return scenarios, markets, None, rates
        asked = request.historical
        end = messages.day_of(asked.end_date, "historical.end_date") if asked.HasField("end_date") else None
        wanted.check(asked.days, historical=True)
        series = await self._rates.series(book.currencies() | {YARDSTICK})
        own = {code: series[code] for code in book.currencies()}
        common({YARDSTICK: series[YARDSTICK]} | own, 0, end, "historical.days")
        window = common(own, asked.days, end, "historical.days")
        scenarios = await self._worker.aside(measure.historical, book, window, wanted)
        return scenarios, book.markets(window), window, window if book.currencies_to_value() else None

    async def _today(self, book: Book) -> tuple[Markets, Rates | None]:
        """The pairs today, and the reference rates that were needed for them, if any."""
        needed = book.currencies_to_value()
        if not needed:
            return book.markets(None), None
        rates = common(await self._rates.series(needed | {YARDSTICK}), 0, None, "book.markets")
        return book.markets(rates), rates

    async def StressTest(self, request: pb.StressTestRequest, context: Any) -> pb.StressTestResponse:
        """See the contract."""
        with _failures():
            book = messages.book_of(request.book)
            shocks = [
                stress.shock(
                    each.name,
                    [(move.currency, move.move) for move in each.moves],
                    each.volatility_shift,
                    f"shocks[{i}]",
                )
                for i, each in enumerate(request.shocks)
            ]
            crises = stress.named(request.scenarios)
            if not crises and not shocks:
                crises = list(SCENARIOS)
            markets, rates = await self._today(book)
            series = await self._rates.series(book.currencies()) if crises else {}
            every = [*(stress.of_the_past(each, series) for each in crises), *shocks]
        known = [each for each in every if not each.missing]
        answer = pb.StressTestResponse(reporting_currency=book.reporting, rounding_class=path.rounding_class())
        if rates is not None:
            answer.market_date.CopyFrom(messages.date_message(rates.end))
        answer.results.extend(await self._stressed(book, markets, every, known))
        return answer

    async def _stressed(
        self, book: Book, markets: Markets, every: Sequence[Stress], known: Sequence[Stress]
    ) -> list[Any]:
        profit: dict[int, tuple[float, Any]] = {}
        if known:
            scenarios = stress.as_scenarios(book, known)
            with _failures(book, scenarios):
                work = Revaluation(book, markets, scenarios, by_market=True)
                await self._worker.all(work)
            assert work.parts is not None
            profit = {id(each): (float(work.profit[i]), work.parts[:, i]) for i, each in enumerate(known)}
        return [messages.stress_message(each, *profit.get(id(each), (None, None))) for each in every]

    async def Exposure(self, request: pb.ExposureRequest, context: Any) -> pb.ExposureResponse:
        """See the contract."""
        with _failures():
            book = messages.book_of(request.book)
            owners = Owners.of(tuple(request.accounts), arrays.get(request, "account"), book.count)
            markets, rates = await self._today(book)
        with _failures(book):
            total, *by_account = await self._worker.aside(exposures, book, markets, owners)
        answer = pb.ExposureResponse(total=messages.exposure_message(book, total, 0), reporting_currency=book.reporting)
        if rates is not None:
            answer.market_date.CopyFrom(messages.date_message(rates.end))
        for found in by_account:
            for i, account in enumerate(request.accounts):
                if found.positions[i].any():
                    exposure = messages.exposure_message(book, found, i)
                    answer.accounts.append(exposure_pb2.AccountExposure(account=account, exposure=exposure))
        return answer

    async def ScenarioLadder(self, request: pb.ScenarioLadderRequest, context: Any) -> pb.ScenarioLadderResponse:
        """See the contract."""
        with _failures():
            book = messages.book_of(request.book)
            pair = messages.pair_of(request.instrument, "instrument") if request.instrument else None
            moves = (arrays.get(request, "spot_move"), arrays.get(request, "volatility_move"))
            scenarios = stress.grid(book, *moves, pair)
            markets, rates = await self._today(book)
        with _failures(book, scenarios):
            work = Revaluation(book, markets, scenarios, by_market=False)
            await self._worker.all(work)
        answer = pb.ScenarioLadderResponse(
            worst_index=int(np.argmin(work.profit)),
            reporting_currency=book.reporting,
            rounding_class=path.rounding_class(),
        )
        if rates is not None:
            answer.market_date.CopyFrom(messages.date_message(rates.end))
        return arrays.put(answer, profit=work.profit)


def _heartbeat() -> stream_pb2.Heartbeat:
    beat = stream_pb2.Heartbeat()
    beat.server_time.FromDatetime(datetime.now(UTC))
    return beat


@contextmanager
def _failures(book: Book | None = None, scenarios: Scenarios | None = None) -> Iterator[None]:
    """What the domain and the kernel refuse, as failures of the request."""
    try:
        yield
    except Refused as error:
        raise errors.invalid((error.field, error.words)) from None
    except ArgumentError as error:
        raise errors.invalid((_place(error, book, scenarios), f"is {error.value!r}: {error.says}")) from None


def _place(error: ArgumentError, book: Book | None, scenarios: Scenarios | None) -> str:
    """Where in the request the kernel's argument stands."""
    name, index = error.argument, error.index
    if name in MARKET_RULES:
        return f"book.markets[{index}].{name}"
    if name in POSITION_RULES:
        return f"book.{name}[{0 if book is not None and name in book.lone else index}]"
    if name in SHIFT_RULES and isinstance(index, tuple) and scenarios is not None:
        row, column = index
        return f"given.{name}[{row * scenarios.spot_return.shape[1] + column}]"
    return name if index is None else f"{name}[{index}]"
