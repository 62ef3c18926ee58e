"""One client's stream of prices: what it has been sent, and what it is sent next.

Nothing is kept for a client that does not read: when it reads again, the newest price of each product that changed
meanwhile is made then.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.pricing.v1 import price_stream_service_pb2 as pb
from crossrate.api.pricing.v1 import product_pb2
from crossrate.rpc import errors
from crossrate.rpc.frames import Frame, element
from services.pricing import messages
from services.pricing.domain.refusal import Refused
from services.pricing.failures import failures
from services.pricing.live_market import LiveMarket, LiveMarkets, Tick
from services.pricing.live_quotes import Listener
from services.pricing.price_cursor import NO_MARK, CursorUnknown, Sent, Wanted

FIRST_QUOTES_S = 2.0
"""How long the first message waits for instruments that have no quote yet."""


class PriceStreams:
    """Serves streams of prices."""

    def __init__(self, markets: LiveMarkets, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._markets = markets
        self._monotonic = monotonic

    async def messages(self, wanted: Wanted, ending: asyncio.Event) -> AsyncIterator[Frame]:
        """The stream's messages until it is complete or should end; the server adds the message that says why.

        Raises:
            Missing: there is no such market.
            Failure: the cursor is none, or a product cannot be priced at all.
            StoreUnavailable: the market is not in memory, and the database is away.
        """
        for each in wanted.products:
            messages.pair_of(each.instrument)
        try:
            sent = Sent.of(wanted)
        except CursorUnknown as error:
            raise errors.invalid(("resume_cursor", str(error))) from None
        found = await self._markets.market(wanted.market)
        with self._markets.listening(found, wanted.names) as (market, listener):
            stream = _Stream(wanted, sent, self._markets, market, listener, self._monotonic)
            async for message in stream.messages(ending):
                yield message


class _Stream:
    """One stream's state while it is open."""

    def __init__(
        self,
        wanted: Wanted,
        sent: Sent,
        markets: LiveMarkets,
        market: LiveMarket,
        listener: Listener,
        monotonic: Callable[[], float],
    ) -> None:
        self._wanted = wanted
        self._sent = sent
        self._markets = markets
        self._market = market
        self._listener = listener
        self._monotonic = monotonic
        self._sequence = 0
        self._checked = False

    async def messages(self, ending: asyncio.Event) -> AsyncIterator[Frame]:
        monotonic, listener, wanted = self._monotonic, self._listener, self._wanted
        await self._first_quotes(ending)
        listener.tick()
        priced, earliest = 0, monotonic()
        heartbeat_at = earliest + wanted.heartbeat_s
        while not ending.is_set():
            now = monotonic()
            update = await self._update() if now >= earliest and listener.pending else None
            if update is None and now < heartbeat_at:
                due = min(heartbeat_at, earliest) if listener.pending else heartbeat_at
                await _pause(listener, due - monotonic(), waits=listener.pending)
                continue
            yield self._frame(update)
            if update is not None:
                priced += 1
                if priced == wanted.messages_max:
                    return
                earliest = now + wanted.conflation_s
            heartbeat_at = monotonic() + wanted.heartbeat_s

    def _frame(self, update: bytes | None) -> Frame:
        self._sequence += 1
        position = stream_pb2.StreamPosition(sequence=self._sequence, cursor=self._sent.cursor())
        head = pb.StreamPricesResponse(position=position)
        if update is None:
            head.heartbeat.server_time.GetCurrentTime()
            return Frame(position, head.SerializeToString())
        return Frame(position, head.SerializeToString() + element(head.PRICES_FIELD_NUMBER, update))

    async def _first_quotes(self, ending: asyncio.Event) -> None:
        """Waits a little for instruments of which nobody knew until now."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_QUOTES_S):
                while any(self._market.tick(name) is None for name in self._wanted.names) and not ending.is_set():
                    self._listener.look()
                    await self._listener.changed()

    async def _update(self) -> bytes | None:
        """The products that changed since the last message, as a PriceUpdate; None if none did. They are then sent."""
        self._listener.look()
        market, sent, wanted = self._market, self._sent, self._wanted
        version = market.version
        if version != sent.version:
            self._markets.widen(market, self._listener, wanted.names)
        ticks = {name: market.tick(name) for name in wanted.names}
        marks = {name: tick.mark if tick else NO_MARK for name, tick in ticks.items()}
        changed = [
            (i, product, ticks[product.instrument])
            for i, product in enumerate(wanted.products)
            if version != sent.version or marks[product.instrument] != sent.marks.get(product.instrument)
        ]
        if not changed:
            return None
        tasks = {i: tick.price(wanted.keys[i], product) for i, product, tick in changed if tick}
        if waiting := [task for task in tasks.values() if not task.done()]:
            # Does not cancel them when this stream is cancelled: they are everybody's.
            await asyncio.wait(waiting)
        prices = [self._price(i, product, tick, tasks.get(i)) for i, product, tick in changed]
        self._checked = True
        head = pb.PriceUpdate(market_version=version, conflated_count=self._conflated(ticks))
        sent.version, sent.marks = version, marks
        return head.SerializeToString() + b"".join([element(head.PRICES_FIELD_NUMBER, each) for each in prices])

    def _conflated(self, ticks: dict[str, Tick | None]) -> int:
        """How many quotes were left out since the last message."""
        sequences, count = self._sent.sequences, 0
        for name, tick in ticks.items():
            if tick is not None:
                sequence = tick.quotes[0].sequence
                count += max(sequence - sequences.get(name, sequence) - 1, 0)
                sequences[name] = sequence
        return count

    def _price(
        self, index: int, product: product_pb2.Product, tick: Tick | None, made: asyncio.Task[bytes] | None
    ) -> bytes:
        """One StreamedPrice."""
        place = pb.StreamedPrice(index=index)
        if tick is None or made is None:
            place.problem.CopyFrom(
                errors.no_quote(self._market.lacks(product.instrument) or product.instrument, "UNSPECIFIED").to_status()
            )
            return place.SerializeToString()
        try:
            with failures(), _at(index):
                return place.SerializeToString() + made.result()
        except errors.Failure as failure:
            # In the beginning it is a mistake of the client's; later it is how the product went.
            if not self._checked:
                raise
            return place.SerializeToString() + tick.problem(failure.to_status())


@contextlib.contextmanager
def _at(index: int) -> Iterator[None]:
    """Refusals of a product name its place in the request."""
    try:
        yield
    except Refused as error:
        if not error.field.startswith("product"):
            raise
        raise Refused(f"products[{index}]{error.field.removeprefix('product')}", error.words) from None


async def _pause(listener: Listener, seconds: float, *, waits: bool) -> None:
    """Until something changes or the time is over; with `waits` only the time counts."""
    if waits:
        await asyncio.sleep(max(seconds, 0.0))
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(seconds, 0.0)):
            await listener.changed()
