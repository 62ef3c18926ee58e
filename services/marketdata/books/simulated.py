"""The simulated feed's books: depth behind the quotes that it has published."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from crossrate.api.marketdata.v1 import quote_pb2 as pb
from services.marketdata.board import Board
from services.marketdata.books.messages import nanoseconds
from services.marketdata.books.writer import BookFeed, BookTerm
from services.marketdata.catalogue import Catalogue
from services.marketdata.domain.book import BookUpdate
from services.marketdata.domain.depth import Depth, Levels, Top
from services.marketdata.quote_log import pause
from services.marketdata.term import Term


class SimulatedBooks:
    """Makes a book of each quote that the log has, at most one of an instrument in each interval.

    It behaves as a venue does: a snapshot, then diffs with numbers of their own, and a snapshot whenever it is asked
    for one. A book's top is a quote as it stands in the log, never one that was not published.

    Args:
        feed: writes the books.
        quotes: the quotes of all feeds as this instance has read them.
        catalogue: the instruments.
        levels: levels of a side.
        seed: of the simulated market.
        interval_s: time between two changes of a book.

    Attributes:
        feed: as above.
    """

    def __init__(
        self, feed: BookFeed, quotes: Board, catalogue: Catalogue, *, levels: int, seed: int, interval_s: float
    ) -> None:
        self.feed = feed
        self._quotes = quotes
        self._catalogue = catalogue
        self._levels = levels
        self._seed = seed
        self._interval_s = interval_s

    @asynccontextmanager
    async def open(self, term: Term) -> AsyncIterator[Callable[[], None]]:
        """Makes and writes books for one term. What it gives raises what they failed with, if they did."""
        venue = _Venue(self._quotes, self._catalogue, self.feed.name, self._levels, self._seed)
        async with self.feed.lead(term.epoch, venue.resnapshot, term.confirmed) as books:
            running = asyncio.create_task(self._run(venue, books))

            def check() -> None:
                if running.done():
                    running.result()

            try:
                yield check
            finally:
                running.cancel()

    async def _run(self, venue: _Venue, books: BookTerm) -> None:
        never = asyncio.Event()
        while not await pause(never, self._interval_s):
            for update in venue.updates():
                self.deliver(books, update)

    def deliver(self, books: BookTerm, update: BookUpdate) -> None:
        """Hands an update of the venue over to the writer."""
        books.put(update)


class _Venue:
    """One term's venue: what it has said of each book."""

    def __init__(self, quotes: Board, catalogue: Catalogue, feed: str, levels: int, seed: int) -> None:
        self._quotes = quotes
        self._catalogue = catalogue
        self._name = feed
        self._levels, self._seed = levels, seed
        self._depths: dict[str, Depth | None] = {}
        self._quoted: dict[str, int] = {}
        self._said: dict[str, tuple[Levels, Levels]] = {}
        self._numbers: dict[str, int] = {}

    def resnapshot(self, name: str) -> None:
        """The next update of a book will be a whole one."""
        self._said.pop(name, None)
        self._quoted.pop(name, None)

    def updates(self) -> list[BookUpdate]:
        """One update of each book whose quote is news."""
        made = []
        for name, entry in self._quotes.newest(self._name).items():
            if self._quoted.get(name) != entry.quote.sequence and (update := self._update(name, entry.quote)):
                self._quoted[name] = entry.quote.sequence
                made.append(update)
        return made

    def _update(self, name: str, quote: pb.Quote) -> BookUpdate | None:
        depth = self._depth(name)
        if depth is None:
            return None
        received = nanoseconds(quote.receive_time)
        bids, asks = depth.book(Top(quote.bid, quote.ask, quote.bid_quantity, quote.ask_quantity), received)
        before = self._said.get(name)
        self._said[name] = bids, asks
        whole = before is None
        number = self._numbers[name] = self._numbers.get(name, 0) + 1
        if before is not None:
            bids, asks = _changes(before[0], bids), _changes(before[1], asks)
        return BookUpdate(
            name,
            bids,
            asks,
            snapshot=whole,
            first_sequence=0 if whole else number,
            last_sequence=number,
            venue_time=nanoseconds(quote.venue_time),
            receive_time=received,
            closed=quote.health == pb.QUOTE_HEALTH_CLOSED,
        )

    def _depth(self, name: str) -> Depth | None:
        """None until reference has told of the instrument."""
        if name not in self._depths:
            listed = self._catalogue.get(name)
            if listed is None:
                return None
            self._depths[name] = Depth(listed.base, listed.counter, listed.precision, self._levels, self._seed)
        return self._depths[name]


def _changes(before: Levels, after: Levels) -> Levels:
    """What makes one side another: quantities that are different, 0 at prices that went."""
    was, now = dict(before), dict(after)
    gone = [(price, 0.0) for price in was if price not in now]
    return gone + [(price, quantity) for price, quantity in now.items() if was.get(price) != quantity]
