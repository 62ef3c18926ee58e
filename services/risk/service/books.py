"""Stress tests, exposures and ladders over gRPC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from crossrate.api.risk.v1 import exposure_pb2
from crossrate.api.risk.v1 import risk_service_pb2 as whole
from crossrate.api.risk.v1 import stress_pb2 as pb
from crossrate.basics.scenarios import SCENARIOS
from crossrate.kernel import path
from crossrate.kernel.revalue import Markets
from crossrate.rpc import arrays
from services.risk.domain import stress
from services.risk.domain.book import Book
from services.risk.domain.exposure import Owners, exposures
from services.risk.domain.stress import Stress
from services.risk.messages import books
from services.risk.service.failures import failures
from services.risk.service.surroundings import Surroundings, market_date
from services.risk.worker import Revaluation


class BookCalls(Surroundings):
    """StressTest, Exposure and ScenarioLadder."""

    async def StressTest(self, request: pb.StressTestRequest, context: Any) -> pb.StressTestResponse:
        """See the contract."""
        with failures():
            book = books.book_of(request.book)
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
        market_date(answer, rates)
        answer.results.extend(await self._stressed(book, markets, every, known))
        return answer

    async def _stressed(
        self, book: Book, markets: Markets, every: Sequence[Stress], known: Sequence[Stress]
    ) -> list[Any]:
        profit: dict[int, tuple[float, Any]] = {}
        if known:
            scenarios = stress.as_scenarios(book, known)
            with failures(book, scenarios):
                work = Revaluation(book, markets, scenarios, by_market=True)
                await self._worker.all(work)
            assert work.parts is not None
            profit = {id(each): (float(work.profit[i]), work.parts[:, i]) for i, each in enumerate(known)}
        return [books.stress_message(each, *profit.get(id(each), (None, None))) for each in every]

    async def Exposure(self, request: whole.ExposureRequest, context: Any) -> whole.ExposureResponse:
        """See the contract."""
        with failures():
            book = books.book_of(request.book)
            owners = Owners.of(tuple(request.accounts), arrays.get(request, "account"), book.count)
            markets, rates = await self._today(book)
        with failures(book):
            total, *by_account = await self._worker.aside(exposures, book, markets, owners)
        answer = whole.ExposureResponse(total=books.exposure_message(book, total, 0), reporting_currency=book.reporting)
        market_date(answer, rates)
        for found in by_account:
            for i, account in enumerate(request.accounts):
                if found.positions[i].any():
                    exposure = books.exposure_message(book, found, i)
                    answer.accounts.append(exposure_pb2.AccountExposure(account=account, exposure=exposure))
        return answer

    async def ScenarioLadder(self, request: pb.ScenarioLadderRequest, context: Any) -> pb.ScenarioLadderResponse:
        """See the contract."""
        with failures():
            book = books.book_of(request.book)
            pair = books.pair_of(request.instrument, "instrument") if request.instrument else None
            moves = (arrays.get(request, "spot_move"), arrays.get(request, "volatility_move"))
            scenarios = stress.grid(book, *moves, pair)
            markets, rates = await self._today(book)
        with failures(book, scenarios):
            work = Revaluation(book, markets, scenarios, by_market=False)
            await self._worker.all(work)
        answer = pb.ScenarioLadderResponse(
            worst_index=int(np.argmin(work.profit)),
            reporting_currency=book.reporting,
            rounding_class=path.rounding_class(),
        )
        market_date(answer, rates)
        return arrays.put(answer, profit=work.profit)
