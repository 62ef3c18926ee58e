"""What all calls of risk have: reference rates, the worker, time, and streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.risk.v1 import scenario_pb2
from crossrate.api.risk.v1.risk_service_pb2_grpc import RiskServiceServicer
from crossrate.kernel.revalue import Markets
from crossrate.rpc import errors
from crossrate.rpc.call import current
from services.risk.domain.book import Book
from services.risk.domain.rates import YARDSTICK, Rates, common
from services.risk.messages import books
from services.risk.peers import ReferenceRates
from services.risk.worker import Worker

M = TypeVar("M")


class Surroundings(RiskServiceServicer):
    """What the calls share.

    Args:
        rates: where reference rates come from.
        worker: where books are valued.
    """

    def __init__(self, rates: ReferenceRates, worker: Worker) -> None:
        self._rates = rates
        self._worker = worker

    async def _window(self, currencies: set[str], asked: scenario_pb2.HistoricalWindow, days: int, field: str) -> Rates:
        """Rates on the days between which `days` moves are, the last of them as a request's window says.

        Args:
            currencies: all that are needed, without the euro.
            asked: the window; its `days` do not count.
            days: how many moves.
            field: the window's path in the request.
        """
        end = books.day_of(asked.end_date, f"{field}.end_date") if asked.HasField("end_date") else None
        series = await self._rates.series(currencies | {YARDSTICK}, asked.source)
        own = {code: series[code] for code in currencies}
        common({YARDSTICK: series[YARDSTICK]} | own, 0, end, f"{field}.days")
        return common(own, days, end, f"{field}.days")

    async def _today(self, book: Book) -> tuple[Markets, Rates | None]:
        """The pairs today, and the reference rates that were needed for them, if any."""
        needed = book.currencies_to_value()
        if not needed:
            return book.markets(None), None
        rates = common(await self._rates.series(needed | {YARDSTICK}), 0, None, "book.markets")
        return book.markets(rates), rates

    def _require_time(self, cells: float) -> None:
        """Ends a call whose prices cannot all be made in the time that is left, as far as anybody knows.

        Raises:
            Failure: DEADLINE_TOO_SHORT.
        """
        call = current()
        needed_s, remaining_s = self._worker.needed_s(cells), call.remaining_s()
        if needed_s > remaining_s:
            raise errors.deadline_too_short(call.name, remaining_s, needed_s)


class Progress(Generic[M]):
    """The messages of one stream: numbers them, and tells silence from progress.

    Args:
        response: the class of the messages.
    """

    def __init__(self, response: type[M]) -> None:
        self._response: Any = response
        self._sequence = 0

    def message(self, **event: Any) -> M:
        """The next message."""
        self._sequence += 1
        return self._response(position=stream_pb2.StreamPosition(sequence=self._sequence), **event)

    def heartbeat(self) -> M:
        """Nothing new."""
        beat = stream_pb2.Heartbeat()
        beat.server_time.FromDatetime(datetime.now(UTC))
        return self.message(heartbeat=beat)


async def to_its_end(calculation: AsyncGenerator[M, None]) -> AsyncIterator[M]:
    """The messages of a calculation.

    A stream that has lived its longest ends without an error; a calculation without its result has failed.
    """
    call = current()
    try:
        async with aclosing(calculation) as messages:
            async for each in messages:
                yield each
    except asyncio.CancelledError:
        if call.end_reason == stream_pb2.STREAM_END_REASON_MAX_AGE and call.interrupted():
            raise errors.deadline_exceeded(call.name, call.deadline - call.begun) from None
        raise


def market_date(answer: Any, rates: Rates | None) -> None:
    """Says of which day the rates are that stand for spot rates and conversions; unset if the book gave them all."""
    if rates is not None:
        answer.market_date.CopyFrom(books.date_message(rates.end))
