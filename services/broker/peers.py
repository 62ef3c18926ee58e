"""What broker asks of others: the composite quotes of marketdata, as they come."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any

from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.client.quotes import Gap, QuoteStream, Resumption
from crossrate.rpc.call_error import CallError

INSTRUMENTS_MAX = 200
REFUSED_PAUSE_S = 2.0
RESUMPTION = Resumption(pause_s_max=0.5, unreachable_s_max=math.inf)


class Quotes:
    """The quotes of the instruments that somebody wants. `run` is a task; the rest is called on the same loop.

    Args:
        silence_s_max: after this time without a word from marketdata no quote is LIVE.
        told: hears of each quote, and of every instrument when silence begins.
    """

    def __init__(
        self, stub: MarketDataServiceStub, silence_s_max: float, told: Callable[[str], None], note: Any
    ) -> None:
        self._stub = stub
        self._silence_s_max = silence_s_max
        self._told = told
        self._note = note
        self._newest: dict[str, quote_pb2.Quote] = {}
        self._wanted: set[str] = set()
        self._rewire = asyncio.Event()
        self._first: dict[str, asyncio.Event] = {}
        self._heard_s = -math.inf
        self._stream: list[QuoteStream] = []
        self._refusal = ""

    def want(self, instrument: str) -> bool:
        """Follows an instrument from now on, and says whether it was not followed before."""
        if instrument in self._wanted:
            return False
        self._wanted.add(instrument)
        self._first[instrument] = asyncio.Event()
        self._rewire.set()
        return True

    async def first(self, instrument: str, within_s: float) -> None:
        """Waits for an instrument's first quote, but not longer than that."""
        try:
            async with asyncio.timeout(within_s):
                await self._first[instrument].wait()
        except TimeoutError:
            self._note.warning("no quote has come", instrument=instrument)

    def live(self, instrument: str) -> quote_pb2.Quote | None:
        """The newest quote of an instrument if it may be dealt on."""
        quote = self._newest.get(instrument)
        if quote is None or quote.health != quote_pb2.QUOTE_HEALTH_LIVE or self.silent:
            return None
        return quote

    @property
    def silent(self) -> bool:
        """Whether marketdata has not been heard for too long."""
        return not self._stream or max(each.silence_s for each in self._stream) > self._silence_s_max

    async def run(self) -> None:
        """Follows what is wanted, until it is cancelled."""
        while True:
            self._rewire.clear()
            names = sorted(self._wanted)
            pages = [names[i : i + INSTRUMENTS_MAX] for i in range(0, len(names), INSTRUMENTS_MAX)]
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._read(page, number)) for number, page in enumerate(pages)]
                tasks.append(group.create_task(self._watch()))
                await self._rewire.wait()
                for task in tasks:
                    task.cancel()
            self._stream = []

    async def _read(self, names: list[str], number: int) -> None:
        while True:
            stream = QuoteStream(names, None, "", RESUMPTION)
            self._stream = [*self._stream[:number], stream, *self._stream[number + 1 :]]
            try:
                async for event in stream.events(self._stub):
                    if not isinstance(event, Gap):
                        self._take(event)
            except CallError as error:
                if str(error) != self._refusal:
                    self._note.warning("marketdata refuses to stream quotes", why=str(error))
                self._refusal = str(error)
            await asyncio.sleep(REFUSED_PAUSE_S)

    def _take(self, quote: quote_pb2.Quote) -> None:
        self._newest[quote.instrument] = quote
        self._heard_s = time.monotonic()
        if (first := self._first.get(quote.instrument)) is not None:
            first.set()
        self._told(quote.instrument)

    async def _watch(self) -> None:
        was = False
        while True:
            await asyncio.sleep(self._silence_s_max / 8)
            if self.silent and not was:
                self._note.warning("marketdata is silent; its quotes are not dealt on")
                for name in self._wanted:
                    self._told(name)
            was = self.silent
