"""Margin and volatilities over gRPC."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from crossrate.api.risk.v1 import margin_pb2 as pb
from crossrate.api.risk.v1 import volatility_pb2
from crossrate.kernel import path
from crossrate.rpc import arrays
from services.risk.domain import margin
from services.risk.domain.covariance import Model
from services.risk.domain.exposure import Owners
from services.risk.domain.rates import NUMERAIRE, pair_moves
from services.risk.domain.refusal import Refused
from services.risk.messages import books, margins, measures
from services.risk.service.failures import failures
from services.risk.service.surroundings import Surroundings, market_date

DAYS_PER_YEAR = 252


class MarginCalls(Surroundings):
    """CalculateMargin and EstimateVolatility."""

    async def CalculateMargin(self, request: pb.CalculateMarginRequest, context: Any) -> pb.CalculateMarginResponse:
        """See the contract."""
        with failures():
            book = books.book_of(request.book)
            owners = Owners.of(tuple(request.accounts), arrays.get(request, "account"), book.count)
            grid = margins.grid_of(request.scan) if request.HasField("scan") else None
            markets, rates = await self._today(book)
        ratio = request.initial_ratio if request.HasField("initial_ratio") else margin.INITIAL_RATIO
        places = [(np.zeros(book.count, np.int64), 1)]
        if owners is not None:
            places.append((owners.place, len(owners.accounts)))
        with failures(book):
            if grid is not None:
                found = [await self._worker.turn(margin.scanned, book, markets, *each, grid) for each in places]
            else:
                tables = margins.tables_of(request.tiered)
                found = [await self._worker.turn(margin.tiered, book, markets, *each, tables) for each in places]
        total = float(found[0].maintenance[0])
        answer = pb.CalculateMarginResponse(
            total=margins.requirement_message(book, found[0], 0, ratio, grid),
            gross_maintenance=total if owners is None else float(found[1].maintenance.sum()),
            reporting_currency=book.reporting,
            rounding_class=path.rounding_class(),
        )
        answer.netting_benefit = answer.gross_maintenance - total
        market_date(answer, rates)
        if owners is not None:
            for i, account in enumerate(owners.accounts):
                if found[1].positions[i].any():
                    requirement = margins.requirement_message(book, found[1], i, ratio, grid)
                    answer.accounts.append(pb.AccountMargin(account=account, requirement=requirement))
        return answer

    async def EstimateVolatility(
        self, request: volatility_pb2.EstimateVolatilityRequest, context: Any
    ) -> volatility_pb2.EstimateVolatilityResponse:
        """See the contract."""
        with failures():
            pairs = [books.pair_of(name, f"instruments[{i}]") for i, name in enumerate(request.instruments)]
            estimator = measures.estimator_of(request.model, request.decay if request.HasField("decay") else None, "")
            estimator.check(request.window.days, "window.days")
            if request.include_history and estimator.model is Model.SAMPLE:
                words = "has no meaning with COVARIANCE_MODEL_SAMPLE, which has one volatility for all days"
                raise Refused("include_history", words)
            currencies = {code for pair in pairs for code in pair} - {NUMERAIRE}
            window = await self._window(currencies, request.window, request.window.days, "window")
            moves, _ = pair_moves(pairs, NUMERAIRE, window.currencies, window.returns())
            names = tuple(str(pair) for pair in pairs)
            history = request.include_history
            found = await self._worker.aside(estimator.estimate, names, moves, history=history)
        answer = volatility_pb2.EstimateVolatilityResponse(
            start_date=books.date_message(window.start),
            end_date=books.date_message(window.end),
            decay=estimator.decay_used,
            rounding_class=path.rounding_class(),
        )
        for i, (name, volatility) in enumerate(zip(names, found.volatility.tolist(), strict=True)):
            one = answer.volatilities.add(
                instrument=name, daily_volatility=volatility, annual_volatility=volatility * DAYS_PER_YEAR**0.5
            )
            fitted = found.garch[i] if found.garch else None
            if fitted is not None:
                one.garch.omega, one.garch.alpha, one.garch.beta = fitted.omega, fitted.alpha, fitted.beta
                one.garch.long_run_volatility = fitted.long_run_variance**0.5
                one.garch.log_likelihood = fitted.log_likelihood
            if found.history is not None:
                arrays.put(one, history=found.history[i])
        if found.history is not None:
            answer.date.extend(books.date_message(day.astype(date)) for day in window.dates[2:])
        return arrays.put(answer, correlation=found.correlation.reshape(-1))
