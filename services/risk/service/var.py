"""Value at risk over gRPC."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any

from crossrate.api.risk.v1 import covariance_pb2
from crossrate.api.risk.v1 import risk_service_pb2 as pb
from crossrate.kernel import path
from crossrate.kernel.revalue import Markets, Scenarios
from crossrate.rpc import arrays
from services.risk.domain import measure, parametric, simulation
from services.risk.domain.book import Book, Groups
from services.risk.domain.covariance import Covariance
from services.risk.domain.measure import Method, Source, Wanted
from services.risk.domain.rates import NUMERAIRE, Rates
from services.risk.domain.refusal import Refused
from services.risk.messages import books, measures
from services.risk.service.failures import failures
from services.risk.service.surroundings import Progress, Surroundings, market_date, to_its_end
from services.risk.worker import Revaluation


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What a calculation stands on.

    Attributes:
        markets: the pairs today.
        scenarios: None where there are none.
        window: rates on the days of which the moves are; None if they were given.
        rates: those that spot rates and conversions are of; None if the book gave them all.
        covariance: of scenarios that were drawn or are not there; None for others.
    """

    markets: Markets
    scenarios: Scenarios | None
    window: Rates | None
    rates: Rates | None
    covariance: Covariance | None


class VarCalls(Surroundings):
    """CalculateVar."""

    async def CalculateVar(
        self, request: pb.CalculateVarRequest, context: Any
    ) -> AsyncIterator[pb.CalculateVarResponse]:
        """See the contract."""
        async for each in to_its_end(self._calculated(request)):
            yield each

    async def _calculated(self, request: pb.CalculateVarRequest) -> AsyncGenerator[pb.CalculateVarResponse, None]:
        """Progress, and the result as the last."""
        stream = Progress(pb.CalculateVarResponse)
        with failures():
            book, wanted = books.book_of(request.book), measures.wanted_of(request)
            groups = Groups.of(arrays.get(request, "candidate"), book.count)
            ground = await self._ground(request, book, wanted)
        if ground.scenarios is None:
            assert ground.covariance is not None
            yield stream.message(progress=pb.VarProgress())
            with failures():
                second = wanted.method is Method.DELTA_GAMMA
                own = await self._worker.aside(parametric.approximation, book, ground.markets, groups, gamma=second)
                moments, found = await self._worker.aside(parametric.told, own, ground.covariance, wanted)
            result = measures.result_message(found, wanted.method, None, ground.window)
            measures.put_moments(result, moments)
        else:
            with failures(book, ground.scenarios):
                work = Revaluation(book, ground.markets, ground.scenarios, by_market=wanted.components, groups=groups)
                async for each in self._valued(work, stream):
                    yield each
                paired = request.HasField("simulated") and request.simulated.antithetic
                found = await self._measured(work, ground.scenarios, wanted, paired=paired)
                loss, index = await self._worker.aside(measure.worst, work.profit)
            decay = wanted.method.decay(wanted.decay)
            result = measures.result_message(found, wanted.method, decay, ground.window)
            result.scenarios = work.total
            historical = request.HasField("historical") and ground.window is not None
            measures.put_worst(result, loss, index, ground.window.dates[1:] if historical else None)
            if request.include_profits:
                arrays.put(result, profit=work.profit)
        if wanted.window:
            for message, each in zip(result.measures, found, strict=True):
                message.explained_value_at_risk = each.components.explained_value_at_risk
        if request.HasField("simulated"):
            result.seed = request.simulated.seed
        if ground.covariance is not None:
            measures.put_covariance(result, ground.covariance)
        result.reporting_currency, result.rounding_class = book.reporting, path.rounding_class()
        market_date(result, ground.rates)
        yield stream.message(result=result)

    async def _valued(
        self, work: Revaluation, stream: Progress[pb.CalculateVarResponse]
    ) -> AsyncGenerator[pb.CalculateVarResponse, None]:
        """Values all scenarios and tells how far it is."""
        self._require_time(work.cells)
        yield stream.message(progress=pb.VarProgress(scenarios_total=work.total))
        done = 0
        async for now in self._worker.steps(work):
            if now == done:
                yield stream.heartbeat()
                continue
            done = now
            yield stream.message(progress=pb.VarProgress(scenarios_done=done, scenarios_total=work.total))
            self._require_time(work.cells * (1.0 - done / work.total))

    async def _measured(
        self, work: Revaluation, scenarios: Scenarios, wanted: Wanted, *, paired: bool
    ) -> list[measure.Measured]:
        """The measures; each confidence's contributions are a piece of work of their own, so that others get turns."""
        found = await self._worker.aside(measure.measured, work.profit, work.candidates, wanted, paired=paired)
        if work.parts is None:
            return found
        units = await self._worker.aside(measure.unit_profits, scenarios)
        arguments = (work.profit, work.parts, units, wanted)
        return [await self._worker.aside(measure.contributed, each, *arguments) for each in found]

    async def _ground(self, request: pb.CalculateVarRequest, book: Book, wanted: Wanted) -> Ground:
        """What the request's moves are, and the pairs today."""
        source = Source(request.WhichOneof("scenarios"))
        if source is Source.GIVEN:
            wanted.check(source, request.given.count)
            scenarios = books.given_scenarios(request.given, len(book.pairs))
            markets, rates = await self._today(book)
            return Ground(markets, scenarios, None, rates, None)
        if source is Source.HISTORICAL:
            wanted.check(source, request.historical.days)
            window = await self._window(book.currencies(), request.historical, request.historical.days, "historical")
            scenarios = await self._worker.aside(measure.historical, book, window, wanted)
            return Ground(book.markets(window), scenarios, window, self._used(book, window), None)
        if source is Source.COVARIANCE:
            wanted.check(source, 0)
            found, window, markets, rates = await self._covariance(request.covariance, book, "covariance")
            return Ground(markets, None, window, rates, found)
        draws = measures.draws_of(request.simulated, "simulated")
        wanted.check(source, draws.count)
        draws.check(len(book.pairs))
        found, window, markets, rates = await self._covariance(
            request.simulated.covariance, book, "simulated.covariance"
        )
        normals = await self._worker.aside(draws.normals, len(found.names))
        scenarios = await self._worker.aside(simulation.simulated, book, found, normals)
        return Ground(markets, scenarios, window, rates, found)

    async def _covariance(
        self, message: covariance_pb2.Covariance, book: Book, field: str
    ) -> tuple[Covariance, Rates | None, Markets, Rates | None]:
        """The covariance of the book's currencies, the rates that it is of, the pairs today and the rates of these."""
        names = tuple(sorted(book.currencies()))
        if message.HasField("given"):
            place = f"{field}.given"
            for i, code in enumerate(message.given.currencies):
                if code == NUMERAIRE:
                    raise Refused(f"{place}.currencies[{i}]", f"{code} does not move against itself: leave it out")
            missing = [each for each in names if each not in message.given.currencies]
            if missing:
                raise Refused(f"{place}.currencies", f"lacks {', '.join(missing)}, which the book has")
            given = await self._worker.aside(measures.given_covariance, message.given, place)
            markets, rates = await self._today(book)
            return given.of(names), None, markets, rates
        asked, place = message.estimated, f"{field}.estimated"
        decay = asked.decay if asked.HasField("decay") else None
        estimator = measures.estimator_of(asked.model, decay, place)
        estimator.check(asked.window.days, f"{place}.window.days")
        window = await self._window(set(names), asked.window, asked.window.days, f"{place}.window")
        found = await self._worker.aside(estimator.estimate, window.currencies, window.returns())
        return found.of(names), window, book.markets(window), self._used(book, window)

    @staticmethod
    def _used(book: Book, window: Rates) -> Rates | None:
        """The window's rates if the book needs some for its value."""
        return window if book.currencies_to_value() else None
