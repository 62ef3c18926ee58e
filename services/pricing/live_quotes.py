"""The live quotes that somebody listens to: one stream from marketdata for the whole process.

    marketdata ──StreamQuotes of what is wanted──▶ newest by instrument ◀── price streams
                                                        │ tick
                                                        └──▶ listeners of that instrument

The stream is opened anew when an instrument is wanted that it lacks, and some time after the last listener of one has
left. A stream that breaks is resumed where it broke. While nothing is heard, quotes are STALE, whatever they said.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.client.quotes import Gap, QuoteStream, Resumption
from crossrate.rpc.call_error import CallError
from crossrate.runtime.ending import end

REFUSED_PAUSE_S = 5.0
"""Before marketdata is asked again after it refused for a reason that repeating does not mend."""
RESUMPTION = Resumption(pause_s_max=1.0, unreachable_s_max=math.inf)


class Listener:
    """What one price stream wants, and what has changed for it since it looked."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._changed = asyncio.Event()

    def tick(self) -> None:
        """Something that it wants has changed."""
        self._changed.set()

    @property
    def pending(self) -> bool:
        """Whether something has changed since `look`."""
        return self._changed.is_set()

    def look(self) -> None:
        """The listener looks now; later changes are told again."""
        self._changed.clear()

    async def changed(self) -> None:
        """Returns when something has changed since `look`."""
        await self._changed.wait()


class LiveQuotes:
    """See the module. `run` is a task of the process; everything else is called on the same loop.

    Args:
        conflation_s: quotes of one instrument come at most so often.
        silence_s_max: quotes are stale after this time without a word from marketdata.
        linger_s: how long an instrument is followed after its last listener has left.
    """

    def __init__(
        self, stub: MarketDataServiceStub, note: Any, *, conflation_s: float, silence_s_max: float, linger_s: float
    ) -> None:
        self._stub = stub
        self._note = note
        self._conflation_s = conflation_s
        self._silence_s_max = silence_s_max
        self._linger_s = linger_s
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._newest: dict[str, quote_pb2.Quote] = {}
        self._rewire = asyncio.Event()
        self._unheard_s = 0.0
        self.following: frozenset[str] = frozenset()
        """The instruments of the stream that is open or being opened; none while nobody listens."""
        self.silent = False
        """Whether marketdata has not been heard for too long."""

    @contextmanager
    def listening(self, names: Iterable[str]) -> Iterator[Listener]:
        """A listener for some instruments as long as the block lasts."""
        listener = Listener()
        self.add(listener, names)
        try:
            yield listener
        finally:
            for name in listener.names:
                self._listeners[name].discard(listener)
                if not self._listeners[name]:
                    del self._listeners[name]
            if not listener.names <= self._listeners.keys():
                asyncio.get_running_loop().call_later(self._linger_s, self._shrink)

    def add(self, listener: Listener, names: Iterable[str]) -> None:
        """Further instruments for a listener."""
        for name in names:
            listener.names.add(name)
            self._listeners[name].add(listener)
        if not listener.names <= self.following:
            self._rewire.set()

    def _shrink(self) -> None:
        if self.following - self._listeners.keys():
            self._rewire.set()

    def last(self, name: str) -> quote_pb2.Quote | None:
        """The newest quote of an instrument with its health as it is now; None while there is none."""
        return self._newest.get(name)

    async def run(self) -> None:
        """Follows what is wanted, until it is cancelled."""
        while True:
            self._rewire.clear()
            self.following = frozenset(self._listeners)
            for name in self._newest.keys() - self.following:
                del self._newest[name]
            if not self.following:
                self.silent, self._unheard_s = False, 0.0
                await self._rewire.wait()
                continue
            reading = asyncio.create_task(self._read(self.following))
            waiting = asyncio.create_task(self._rewire.wait())
            try:
                await asyncio.wait((reading, waiting), return_when=asyncio.FIRST_COMPLETED)
            finally:
                await end((reading, waiting))
            if not reading.cancelled() and (error := reading.exception()) is not None:
                raise error

    async def _read(self, names: frozenset[str]) -> None:
        while True:
            # Without a cursor: a new one among the names needs its newest quote, and the others lose nothing by theirs.
            stream = QuoteStream(sorted(names), self._conflation_s, "", RESUMPTION)
            watching = asyncio.create_task(self._watch(stream))
            try:
                async for event in stream.events(self._stub):
                    if not isinstance(event, Gap):
                        self._take(event)
            except CallError as error:
                self._note.error("marketdata refuses to stream quotes", why=str(error))
                self._silence()
            finally:
                watching.cancel()
                self._unheard_s = self._silence_s(stream)
            await asyncio.sleep(REFUSED_PAUSE_S)

    async def _watch(self, stream: QuoteStream) -> None:
        """Marks quotes as stale when marketdata is not heard any more."""
        while True:
            left_s = self._silence_s_max - self._silence_s(stream)
            if left_s <= 0:
                self._silence()
            await asyncio.sleep(max(left_s, self._silence_s_max / 16))

    def _silence_s(self, stream: QuoteStream) -> float:
        """Seconds without a word, also over streams that were opened and never heard."""
        return stream.silence_s + (0.0 if stream.heard else self._unheard_s)

    def _take(self, quote: quote_pb2.Quote) -> None:
        if self.silent:
            self.silent = False
            self._note.info("marketdata is heard again")
        if quote != self._newest.get(quote.instrument):
            self._newest[quote.instrument] = quote
            self._tell(quote.instrument)

    def _silence(self) -> None:
        if not self.silent:
            self.silent = True
            self._note.warning("marketdata is silent; its quotes are stale")
        for name, quote in self._newest.items():
            if quote.health == quote_pb2.QUOTE_HEALTH_LIVE:
                marked = quote_pb2.Quote()
                marked.CopyFrom(quote)
                marked.health = quote_pb2.QUOTE_HEALTH_STALE
                self._newest[name] = marked
                self._tell(name)

    def _tell(self, name: str) -> None:
        for listener in self._listeners.get(name, ()):
            listener.tick()
