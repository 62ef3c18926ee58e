"""What FIX 4.4 market data messages say: the books of one session, and the quotes at their top. Pure.

    W, snapshot ──────────▶ book of a symbol ── best bid and ask ──▶ Raw
    X, incremental refresh ─▶    by MDEntryID, else by side (top of book), MDEntryPositionNo or price
                                 └─ entries, with their RptSeq ──▶ BookUpdate

A symbol whose updates have a gap by RptSeq stays GAPPED until a snapshot of it comes; `broken` names those for which
one is to be asked. Where positions name the entries, one update that is missing or does not fit makes all that follow
mean something else: they are left out until the snapshot.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from crossrate.fix.message import Message, Pair, Times, whole
from crossrate.ticks.clock import Clock
from services.marketdata.adapters.fix_positions import (
    CHANGE,
    DELETE,
    DELETIONS,
    NEW,
    Level,
    Misplaced,
    Positions,
    update_of,
)
from services.marketdata.domain.book import BookUpdate
from services.marketdata.domain.entries import EntryUpdate
from services.marketdata.domain.normalise import GAPPED, IN_UTC, WITHDRAWN, Raw
from services.marketdata.domain.venue_clock import VenueClock

DAY_NS = 86_400_000_000_000
BID, OFFER = b"0", b"1"
UNKNOWN_ENTRY = "an update names an entry that is not in the book"
NO_SYMBOL = "a market data entry has no symbol"
NO_PRICE = "a market data entry has no price or size that is a number"
MISPLACED = "an update by position does not fit the book"
LEVELS_MAX = 10_000

Entry = dict[bytes, bytes]


class Book:
    """One symbol: price and size of each entry of both sides, by the key that the venue's updates use."""

    __slots__ = ("_made", "broken", "positions", "reported", "sides", "symbol")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.sides: dict[bytes, dict[object, Level]] = {BID: {}, OFFER: {}}
        self.positions: dict[bytes, Positions] = {}
        self.reported = 0
        self.broken = False
        self._made = 0

    def name(self) -> str:
        """A name for an entry that the venue gives none; never the same again."""
        self._made += 1
        return f"#{self._made}"

    def clear(self) -> None:
        """Empties it, before a snapshot."""
        for side in self.sides.values():
            side.clear()
        self.positions.clear()
        self.reported, self.broken = 0, False

    def entries(self) -> list[EntryUpdate]:
        """Every entry of both sides that has a quantity."""
        return [
            update_of(key, side is self.sides[BID], *level)
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


def _best(side: dict[object, Level], choose) -> tuple[float, float]:
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
        updates: what the messages say of whole books, by symbol, and what is known of their times (IN_UTC or 0), with
            GAPPED where the book is not the venue's any more; whoever reads it empties it.
    """

    def __init__(self, clock: Clock, *, depth: int, entry_time: bool, entry_key: str = "auto") -> None:
        """For one session.

        Args:
            clock: of the venue.
            depth: MarketDepth that was asked for: 1 for the top, 0 for all.
            entry_time: whether venue time is the entry's.
            entry_key: what names an entry: see `FixFeed.entry_key`.
        """
        self._clock = VenueClock(clock)
        self._depth = depth
        self._top_only = depth == 1
        self._entry_key = entry_key
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
        ranked: list[Entry] = []
        for entry in _entries(message.pairs, b"269"):
            if entry[b"269"] in book.sides:
                if self._by_position(entry):
                    ranked.append(entry)
                else:
                    self._put(book, entry, NEW)
                last = entry
            number = _number(entry, b"83") or number
        self._rank(book, ranked)
        book.reported = number or 0
        time_ns, note = self._time(last, message)
        self.updates.append((BookUpdate(book.symbol, (), (), True, 0, book.reported, time_ns, 0, book.entries()), note))
        return [book.top(time_ns, note)]

    def incremental(self, message: Message) -> list[Raw]:
        """Takes an X; one quote for each symbol in it."""
        changed: dict[bytes, Entry] = {}
        runs: dict[bytes, list[_Run]] = {}
        lost: set[bytes] = set()
        symbol = b""
        for entry in _entries(message.pairs, b"279"):
            symbol = entry.get(b"55", symbol)
            if not symbol:
                self.rejected.append(NO_SYMBOL)
                continue
            if entry.get(b"269") not in (BID, OFFER, None):
                continue
            book = self._book(symbol)
            if not self._in_sequence(book, entry):
                continue
            changed[symbol] = entry
            done = self._take(book, entry)
            if done is None:
                lost.add(symbol)
            else:
                _put_into(runs.setdefault(symbol, []), _number(entry, b"83") or 0, done)
        quotes = []
        for symbol, entry in changed.items():
            book = self._books[symbol]
            if not book.broken and not all(each.sorted() for each in book.positions.values()):
                self._misplaced(book)
                lost.add(symbol)
            time_ns, note = self._time(entry, message)
            if symbol in lost:
                runs[symbol] = []
                self.updates.append((BookUpdate(book.symbol, venue_time=time_ns), note | GAPPED))
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

    def _by_position(self, entry: Entry) -> bool:
        """Whether an entry is named by where it stands."""
        key = self._entry_key
        if self._top_only or key in ("id", "price"):
            return False
        return key != "auto" or (b"290" in entry and not entry.get(b"278") and not entry.get(b"280"))

    def _rank(self, book: Book, entries: list[Entry]) -> None:
        """Takes the entries of a snapshot by their positions, or by price where it names none."""

        def place(entry: Entry) -> float:
            price = _float(entry, b"270") or 0.0
            return _number(entry, b"290") or (-price if entry[b"269"] == BID else price)

        for entry in sorted(entries, key=place):
            kind = entry[b"269"]
            levels, price = book.sides[kind], _float(entry, b"270")
            if price is None or len(levels) >= LEVELS_MAX:
                self.rejected.append(NO_PRICE)
                continue
            slot = _number(entry, b"290") or len(levels) + 1
            levels[f"@{slot}" if self._entry_key == "slot" else book.name()] = price, _float(entry, b"271") or 0.0
        if entries:
            for kind in book.sides:
                self._positions(book, kind)

    def _positions(self, book: Book, kind: bytes) -> Positions:
        held = book.positions.get(kind)
        if held is None:
            levels, slots = book.sides[kind], self._entry_key == "slot"
            held = Positions(levels, book.name, bid=kind == BID, slots=slots, depth=self._depth)
            book.positions[kind] = held
        return held

    def _take(self, book: Book, entry: Entry) -> list[EntryUpdate] | None:
        """Takes an entry of an update, and returns what became of the book's entries; None if the book is not the
        venue's any more."""
        if not self._by_position(entry):
            return self._put(book, entry, entry[b"279"])
        if book.broken and self._entry_key != "slot":
            return None
        action, kind, position = entry[b"279"], entry.get(b"269", b""), _number(entry, b"290")

        def completed(before: Level | None) -> Level | None:
            price, size = _float(entry, b"270"), _float(entry, b"271")
            if before is not None and action != NEW:
                price, size = before[0] if price is None else price, before[1] if size is None else size
            return None if price is None else (price, size or 0.0)

        try:
            if kind not in book.sides or position is None:
                raise Misplaced
            if action not in DELETIONS and len(book.sides[kind]) >= LEVELS_MAX:
                raise Misplaced
            return self._positions(book, kind).put(action, position, completed)
        except Misplaced:
            self._misplaced(book)
            return None

    def _misplaced(self, book: Book) -> None:
        self.rejected.append(MISPLACED)
        book.broken = True
        self.broken.add(book.symbol)

    def _put(self, book: Book, entry: Entry, action: bytes) -> list[EntryUpdate]:
        """Takes an entry into its book, and returns what became of the book's entries."""
        if (_number(entry, b"290") or 1) > 1 and self._top_only:
            return []
        if action in DELETIONS and action != DELETE:
            self.rejected.append(UNKNOWN_ENTRY)
            return []
        identity = entry.get(b"278") if self._entry_key != "price" else None
        side = book.sides.get(entry.get(b"269", b""))
        if side is None:
            # Changes and deletions may name the entry alone.
            named = entry.get(b"280", identity)
            side = next((each for each in book.sides.values() if named in each), None)
            if side is None:
                self.rejected.append(UNKNOWN_ENTRY)
                return []
        bid = side is book.sides[BID]
        # What is named otherwise moves positions: they are ranked anew, by price.
        book.positions.pop(BID if bid else OFFER, None)
        reference = entry.get(b"280")
        before = side.pop(reference, None) if reference else side.get(identity) if identity else None
        gone = [update_of(reference, bid, 0.0, 0.0)] if reference and before is not None else []
        key: object = identity if identity else b"top" if self._top_only else entry.get(b"270")
        if before is None and not identity:
            before = side.get(key)
        if action == DELETE:
            if side.pop(key, before) is None:
                self.rejected.append(UNKNOWN_ENTRY)
            return [*gone, update_of(key, bid, 0.0, 0.0)]
        price, size = _float(entry, b"270"), _float(entry, b"271")
        if before is not None and action == CHANGE:
            price, size = before[0] if price is None else price, before[1] if size is None else size
        if price is None or len(side) >= LEVELS_MAX:
            self.rejected.append(NO_PRICE)
            return gone
        side[key] = (price, size or 0.0)
        return [*gone, update_of(key, bid, price, size or 0.0)]

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
