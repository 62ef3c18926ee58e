"""Order books kept up to date from their stream: whole books and changes are put together here, by their sequences."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from crossrate.api.marketdata.v1 import book_service_pb2 as pb
from crossrate.api.marketdata.v1.quote_pb2 import QUOTE_HEALTH_GAPPED, QUOTE_HEALTH_LIVE, QuoteHealth
from crossrate.basics.ladder import Filled, Ladder, Level, fill
from crossrate.client.resuming import Gap, ResumingStream, Resumption, Torn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crossrate.api.marketdata.v1.book_pb2 import Book, BookChange, BookDiff, BookGap

METHOD = "/crossrate.api.marketdata.v1.BookService/StreamBook"


class LiveBook:
    """One book as it stands; the stream that it comes from goes on changing it.

    Prices are units of the counter currency per unit of the base currency, quantities amounts of the base currency.

    Attributes:
        instrument: "EUR/USD".
        source: the feed; "composite" for the sum of several.
        sequence: number of the newest change in it.
        health: QUOTE_HEALTH_…; only a LIVE one may be traded on.
        gap: while it is GAPPED by its venue: what is missing.
    """

    def __init__(self, instrument: str) -> None:
        self.instrument = instrument
        self.source = ""
        self.sequence = 0
        self.health: int = QUOTE_HEALTH_GAPPED
        self.gap: BookGap | None = None
        self._ladder = Ladder()
        self._venues: tuple[dict[float, dict[str, float]], ...] = ({}, {})
        self._received: Any = None

    def __repr__(self) -> str:
        bid, ask = self.bids(1), self.asks(1)
        best = f"{bid[0].price if bid else '-'}/{ask[0].price if ask else '-'}"
        return f"<{self.instrument} {self.source} {self.sequence} {best} {QuoteHealth.Name(self.health)[13:]}>"

    @property
    def live(self) -> bool:
        """Whether it may be traded on."""
        return self.health == QUOTE_HEALTH_LIVE

    @property
    def receive_time(self) -> dt.datetime | None:
        """The platform's clock when it received the newest change, UTC; None before the first."""
        return None if self._received is None else self._received.ToDatetime(dt.UTC)

    def bids(self, depth: int = 0) -> list[Level]:
        """The best bids, best first; all of them for depth 0."""
        return self._ladder.bids.levels(depth)

    def asks(self, depth: int = 0) -> list[Level]:
        """The best offers, best first; all of them for depth 0."""
        return self._ladder.asks.levels(depth)

    def sell(self, quantity: float) -> Filled:
        """What selling an amount gets against the bids as they stand."""
        return fill(self.bids(), quantity)

    def buy(self, quantity: float) -> Filled:
        """What buying an amount costs against the offers as they stand."""
        return fill(self.asks(), quantity)

    def venues(self, price: float) -> dict[str, float]:
        """Who shows how much at a price of a composite; empty for a book of one venue."""
        return self._venues[0].get(price) or self._venues[1].get(price) or {}

    def _replace(self, book: Book) -> None:
        self._ladder.replace(*([(each.price, each.quantity) for each in side] for side in (book.bids, book.asks)))
        for venues, side in zip(self._venues, (book.bids, book.asks), strict=True):
            venues.clear()
            venues.update({each.price: _shares(each.venues) for each in side if each.venues})
        self.sequence = book.sequence
        self._take(book)

    def _apply(self, diff: BookDiff) -> None:
        sides = ((self._ladder.bids, diff.bids), (self._ladder.asks, diff.asks))
        for venues, (side, updates) in zip(self._venues, sides, strict=True):
            for update in updates:
                side.set(update.price, update.quantity)
                if update.venues:
                    venues[update.price] = _shares(update.venues)
                elif venues:
                    venues.pop(update.price, None)
        self.sequence = diff.last_sequence
        self._take(diff)

    def _take(self, message: Book | BookDiff) -> None:
        self.source, self.health, self._received = message.source, message.health, message.receive_time
        if message.HasField("gap"):
            self.gap = message.gap
        elif self.health != QUOTE_HEALTH_GAPPED:
            self.gap = None


def _shares(venues: Iterable[Any]) -> dict[str, float]:
    return {each.source: each.quantity for each in venues}


class BookStream(ResumingStream[LiveBook]):
    """The state of one reader: its books and the cursor.

    A change that does not follow on its book cannot happen; if it does all the same, the reader is told of the gap, and
    begins anew with whole books.
    """

    def __init__(
        self,
        instruments: list[str],
        *,
        source: str = "",
        depth: int = 0,
        conflation_s: float | None = None,
        resumption: Resumption | None = None,
    ) -> None:
        request = pb.StreamBookRequest(instruments=instruments, source=source, depth=depth)
        if conflation_s:
            request.conflation_interval.FromNanoseconds(round(conflation_s * 1e9))
        self._every_change = bool(source) and not depth and not conflation_s
        self.books: dict[str, LiveBook] = {}
        super().__init__(METHOD, request, resumption or Resumption())

    def _taken(self, message: pb.StreamBookResponse) -> Iterator[LiveBook | Gap]:
        for change in message.books.changes:
            if change.WhichOneof("change") == "snapshot":
                yield from self._whole(change, message.position.cursor)
                continue
            diff = change.diff
            book = self.books.get(diff.instrument)
            if book is not None and max(diff.first_sequence, diff.last_sequence) <= book.sequence:
                continue  # sent again, because the stream broke in the middle of what belongs together
            if book is None or diff.first_sequence != book.sequence + 1:
                known = book.sequence if book is not None else "nothing"
                raise Torn(f"a change of {diff.instrument} begins with {diff.first_sequence}, and {known} is known")
            book._apply(diff)
            yield book

    def _whole(self, change: BookChange, cursor: str) -> list[LiveBook | Gap]:
        new = change.snapshot
        book = self.books.get(new.instrument)
        events: list[LiveBook | Gap] = []
        if book is None:
            book = self.books[new.instrument] = LiveBook(new.instrument)
        elif self._every_change and book.sequence and new.sequence > book.sequence + 1:
            missing = new.sequence - book.sequence - 1
            reason = f"{missing} changes of {new.instrument} were not told one by one, but with a whole book"
            events.append(Gap(reason, new.instrument, missing, cursor))
        book._replace(new)
        return [*events, book]

    def _forget(self) -> None:
        for book in self.books.values():
            # Nobody trades on it until it has come whole.
            book.sequence, book.health = 0, QUOTE_HEALTH_GAPPED
