"""Named markets as they are now: the newest version followed while somebody listens, and prices on live quotes.

What is priced is shared: one standing for an instrument, a quote and a version, and on it one price for a product,
whoever asks. Prices that are asked for in the same turn of the loop are one call of the kernel (see kernel_queue).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from google.rpc import status_pb2

from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.pricing.v1 import price_stream_service_pb2 as pb
from crossrate.api.pricing.v1 import product_pb2
from crossrate.basics.pair import Pair
from crossrate.rpc.frames import element
from crossrate.store.errors import StoreUnavailable
from services.pricing.domain.market import Book, Snapshot
from services.pricing.domain.refusal import Missing, Refused
from services.pricing.library import Library
from services.pricing.live_quotes import Listener, LiveQuotes
from services.pricing.peers import spot_rate
from services.pricing.price_cursor import mark_of
from services.pricing.pricer import Clock, Pricer
from services.pricing.store import Store

T = TypeVar("T")


class Tick:
    """One instrument on its quotes and one version of a market, and the prices that were made on it.

    Its own quote is the first; a curve that swap points imply needs that of their pair too. A price is as good as the
    worst of them.
    """

    __slots__ = ("_common", "_made", "_pair", "_pricer", "_ready", "_where", "mark", "quotes", "snapshot", "version")

    def __init__(
        self, quotes: Sequence[quote_pb2.Quote], where: tuple[str, int], snapshot: Snapshot, pricer: Pricer
    ) -> None:
        self.quotes = tuple(quotes)
        self.version = where[1]
        self.snapshot = snapshot
        self.mark = mark_of(self.quotes)
        self._where = where
        self._pair = Pair(*quotes[0].instrument.split("/"))
        self._pricer = pricer
        self._made: dict[bytes, asyncio.Task[bytes]] = {}
        self._ready: asyncio.Task[None] | None = None
        common = pb.StreamedPrice(
            spot=spot_rate(quotes[0]),
            quote_health=max(each.health for each in quotes),
            quote_receive_time=quotes[0].receive_time,
        )
        self._common = common.SerializeToString()

    def price(self, key: bytes, product: product_pb2.Product) -> asyncio.Task[bytes]:
        """The price of a product of this instrument as a StreamedPrice without its index, encoded once for all.

        `key` is the product's encoding. The task fails as Pricer.price does, and with Refused of `market` if that
        cannot be calibrated now; who waits for it must not cancel it, because it is everybody's.
        """
        task = self._made.get(key)
        if task is None:
            task = self._made[key] = _shared(self._priced(product))
        return task

    async def _priced(self, product: product_pb2.Product) -> bytes:
        if self.snapshot.book.calibrates(self._pair):
            if self._ready is None:
                self._ready = _shared(calibrated(self.snapshot, self._pair, *self._where))
            await asyncio.shield(self._ready)
        price = await self._pricer.price(product, self.snapshot)
        return self._common + element(pb.StreamedPrice.PRICE_FIELD_NUMBER, price.SerializeToString())

    def problem(self, status: status_pb2.Status) -> bytes:
        """What stands in the place of a price."""
        return self._common + element(pb.StreamedPrice.PROBLEM_FIELD_NUMBER, status.SerializeToString())


def _shared(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    task = asyncio.create_task(work)
    # Who asked may have gone; what it would have been told is of no interest then.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


async def calibrated(snapshot: Snapshot, pair: Pair, name: str, version: int) -> None:
    """Calibrates what prices of a pair need, aside: milliseconds for which the loop need not wait.

    Raises:
        Refused: of `market`: its quotes give no curve or surface now.
        Missing, OutsideCalendar: as Pricer.price.
    """
    try:
        await asyncio.to_thread(snapshot.calibrate, pair)
    except Refused as error:
        words = f"{name} version {version} gives no market at {snapshot.as_of:%Y-%m-%d %H:%M} UTC: {error}"
        raise Refused("market", words) from None


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
        self._needs: dict[str, tuple[str, ...]] = {}

    def needs(self, name: str) -> tuple[str, ...]:
        """The instruments whose quotes a price of one needs, itself first."""
        known = self._needs.get(name)
        if known is None:
            pairs = self._book.pairs_for(Pair(*name.split("/")))
            known = self._needs[name] = tuple(str(pair) for pair in pairs)
        return known

    def lacks(self, name: str) -> str:
        """An instrument that a price of one needs and that has no quote; "" if all have."""
        return next((each for each in self.needs(name) if self._quotes.last(each) is None), "")

    def tick(self, name: str) -> Tick | None:
        """An instrument as it is now; None while it lacks a quote."""
        quotes = [quote for each in self.needs(name) if (quote := self._quotes.last(each)) is not None]
        if len(quotes) < len(self.needs(name)):
            self._ticks.pop(name, None)
            return None
        known = self._ticks.get(name)
        same = known is not None and known.version == self.version
        if known is not None and same and all(a is b for a, b in zip(known.quotes, quotes, strict=True)):
            return known
        spots = {Pair(*each.instrument.split("/")): (each.bid + each.ask) / 2 for each in quotes}
        moment = self._clock()
        snapshot = known.snapshot.moved(moment, spots) if known and same else Snapshot("", moment, self._book, spots)
        made = self._ticks[name] = Tick(quotes, (self.name, self.version), snapshot, self._pricer)
        return made

    def renew(self, version: int, book: Book) -> None:
        """Goes on with a newer version."""
        self.version, self._book = version, book
        self._needs.clear()
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

    def widen(self, market: LiveMarket, listener: Listener, names: Iterable[str]) -> None:
        """Lets a listener hear also of what a market's newest version needs for some instruments."""
        needed = {each for name in names for each in market.needs(name)}
        if not needed <= listener.names:
            self._quotes.add(listener, needed)

    @contextmanager
    def listening(self, market: LiveMarket, names: Iterable[str]) -> Iterator[tuple[LiveMarket, Listener]]:
        """The market as it is shared, and a listener to it and to some instruments, as long as the block lasts."""
        shared = self._markets.setdefault(market.name, market)
        with self._quotes.listening(()) as listener:
            self.widen(shared, listener, names)
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
