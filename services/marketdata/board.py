"""The board: the newest quote of every instrument and the last quotes of the feed, shared by all who read them.

It is filled from the feed's log alone, so that every instance has the same quotes under the same numbers.

    log ──apply──▶ ring of the last quotes ◀── position ── subscriber
                 └▶ newest by instrument   ◀── GetQuote

The ring only grows at its head. A subscriber is a position in it and holds nothing else of the feed: one that stops
reading costs the others nothing, and when it comes back it finds its place in the ring or, too late, the newest of
each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as service_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from services.marketdata.cursor import Cursor

NANOSECONDS = 1_000_000_000


class Entry:
    """One quote of the feed, encoded once for all who will be sent it.

    Attributes:
        sequence: its number in the feed, over all instruments.
        epoch: the term in which it was written.
        name: its instrument.
        quote: the message; never changed.
        encoded: the quote as one element of `QuoteBatch.quotes`, tag and length included.
    """

    __slots__ = ("_response", "encoded", "epoch", "name", "quote", "sequence")

    def __init__(self, sequence: int, epoch: int, quote: pb.Quote) -> None:
        self.sequence = sequence
        self.epoch = epoch
        self.name = quote.instrument
        self.quote = quote
        self.encoded = service_pb.QuoteBatch(quotes=(quote,)).SerializeToString()
        self._response: service_pb.GetQuoteResponse | None = None

    def response(self) -> service_pb.GetQuoteResponse:
        """The answer of GetQuote, made when first asked for."""
        if self._response is None:
            self._response = service_pb.GetQuoteResponse(quote=self.quote)
        return self._response

    def stale(self) -> Entry:
        """The same quote marked as too old to trade on."""
        quote = pb.Quote()
        quote.CopyFrom(self.quote)
        quote.health = pb.QUOTE_HEALTH_STALE
        return Entry(self.sequence, self.epoch, quote)


class CursorUnknown(LookupError):
    """The place that a cursor names is not in the ring (any more); `oldest` is the oldest cursor that is."""

    def __init__(self, oldest: Cursor) -> None:
        super().__init__(oldest.encode())
        self.oldest = oldest


class Board:
    """Last values and the ring.

    Attributes:
        head: number of the newest quote; 0 before the first.
        oldest: number of the oldest quote in the ring; head + 1 while it is empty.
        epoch: term of the newest entry of the log.
        newest: newest quote by instrument. May hold instruments that the ring no longer does.
        generation: grows when the feed began anew, so that no place from before means anything.
        discarded: entries of the log that were older than the board.
    """

    def __init__(self, capacity: int, stale_after_s: float) -> None:
        if capacity & (capacity - 1) or capacity < 2:
            raise ValueError(f"a ring's capacity is a power of two, not {capacity}")
        self._ring: list[Entry | None] = [None] * capacity
        self._mask = capacity - 1
        self._stale_after_ns = round(stale_after_s * NANOSECONDS)
        self._changed = asyncio.Event()
        self.head = 0
        self.oldest = 1
        self.epoch = 0
        self.newest: dict[str, Entry] = {}
        self.stale: dict[str, Entry] = {}
        self.stale_version = 0
        self.generation = 0
        self.discarded = 0

    def apply(self, published: events_pb.QuotesPublished) -> None:
        """Takes one entry of the log. Entries that the board has already change nothing."""
        first, count = published.first_sequence, len(published.quotes)
        if published.epoch < self.epoch or (published.epoch == self.epoch and first <= self.head):
            self.discarded += 1
            return
        if first <= self.head:
            # A greater term that counts from before: the log was lost, and the feed began anew.
            self._restart()
        self.epoch = published.epoch
        for quote in published.board:
            known = self.newest.get(quote.instrument)
            if known is None or known.quote.sequence < quote.sequence:
                self.newest[quote.instrument] = Entry(max(first - 1, 0), published.epoch, quote)
        if first > self.head + 1:
            # Begun in the middle of the log, or the log was cut: whoever stood before it continues by the newest.
            self.oldest, self.head = first, first - 1
        ring, mask = self._ring, self._mask
        for number, quote in enumerate(published.quotes, first):
            entry = Entry(number, published.epoch, quote)
            ring[number & mask] = entry
            self.newest[entry.name] = entry
            if self.stale:
                self.stale.pop(entry.name, None)
        self.head += count
        self.oldest = max(self.oldest, self.head - mask)
        if count or published.board:
            self.wake()

    def _restart(self) -> None:
        self.newest.clear()
        self.stale.clear()
        self.head, self.oldest = 0, 1
        self.generation += 1

    def mark_stale(self, now_ns: int) -> int:
        """Marks the quotes that are older than the limit, and returns how many are stale now."""
        marked = False
        for name, entry in self.newest.items():
            received = entry.quote.receive_time
            age_ns = now_ns - received.seconds * NANOSECONDS - received.nanos
            live = entry.quote.health == pb.QUOTE_HEALTH_LIVE
            if live and age_ns > self._stale_after_ns and name not in self.stale:
                self.stale[name] = entry.stale()
                marked = True
        if marked:
            self.stale_version += 1
            self.wake()
        return len(self.stale)

    def last(self, name: str) -> Entry | None:
        """The newest quote of an instrument as it is now, with its health; None while there is none."""
        return self.stale.get(name) or self.newest.get(name)

    def between(self, after: int, names: frozenset[str]) -> list[Entry]:
        """The quotes of some instruments with numbers greater than `after`, ascending. `after` + 1 is in the ring."""
        assert self.oldest - 1 <= after <= self.head, f"{after} is not in {self.oldest} … {self.head}"
        begin, end = (after + 1) & self._mask, (self.head + 1) & self._mask
        if after == self.head:
            return []
        ring = self._ring
        parts: Iterable[Entry | None] = ring[begin:end] if begin < end else ring[begin:] + ring[:end]
        return [e for e in parts if e is not None and e.name in names]

    def cursor(self, sequence: int) -> Cursor:
        """The cursor of a place."""
        entry = self._ring[sequence & self._mask]
        known = entry is not None and entry.sequence == sequence
        return Cursor(entry.epoch if known else self.epoch, sequence)

    def place(self, cursor: Cursor) -> int | None:
        """The number after which a cursor continues; None while the board has not come that far.

        Raises:
            CursorUnknown: the place is older than the ring, or of a feed that was begun anew since.
        """
        if cursor.sequence > self.head and cursor.epoch >= self.epoch:
            return None
        entry = self._ring[cursor.sequence & self._mask]
        there = entry is not None and entry.sequence == cursor.sequence and entry.epoch == cursor.epoch
        if not there or cursor.sequence < self.oldest - 1:
            raise self.unknown()
        return cursor.sequence

    def unknown(self) -> CursorUnknown:
        """The error that a place is not in the ring."""
        return CursorUnknown(self.cursor(min(self.oldest, self.head)))

    def changed(self) -> asyncio.Event:
        """An event that is set with the next change; take it before looking, wait after."""
        return self._changed

    def wake(self) -> None:
        """Lets everyone who waits look again."""
        event, self._changed = self._changed, asyncio.Event()
        event.set()
