"""Callers of market data through the edge, who know which version answered each call and whether a key ever went back.

No caller repeats a call, so that whatever the mesh drops is seen. Each key belongs to one caller, who calls one after
the other: what a key is answered by is a sequence, and while a share grows it may change once, to the candidate.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence

import grpc

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from tests.bench.load_channel import LoadChannel
from tests.candidates.faults import VERSION
from tests.mesh import Mesh
from tests.quote_streams import QuoteStreams

GET_QUOTE = "/crossrate.api.marketdata.v1.MarketDataService/GetQuote"
KEY_HEADER = "x-key"
PAIRS = ("EUR/USD", "USD/JPY", "GBP/USD", "AUD/USD")
CALL_S_MAX = 10.0


def quote_request(pair: str) -> bytes:
    """The bytes of a question for a pair's quote."""
    base, counter = pair.split("/")
    return marketdata.GetQuoteRequest(base=base, counter=counter).SerializeToString()


class Callers:
    """Unary calls: some with keys, some without.

    Args:
        channel: makes a channel of its own for each caller.
        keys: the callers share them out.
        callers: how many call with keys; one more calls without.
        rate: calls a second of all together.
    """

    def __init__(self, channel: Callable[[], LoadChannel], keys: Sequence[str], callers: int, rate: float) -> None:
        self._channel, self._keys, self._callers = channel, keys, callers
        self._pause = (callers + 1) / rate
        self._leaving = False
        self._sweeps = [0] * callers
        self.candidate = "none"
        """Version of the candidate, by which its answers are told."""
        self.backwards = False
        """Whether keys may go from the candidate back to the stable version, and not the other way."""
        self.side: dict[str, bool] = {}
        """Whether the candidate gave a key's newest answer."""
        self.mixed: list[str] = []
        """Keys that went the wrong way, in words."""
        self.keyless = collections.Counter[bool]()
        """Answers to calls without a key, by whether the candidate gave them."""
        self.answers = collections.Counter[bool]()
        self.failures = collections.Counter[str]()

    @property
    def calls(self) -> int:
        """Calls that ended."""
        return self.answers.total() + self.failures.total()

    async def _ask(self, ask: Callable, request: bytes, key: str) -> bool | None:
        """Whether the candidate answered; None if nobody did."""
        call = ask(request, timeout=CALL_S_MAX, metadata=((KEY_HEADER, key),) if key else ())
        try:
            await call
        except grpc.aio.AioRpcError as error:
            self.failures[f"unary {error.code().name}: {error.details()}"[:160]] += 1
            return None
        by_candidate = (await call.trailing_metadata()).get(VERSION) == self.candidate
        self.answers[by_candidate] += 1
        return by_candidate

    async def _keyed(self, number: int) -> None:
        keys = self._keys[number :: self._callers]
        requests = itertools.cycle([quote_request(pair) for pair in PAIRS])
        due = time.monotonic()
        async with self._channel() as channel:
            ask = channel.unary_unary(GET_QUOTE)
            while not self._leaving:
                for key in keys:
                    backwards = self.backwards
                    now = await self._ask(ask, next(requests), key)
                    before = self.side.get(key, False)
                    # Calls that were under way when the direction changed are judged by neither.
                    if now is not None and now != before:
                        if now is backwards is self.backwards:
                            self.mixed.append(f"{key}: {'stable, then candidate' if now else 'candidate, then stable'}")
                        self.side[key] = now
                    due = max(due + self._pause, time.monotonic() - 1)
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                    if self._leaving:
                        return
                self._sweeps[number] += 1

    async def _unkeyed(self) -> None:
        requests = itertools.cycle([quote_request(pair) for pair in PAIRS])
        async with self._channel() as channel:
            ask = channel.unary_unary(GET_QUOTE)
            while not self._leaving:
                now = await self._ask(ask, next(requests), "")
                if now is not None:
                    self.keyless[now] += 1
                await asyncio.sleep(self._pause)

    async def sweep(self) -> None:
        """Returns when every caller has called with each of its keys since now."""
        wanted = [number + 2 for number in self._sweeps]
        end = time.monotonic() + 60
        while any(have < want for have, want in zip(self._sweeps, wanted, strict=True)):
            if time.monotonic() > end:
                raise TimeoutError(f"callers do not go on: {self.failures}")
            await asyncio.sleep(0.01)

    @contextlib.asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """Calls until the block is left."""
        tasks = [asyncio.create_task(self._keyed(n)) for n in range(self._callers)]
        tasks.append(asyncio.create_task(self._unkeyed()))
        try:
            yield
        finally:
            self._leaving = True
            await asyncio.gather(*tasks)


class Streams:
    """Streams of quotes that end as the contract says and are resumed by their cursors, until they are left.

    Args:
        streams: how many at once.
        messages: how many messages with quotes each has before it ends.
    """

    def __init__(self, mesh: Mesh, streams: int, messages: int) -> None:
        self._streams, self._leaving = streams, asyncio.Event()
        self._quotes = QuoteStreams(mesh, lambda: not self._leaving.is_set(), PAIRS, messages)
        self.failures = self._quotes.failures

    @property
    def messages(self) -> int:
        """How many came."""
        return self._quotes.messages

    @property
    def ended(self) -> int:
        """How many streams ended as the contract says."""
        return self._quotes.resumed

    @contextlib.asynccontextmanager
    async def streaming(self) -> AsyncIterator[None]:
        """Streams until the block is left."""
        tasks = [asyncio.create_task(self._quotes.run()) for _ in range(self._streams)]
        try:
            yield
        finally:
            self._leaving.set()
            await asyncio.gather(*tasks)
