"""What FIX 4.4 market data messages say: the books of one session, and the quotes at their top. Pure.

    W, snapshot ──────────▶ book of a symbol ── best bid and ask ──▶ Raw
    X, incremental refresh ─▶    by MDEntryID, else by side (top of book) or price
                                 └─ entries, with their RptSeq ──▶ BookUpdate

A symbol whose updates have a gap by RptSeq stays GAPPED until a snapshot of it comes; `broken` names those for which
one is to be asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from crossrate.fix.message import Message, Pair, Times, whole
from crossrate.ticks.clock import Clock
from services.marketdata.domain.book import BookUpdate
from services.marketdata.domain.entries import EntryUpdate
from services.marketdata.domain.normalise import GAPPED, IN_UTC, WITHDRAWN, Raw
from services.marketdata.domain.venue_clock import VenueClock

DAY_NS = 86_400_000_000_000
BID, OFFER = b"0", b"1"
NEW, CHANGE, DELETE = b"0", b"1", b"2"
UNKNOWN_ENTRY = "an update names an entry that is not in the book"
NO_SYMBOL = "a market data entry has no symbol"
NO_PRICE = "a market data entry has no price or size that is a number"
LEVELS_MAX = 10_000

Entry = dict[bytes, bytes]


class Book:
    """One symbol: price and size of each entry of both sides, by the key that the venue's updates use."""

    __slots__ = ("broken", "reported", "sides", "symbol")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.sides: dict[bytes, dict[object, tuple[float, float]]] = {BID: {}, OFFER: {}}
        self.reported = 0
        self.broken = False

    def clear(self) -> None:
        """Empties it, before a snapshot."""
        for side in self.sides.values():
            side.clear()
        self.reported, self.broken = 0, False

    def entries(self) -> list[EntryUpdate]:
        """Every entry of both sides that has a quantity."""
        return [
            _entry_update(side is self.sides[BID], key, *level)
            for side in self.sides.values()
            for key, level in side.items()
            if level[1]
        ]

    def top(self, time_ns: int, note: int) -> Raw:
        """Best bid and ask, with what is shown at them."""
        bids, asks = self.sides[BID], self.sides[OFFER]
        if not bids or not asks:
            return Raw(self.symbol, 0.0, 0.0, 0.0, 0.0, time_ns, 0, WITHDRAWN)
        bid, bid_quantity = _best(bids, max)
        ask, ask_quantity = _best(asks, min)
        note |= GAPPED if self.broken else 0
        return Raw(self.symbol, bid, ask, bid_quantity, ask_quantity, time_ns, 0, note)


_Run = tuple[int, int, list[EntryUpdate]]
"""First and last RptSeq of entries that follow on one another, 0 without, and the entries."""


def _put_into(runs: list[_Run], number: int, entries: list[EntryUpdate]) -> None:
    if runs and (runs[-1][1] + 1 == number or not number):
        first, _, before = runs[-1]
        runs[-1] = (first, number, before + entries)
    else:
        runs.append((number, number, entries))


def _entry_update(bid: bool, key: object, price: float, quantity: float) -> EntryUpdate:
    name = key.decode("latin-1") if isinstance(key, bytes) else str(key)
    return EntryUpdate(("b" if bid else "o") + name, bid, price, quantity)


def _best(side: dict[object, tuple[float, float]], choose) -> tuple[float, float]:
    if len(side) == 1:
        return next(iter(side.values()))
    price = choose(level[0] for level in side.values())
    return price, sum(level[1] for level in side.values() if level[0] == price)


class Books:
    """The books of one session.

    Attributes:
        rejected: why something was no quote; whoever reads it empties it.
        missing: updates that are missing by RptSeq; whoever reads it sets it to 0.
        broken: symbols of which a snapshot is to be asked.
        updates: what the messages say of whole books, by symbol, and what is known of their times (IN_UTC or 0);
            whoever reads it empties it.
    """

    def __init__(self, clock: Clock, *, top_only: bool, entry_time: bool) -> None:
        self._clock = VenueClock(clock)
        self._top_only = top_only
        self._entry_time = entry_time
        self._times = Times()
        self._books: dict[bytes, Book] = {}
        self.rejected: list[str] = []
        self.missing = 0
        self.broken: set[str] = set()
        self.updates: list[tuple[BookUpdate, int]] = []

    def forget(self) -> None:
        """Messages are missing: no book is what the venue has until a snapshot of it comes."""
        for book in self._books.values():
            book.broken = True
            self.broken.add(book.symbol)

    def snapshot(self, message: Message) -> list[Raw]:
        """Takes a W."""
        symbol = message.get(55)
        if not symbol:
            self.rejected.append(NO_SYMBOL)
            return []
        book = self._book(symbol)
        book.clear()
        self.broken.discard(book.symbol)
        number = message.number(83)
        last: Entry = {}
        for entry in _entries(message.pairs, b"269"):
            if entry[b"269"] in book.sides:
                self._put(book, entry, NEW)
                last = entry
            number = _number(entry, b"83") or number
        book.reported = number or 0
        time_ns, note = self._time(last, message)
        self.updates.append((BookUpdate(book.symbol, (), (), True, 0, book.reported, time_ns, 0, book.entries()), note))
        return [book.top(time_ns, note)]

    def incremental(self, message: Message) -> list[Raw]:
        """Takes an X; one quote for each symbol in it."""
        changed: dict[bytes, Entry] = {}
        runs: dict[bytes, list[_Run]] = {}
        symbol = b""
        for entry in _entries(message.pairs, b"279"):
            symbol = entry.get(b"55", symbol)
            if not symbol:
                self.rejected.append(NO_SYMBOL)
                continue
            if entry.get(b"269") not in (BID, OFFER, None):
                continue
            book = self._book(symbol)
            if self._in_sequence(book, entry):
                _put_into(
                    runs.setdefault(symbol, []), _number(entry, b"83") or 0, self._put(book, entry, entry[b"279"])
                )
                changed[symbol] = entry
        quotes = []
        for symbol, entry in changed.items():
            book = self._books[symbol]
            time_ns, note = self._time(entry, message)
            for first, last, entries in runs[symbol]:
                self.updates.append((BookUpdate(book.symbol, (), (), False, first, last, time_ns, 0, entries), note))
            quotes.append(book.top(time_ns, note))
        return quotes

    def _in_sequence(self, book: Book, entry: Entry) -> bool:
        number = _number(entry, b"83")
        if number is None:
            return True
        if book.reported and number <= book.reported:
            return False
        if book.reported and number != book.reported + 1:
            book.broken = True
            self.missing += number - book.reported - 1
            self.broken.add(book.symbol)
        book.reported = number
        return True

    def _put(self, book: Book, entry: Entry, action: bytes) -> list[EntryUpdate]:
        """Takes an entry into its book, and returns what became of the book's entries."""
        identity = entry.get(b"278")
        side = book.sides.get(entry.get(b"269", b""))
        if side is None:
            # Changes and deletions may name the entry alone.
            named = entry.get(b"280", identity)
            side = next((each for each in book.sides.values() if named in each), None)
            if side is None:
                self.rejected.append(UNKNOWN_ENTRY)
                return []
        bid = side is book.sides[BID]
        reference = entry.get(b"280")
        before = side.pop(reference, None) if reference else side.get(identity) if identity else None
        gone = [_entry_update(bid, reference, 0.0, 0.0)] if reference and before is not None else []
        key: object = identity if identity else b"top" if self._top_only else entry.get(b"270")
        if before is None and not identity:
            before = side.get(key)
        if action == DELETE:
            if side.pop(key, before) is None:
                self.rejected.append(UNKNOWN_ENTRY)
            return [*gone, _entry_update(bid, key, 0.0, 0.0)]
        price, size = _float(entry, b"270"), _float(entry, b"271")
        if before is not None and action == CHANGE:
            price, size = before[0] if price is None else price, before[1] if size is None else size
        if price is None or len(side) >= LEVELS_MAX:
            self.rejected.append(NO_PRICE)
            return gone
        side[key] = (price, size or 0.0)
        return [*gone, _entry_update(bid, key, price, size or 0.0)]

    def _book(self, symbol: bytes) -> Book:
        book = self._books.get(symbol)
        if book is None:
            book = self._books[symbol] = Book(symbol.decode("latin-1"))
        return book

    def _time(self, entry: Entry, message: Message) -> tuple[int, int]:
        """The venue time of an entry and whether it is in UTC, or else the SendingTime, which is."""
        sent = self._times.nanoseconds(message.get(52))
        clock = entry.get(b"273")
        if not self._entry_time or clock is None:
            return sent, IN_UTC
        day = entry.get(b"272")
        try:
            if day is not None:
                return self._times.nanoseconds(day + b"-" + clock), 0
            # Without a date it is the one that brings the time nearest to the SendingTime.
            local = sent + self._offset(sent)
            midnight = local - local % DAY_NS
            time_ns = midnight + self._times.nanoseconds(b"19700101-" + clock)
        except ValueError:
            return sent, IN_UTC
        return time_ns + DAY_NS * round((local - time_ns) / DAY_NS), 0

    def _offset(self, now_ns: int) -> int:
        return now_ns - self._clock.to_utc(now_ns, now_ns)


def _entries(pairs: Sequence[Pair], first: bytes) -> Iterator[Entry]:
    """The entries of the message's repeating group, which begin with a tag each."""
    entry: Entry | None = None
    for tag, _, value in pairs:
        if tag == first:
            if entry is not None:
                yield entry
            entry = {}
        if entry is not None:
            entry[tag] = value
    if entry is not None:
        yield entry


def _number(entry: Entry, tag: bytes) -> int | None:
    return whole(entry.get(tag, b""))


def _float(entry: Entry, tag: bytes) -> float | None:
    """A price or quantity; None if it is not there or is no finite number."""
    value = entry.get(tag)
    # Python's own notation would let 1_0 pass for 10.
    if value is None or b"_" in value:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
