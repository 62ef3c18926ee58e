"""Named markets as they are now: the newest version followed while somebody listens, and prices on live quotes.

What is priced is shared: one standing for an instrument, a quote and a version, and on it one price for a product,
whoever asks. Prices that are asked for in the same turn of the loop are one call of the kernel (see kernel_queue).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from google.rpc import status_pb2

from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.pricing.v1 import price_stream_service_pb2 as pb
from crossrate.api.pricing.v1 import product_pb2
from crossrate.basics.pair import Pair
from crossrate.rpc.frames import element
from crossrate.store.errors import StoreUnavailable
from services.pricing.domain.market import Book, Snapshot
from services.pricing.domain.refusal import Missing
from services.pricing.library import Library
from services.pricing.live_quotes import Listener, LiveQuotes
from services.pricing.peers import spot_rate
from services.pricing.price_cursor import mark_of
from services.pricing.pricer import Clock, Pricer
from services.pricing.store import Store


class Tick:
    """One instrument on one quote and one version of a market, and the prices that were made on it."""

    __slots__ = ("_common", "_made", "_pricer", "_snapshot", "mark", "quote", "version")

    def __init__(self, quote: quote_pb2.Quote, version: int, snapshot: Snapshot, pricer: Pricer) -> None:
        self.quote = quote
        self.version = version
        self.mark = mark_of(quote)
        self._snapshot = snapshot
        self._pricer = pricer
        self._made: dict[bytes, asyncio.Task[bytes]] = {}
        common = pb.StreamedPrice(
            spot=spot_rate(quote), quote_health=quote.health, quote_receive_time=quote.receive_time
        )
        self._common = common.SerializeToString()

    def price(self, key: bytes, product: product_pb2.Product) -> asyncio.Task[bytes]:
        """The price of a product of this instrument as a StreamedPrice without its index, encoded once for all.

        `key` is the product's encoding. The task fails as Pricer.price does; who waits for it must not cancel it,
        because it is everybody's.
        """
        task = self._made.get(key)
        if task is None:
            task = self._made[key] = asyncio.create_task(self._priced(product))
            # Who asked may have gone; what it would have been told is of no interest then.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def _priced(self, product: product_pb2.Product) -> bytes:
        price = await self._pricer.price(product, self._snapshot)
        return self._common + element(pb.StreamedPrice.PRICE_FIELD_NUMBER, price.SerializeToString())

    def problem(self, status: status_pb2.Status) -> bytes:
        """What stands in the place of a price."""
        return self._common + element(pb.StreamedPrice.PROBLEM_FIELD_NUMBER, status.SerializeToString())


class LiveMarket:
    """One market by its name, at its newest version."""

    def __init__(self, name: str, version: int, book: Book, quotes: LiveQuotes, pricer: Pricer, clock: Clock) -> None:
        self.name = name
        self.version = version
        self.listeners: set[Listener] = set()
        self._book = book
        self._quotes = quotes
        self._pricer = pricer
        self._clock = clock
        self._ticks: dict[str, Tick] = {}

    def tick(self, name: str) -> Tick | None:
        """An instrument as it is now; None while it has no quote."""
        quote = self._quotes.last(name)
        if quote is None:
            self._ticks.pop(name, None)
            return None
        known = self._ticks.get(name)
        if known is None or known.quote is not quote or known.version != self.version:
            pair = Pair(*name.split("/"))
            snapshot = Snapshot("", self._clock(), self._book, {pair: (quote.bid + quote.ask) / 2})
            known = self._ticks[name] = Tick(quote, self.version, snapshot, self._pricer)
        return known

    def renew(self, version: int, book: Book) -> None:
        """Goes on with a newer version."""
        self.version, self._book = version, book
        for listener in self.listeners:
            listener.tick()


class LiveMarkets:
    """Markets that somebody listens to. `run` is a task of the process.

    Args:
        poll_s: how often it is asked whether there is a newer version.
    """

    def __init__(
        self,
        library: Library,
        store: Store,
        quotes: LiveQuotes,
        pricer: Pricer,
        clock: Clock,
        note: Any,
        *,
        poll_s: float,
    ) -> None:
        self._library = library
        self._store = store
        self._quotes = quotes
        self._pricer = pricer
        self._clock = clock
        self._note = note
        self._poll_s = poll_s
        self._markets: dict[str, LiveMarket] = {}

    async def market(self, name: str) -> LiveMarket:
        """A market at its newest version.

        Raises:
            Missing: there is none of that name.
            StoreUnavailable: nobody listens to it yet, and the database is away.
        """
        known = self._markets.get(name)
        if known is not None:
            return known
        version = await self._store.newest(name)
        if not version:
            raise Missing("market", name)
        book = await self._book(name, version)
        # Another stream may have brought it meanwhile.
        return self._markets.get(name) or LiveMarket(name, version, book, self._quotes, self._pricer, self._clock)

    @contextmanager
    def listening(self, market: LiveMarket, names: frozenset[str]) -> Iterator[tuple[LiveMarket, Listener]]:
        """The market as it is shared, and a listener to it and to some instruments, as long as the block lasts."""
        shared = self._markets.setdefault(market.name, market)
        with self._quotes.listening(names) as listener:
            shared.listeners.add(listener)
            try:
                yield shared, listener
            finally:
                shared.listeners.discard(listener)
                if not shared.listeners:
                    self._markets.pop(shared.name, None)

    async def run(self) -> None:
        """Follows versions, until it is cancelled."""
        away = False
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                for market in list(self._markets.values()):
                    newest = await self._store.newest(market.name)
                    if newest > market.version:
                        market.renew(newest, await self._book(market.name, newest))
                away = False
            except StoreUnavailable as error:
                if not away:
                    self._note.warning(
                        "newer versions of markets cannot be read; going on with the last", why=str(error)
                    )
                away = True

    async def _book(self, name: str, version: int) -> Book:
        book = await self._library.book(name, version)
        assert book is not None, f"version {version} of market {name} is not kept"
        return book
