"""Clients that read streams of marketdata, and go on elsewhere when theirs breaks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import grpc

from crossrate.api.marketdata.v1 import history_pb2, quote_pb2
from crossrate.api.marketdata.v1 import history_service_pb2 as history_pb
from crossrate.api.marketdata.v1 import history_service_pb2_grpc as history_grpc
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as pb
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as pb_grpc
from crossrate.rpc.errors import ErrorReason, failure_of
from tests.chaos.checker import Broken, Problem
from tests.chaos.history import Told
from tests.chaos.log_feed import row
from tests.ending import within

SILENCE_S_MAX = 2.5
"""Without even a heartbeat for so long, a reader goes elsewhere."""
AGAIN_S = 0.05
READ_S_MAX = 180.0
"""Longest time in which the history is read whole, with all breaks."""

Address = Callable[[], str]
"""Where to ask; empty while nobody serves there."""


class QuoteReader:
    """Follows some instruments of a source, every quote, and resumes at another instance after a break.

    Attributes:
        last: the newest quote of each instrument.
        problems: gaps and repeats.
    """

    def __init__(self, name: str, source: str, instruments: Sequence[str], addresses: Sequence[Address], told: Told):
        self.name = name
        self.source = source
        self.instruments = tuple(instruments)
        self.last: dict[str, quote_pb2.Quote] = {}
        self.problems: list[Problem] = []
        self._addresses = addresses
        self._told = told
        self._cursor = ""
        self.lapse = ""
        """The fault that a check must find: "gap" leaves a message out, "repeat" takes one twice; once."""

    async def run(self) -> None:
        """Until it is cancelled."""
        turn = 0
        while True:
            try:
                if address := self._addresses[turn % len(self._addresses)]():
                    await self._follow(address)
            except (grpc.aio.AioRpcError, TimeoutError) as error:
                self._told.events["breaks"] += 1
                failure = failure_of(error) if isinstance(error, grpc.aio.AioRpcError) else None
                if failure is not None and failure.reason == ErrorReason.CURSOR_EXPIRED:
                    self._told.events["cursor expired"] += 1
                    self._cursor = ""
            turn += 1
            await asyncio.sleep(AGAIN_S)

    async def _follow(self, address: str) -> None:
        request = pb.StreamQuotesRequest(instruments=self.instruments, source=self.source, resume_cursor=self._cursor)
        request.heartbeat_interval.FromMilliseconds(500)
        async with grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
            call = pb_grpc.MarketDataServiceStub(channel).StreamQuotes(request, timeout=3_600)
            with _ending(call):
                begun = not self._cursor
                while (message := await heard(call, SILENCE_S_MAX)) is not grpc.aio.EOF:
                    self._take(message, anew=begun)
                    self._cursor = message.position.cursor
                    begun = begun and not message.quotes.quotes

    def _take(self, message: pb.StreamQuotesResponse, *, anew: bool) -> None:
        if self.lapse and message.quotes.quotes and not anew:
            lapse, self.lapse = self.lapse, ""
            if lapse == "gap":
                return
            self._take(message, anew=anew)
        self._told.events["messages"] += 1
        self._told.events["conflated"] += message.quotes.conflated_count
        for quote in message.quotes.quotes:
            before = self.last.get(quote.instrument)
            self.last[quote.instrument] = quote
            if quote.source == self.source:
                self._told.acknowledge((quote.instrument, quote.sequence), row(quote))
            if before is None or self._follows(before, quote, message, anew):
                continue
            broken = Broken.REPEAT if quote.sequence <= before.sequence else Broken.GAP
            said = f"{quote.instrument}: {before.sequence} and then {quote.sequence}"
            self.problems.append(Problem(broken, f"reader {self.name}", said))

    def _follows(
        self, before: quote_pb2.Quote, quote: quote_pb2.Quote, message: pb.StreamQuotesResponse, anew: bool
    ) -> bool:
        if quote.sequence == before.sequence + 1:
            return True
        if quote.sequence == before.sequence:
            # Told again: to whoever begins anew, and when it, or a venue of a composite, has grown too old.
            return anew or quote.health == quote_pb2.QUOTE_HEALTH_STALE or (not self.source and quote != before)
        return quote.sequence > before.sequence and (anew or message.quotes.conflated_count > 0)


async def heard(call: Any, silence_s: float) -> Any:
    """A stream's next message, or the end of it.

    Raises:
        TimeoutError: it is silent for too long.
    """
    # asyncio.wait_for of Python 3.11 loses a cancellation that comes together with its result: a reader of a stream
    # with heartbeats that nobody ends would read for ever.
    async with asyncio.timeout(silence_s):
        return await call.read()


@contextlib.contextmanager
def _ending(call: Any) -> Iterator[None]:
    """Ends a call, however its reader ends."""
    try:
        yield
    finally:
        call.cancel()


async def history(source: str, pair: str, addresses: Sequence[Address], told: Told, batch: int) -> list[int]:
    """Numbers of all quotes of a source, by StreamTicks in small messages, resumed wherever it breaks.

    Raises:
        AssertionError: nobody has told all of it in time.
    """
    return await within(_history(source, pair, addresses, told, batch), "the whole history", READ_S_MAX)


async def _history(source: str, pair: str, addresses: Sequence[Address], told: Told, batch: int) -> list[int]:
    base, counter = pair.split("/")
    request = history_pb.StreamTicksRequest(base=base, counter=counter, source=source, batch_size=batch)
    request.columns.append(history_pb2.TICK_COLUMN_SEQUENCE)
    request.start_time.FromSeconds(0)
    numbers: list[int] = []
    turn = 0
    while True:
        turn += 1
        if not (address := addresses[turn % len(addresses)]()):
            await asyncio.sleep(AGAIN_S)
            continue
        try:
            async with grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
                call = history_grpc.HistoryServiceStub(channel).StreamTicks(request, timeout=60)
                with _ending(call):
                    while (message := await heard(call, 4 * SILENCE_S_MAX)) is not grpc.aio.EOF:
                        numbers += message.ticks.sequence
                        if message.position.cursor:
                            request.resume_cursor = message.position.cursor
                        if message.HasField("end"):
                            told.events["read whole"] += 1
                            return numbers
        except (grpc.aio.AioRpcError, TimeoutError):
            told.events["breaks"] += 1
        await asyncio.sleep(AGAIN_S)
